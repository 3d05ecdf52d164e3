/**
 * Amazon CloudFront signed URLs and signed cookies: {@link cloudfrontSigner}, {@link cloudfrontCookieSigner} and
 * {@link cloudfrontVerifier}.
 *
 * @module
 */

export type { CloudfrontHash, CloudfrontKey } from "./key.ts";
export type { CloudfrontCookieRequest, CloudfrontSignRequest } from "./request.ts";
export {
  type CloudfrontCookieSigner,
  type CloudfrontCookies,
  type CloudfrontSignerOptions,
  cloudfrontCookieSigner,
  cloudfrontSigner,
} from "./sign.ts";
export { type CloudfrontGrant, type CloudfrontVerifierOptions, cloudfrontVerifier } from "./verify.ts";
