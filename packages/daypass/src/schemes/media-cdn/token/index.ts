/**
 * Tokens of Google's Media CDN: {@link mediaCdnTokenSigner}, {@link mediaCdnEd25519TokenSigner} and
 * {@link mediaCdnTokenVerifier}.
 *
 * @module
 */
export type { MediaCdnTokenMac, MediaCdnTokenSecret, MediaCdnTokenVerifyKey } from "./canonical.ts";
export {
  type MediaCdnEd25519TokenSignerOptions,
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
} from "./ed25519.ts";
export type { MediaCdnTokenFacts } from "./parse.ts";
export { mediaCdnSha1Key } from "./sha1.ts";
export {
  type MediaCdnTokenOptions,
  type MediaCdnTokenRequest,
  type MediaCdnTokenSignerOptions,
  mediaCdnTokenSigner,
} from "./sign.ts";
export { type MediaCdnTokenGrant, type MediaCdnTokenVerifierOptions, mediaCdnTokenVerifier } from "./verify.ts";
