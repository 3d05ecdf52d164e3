/**
 * S3 presigned URLs in AWS Signature Version 4: {@link s3Signer} and {@link s3Verifier}.
 *
 * @module
 */
export type { S3Location } from "./canonical.ts";
export type { S3Credentials } from "./credentials.ts";
export type { Addressing, EndpointOptions } from "./endpoint.ts";
export type { S3Grant } from "./grant.ts";
export type { S3BucketRequest, S3ObjectRequest, S3SignRequest, S3StoreRequest } from "./request.ts";
export { type S3SignerOptions, s3Signer } from "./sign.ts";
export { type S3Texts, type S3VerifierOptions, s3Texts, s3Verifier } from "./verify.ts";
