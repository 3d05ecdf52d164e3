/**
 * Signed URLs, prefixes and cookies of Google's Media CDN: {@link mediaCdnSigner}, {@link mediaCdnCookieSigner} and
 * {@link mediaCdnVerifier}. Its tokens are in `daypass/media-cdn/token`.
 *
 * @module
 */
export type { SignedCookies } from "../../wire/cookie.ts";
export type { MediaCdnKey } from "./canonical.ts";
export {
  type MediaCdnCookieRequest,
  type MediaCdnCookieSigner,
  type MediaCdnSignerOptions,
  type MediaCdnSignRequest,
  mediaCdnCookieSigner,
  mediaCdnSigner,
} from "./sign.ts";
export { type MediaCdnGrant, type MediaCdnVerifierOptions, mediaCdnVerifier } from "./verify.ts";
