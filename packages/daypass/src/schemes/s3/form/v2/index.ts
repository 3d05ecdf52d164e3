/**
 * Upload forms in the legacy AWS Signature Version 2: {@link s3FormV2Signer} and {@link s3FormV2Verifier}. Only for
 * servers and clients that support nothing newer.
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
} from "../../../../forms/form.ts";
export type { FormFields, PolicyCondition } from "../../../../forms/policy.ts";
export type { S3Credentials } from "../../credentials.ts";
export type { Addressing, EndpointOptions } from "../../endpoint.ts";
export type { S3SignerOptions } from "../../sign.ts";
export type { S3FormGrant } from "../grant.ts";
export type { S3FormRequest } from "../request.ts";
export { s3FormV2Signer } from "./sign.ts";
export { type S3FormV2VerifierOptions, s3FormV2Verifier } from "./verify.ts";
