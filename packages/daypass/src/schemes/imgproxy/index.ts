/**
 * Signed imgproxy URLs: {@link imgproxySigner} and {@link imgproxyVerifier}.
 *
 * @module
 */
export type { EdgeSigner } from "../../edge/sign.ts";
export type { ImgproxyKey, ImgproxyOptions, ImgproxyWeakness } from "./canonical.ts";
export { type ImgproxySignerOptions, type ImgproxySignRequest, imgproxySigner } from "./sign.ts";
export { type ImgproxyGrant, type ImgproxyVerifierOptions, imgproxyVerifier } from "./verify.ts";
