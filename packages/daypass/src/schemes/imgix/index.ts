/**
 * Signed imgix URLs: {@link imgixSigner} and {@link imgixVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { ImgixWeakness } from "./canonical.ts";
export { type ImgixSignerOptions, type ImgixSignRequest, imgixSigner } from "./sign.ts";
export { type ImgixGrant, type ImgixVerifierOptions, imgixVerifier } from "./verify.ts";
