/**
 * URI Signing for CDNs (RFC 9246): {@link uriSigningSigner}, {@link uriSigningVerifier} and
 * {@link uriSigningRenewer}.
 *
 * @module
 */
export type { UriSigningClaims } from "./claims.ts";
export { type UriSigningEncryption, type UriSigningEncryptionJwk, uriSigningEncryption } from "./encryption.ts";
export { type UriSigningRegex, uriSigningRegex } from "./ere.ts";
export {
  type UriSigningAlgorithm,
  type UriSigningEcJwk,
  type UriSigningKey,
  type UriSigningKeySet,
  type UriSigningOkpJwk,
  type UriSigningPrivateKey,
  type UriSigningRsaJwk,
  type UriSigningSecret,
  uriSigningEdDsa,
  uriSigningEs256,
  uriSigningRs256,
} from "./keys.ts";
export {
  type RenewedToken,
  type UriSigningRenewalKey,
  type UriSigningRenewer,
  type UriSigningRenewerOptions,
  uriSigningRenewer,
} from "./renew.ts";
export { type UriSigningRequest, type UriSigningSignerOptions, uriSigningSigner } from "./sign.ts";
export { type UriSigningGrant, type UriSigningVerifierOptions, uriSigningVerifier } from "./verify.ts";
