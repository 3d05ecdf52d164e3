/**
 * Google Cloud Storage signed URLs in the legacy V2: {@link gcsV2Signer}, {@link gcsV2HmacSigner}, {@link gcsV2Verifier}
 * and {@link gcsV2HmacVerifier}. Only for servers and clients that support nothing newer.
 *
 * @module
 */
export type { RsaJwk } from "#crypto/rsa";
export type { BucketAddressing } from "../../../core/bucket-endpoint.ts";
export type { Keys } from "../../../core/key-resolver.ts";
export type { GcsHmacKey, GcsPublicAccount, GcsRemoteAccount, GcsServiceAccount } from "../credentials.ts";
export type { GcsGrant } from "../grant.ts";
export type {
  GcsBucketRequest,
  GcsEndpointOptions,
  GcsObjectRequest,
  GcsSignRequest,
  GcsStoreRequest,
} from "../request.ts";
export type { GcsHmacSignerOptions, GcsSignerOptions } from "../sign.ts";
export type { GcsSignedTexts } from "../verify.ts";
export { gcsV2HmacSigner, gcsV2Signer } from "./sign.ts";
export {
  type GcsV2Grant,
  type GcsV2VerifierOptions,
  gcsV2HmacVerifier,
  gcsV2SignedTexts,
  gcsV2Verifier,
} from "./verify.ts";
