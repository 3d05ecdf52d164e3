/**
 * Upload forms for browsers, an S3 POST policy in AWS Signature Version 4: {@link s3FormSigner} and
 * {@link s3FormVerifier}.
 *
 * @module
 */
export type {
  FormGrant,
  FormSigner,
  FormVerifier,
  ReceivedForm,
  SignedForm,
  SignedFormOrError,
} from "../../../forms/form.ts";
export type { FormFields, PolicyCondition } from "../../../forms/policy.ts";
export type { S3Credentials } from "../credentials.ts";
export type { Addressing, EndpointOptions } from "../endpoint.ts";
export type { S3SignerOptions } from "../sign.ts";
export { type S3FormRequest, s3FormSigner } from "./sign.ts";
export { type S3FormGrant, type S3FormVerifierOptions, s3FormVerifier } from "./verify.ts";
