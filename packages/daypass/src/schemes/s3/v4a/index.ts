/**
 * S3 presigned URLs in AWS Signature Version 4A, for Multi-Region Access Points: {@link s3V4aSigner} and
 * {@link s3V4aVerifier}. No native module.
 *
 * @module
 */
export type { S3Credentials } from "../credentials.ts";
export type { Addressing } from "../endpoint.ts";
export type { S3Grant } from "../grant.ts";
export type { S3BucketRequest, S3ObjectRequest, S3SignRequest, S3StoreRequest } from "../request.ts";
export type { V4aEndpointOptions } from "./canonical.ts";
export { type S3V4aSignerOptions, s3V4aSigner } from "./sign.ts";
export { type S3V4aVerifierOptions, s3V4aTexts, s3V4aVerifier } from "./verify.ts";
