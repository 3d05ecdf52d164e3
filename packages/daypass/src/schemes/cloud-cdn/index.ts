/**
 * Signed URLs, prefixes and cookies of Google's Cloud CDN: {@link cloudCdnSigner}, {@link cloudCdnCookieSigner} and
 * {@link cloudCdnVerifier}.
 *
 * @module
 */

export type { EdgeSigner } from "../../edge/sign.ts";
export type { SignedCookies } from "../../wire/cookie.ts";
export type { CloudCdnKey } from "./canonical.ts";
export {
  type CloudCdnCookieRequest,
  type CloudCdnCookieSigner,
  type CloudCdnSignerOptions,
  type CloudCdnSignRequest,
  cloudCdnCookieSigner,
  cloudCdnSigner,
} from "./sign.ts";
export { type CloudCdnGrant, type CloudCdnVerifierOptions, cloudCdnVerifier } from "./verify.ts";
