/**
 * Google Cloud Storage signed URLs in V4: {@link gcsSigner}, {@link gcsHmacSigner} and {@link gcsVerifier}.
 *
 * @module
 */
export type { RsaJwk } from "#crypto/rsa";
export type { BucketAddressing } from "../../core/bucket-endpoint.ts";
export type { Keys } from "../../core/key-resolver.ts";
export type { GcsAccount, GcsHmacKey, GcsPublicAccount, GcsRemoteAccount, GcsServiceAccount } from "./credentials.ts";
export type { GcsGrant } from "./grant.ts";
export { type IamFetch, type IamOptions, iamCredentials } from "./iam.ts";
export type {
  GcsBucketRequest,
  GcsEndpointOptions,
  GcsObjectRequest,
  GcsSignRequest,
  GcsStoreRequest,
} from "./request.ts";
export { type GcsHmacSignerOptions, type GcsSignerOptions, gcsHmacSigner, gcsSigner } from "./sign.ts";
export {
  type GcsSignedTexts,
  type GcsVerifierOptions,
  gcsHmacVerifier,
  gcsSignedTexts,
  gcsVerifier,
} from "./verify.ts";
