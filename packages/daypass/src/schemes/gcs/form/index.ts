/**
 * Upload forms for browsers, a Cloud Storage policy document in V4: {@link gcsFormSigner}, {@link gcsHmacFormSigner},
 * {@link gcsFormVerifier} and {@link gcsHmacFormVerifier}.
 *
 * @module
 */
export type { RsaJwk } from "#crypto/rsa";
export type { BucketAddressing } from "../../../core/bucket-endpoint.ts";
export type { Keys } from "../../../core/key-resolver.ts";
export type {
  AsyncFormSigner,
  FormGrant,
  FormSigner,
  FormVerifier,
  ReceivedForm,
  SignedForm,
  SignedFormOrError,
} from "../../../forms/form.ts";
export type { FormFields, PolicyCondition } from "../../../forms/policy.ts";
export type { GcsHmacKey, GcsPublicAccount, GcsRemoteAccount, GcsServiceAccount } from "../credentials.ts";
export type { GcsEndpointOptions } from "../request.ts";
export type { GcsHmacSignerOptions, GcsSignerOptions } from "../sign.ts";
export { type GcsFormRequest, gcsFormSigner, gcsHmacFormSigner } from "./sign.ts";
export {
  type GcsFormGrant,
  type GcsFormVerifierOptions,
  gcsFormVerifier,
  gcsHmacFormVerifier,
} from "./verify.ts";
