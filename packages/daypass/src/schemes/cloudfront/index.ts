/**
 * Amazon CloudFront signed URLs and signed cookies: {@link cloudfrontSigner}, {@link cloudfrontCookieSigner} and
 * {@link cloudfrontVerifier}.
 *
 * @module
 */
export { type CloudfrontCookieSigner, type CloudfrontCookies, cloudfrontCookieSigner } from "./cookies.ts";
export type { CloudfrontHash, CloudfrontKey } from "./key.ts";
export type { CloudfrontCookieRequest, CloudfrontSignRequest } from "./request.ts";
export { type CloudfrontSignerOptions, cloudfrontSigner } from "./sign.ts";
export { type CloudfrontGrant, type CloudfrontVerifierOptions, cloudfrontVerifier } from "./verify.ts";
