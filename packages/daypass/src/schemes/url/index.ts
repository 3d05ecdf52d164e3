/**
 * Daypass URLs, presigned URLs for any web resource of your own: {@link urlSigner} and {@link urlVerifier}. The format is
 * specified in docs/spec/daypass-url.md.
 *
 * @module
 */
export type { UrlAlgorithm, UrlCanonical } from "./canonical.ts";
export {
  publishedKeySet,
  type UrlEd25519Key,
  type UrlEd25519PrivateKey,
  type UrlHmacKey,
  type UrlKey,
  type UrlKeySet,
} from "./key.ts";
export type { UrlSignRequest } from "./request.ts";
export type { UrlKeyScope } from "./scope.ts";
export { type UrlSignerOptions, urlSigner } from "./sign.ts";
export { type UrlGrant, type UrlVerifier, type UrlVerifierOptions, urlVerifier } from "./verify.ts";
