/**
 * S3 requests with AWS Signature Version 4 in the `Authorization` header: {@link s3HeaderVerifier}.
 *
 * @module
 */
export type { S3Credentials } from "../credentials.ts";
export type { S3Grant } from "../grant.ts";
export type { OpenedBody } from "./chunks.ts";
export { type S3HeaderGrant, type S3HeaderVerifierOptions, s3HeaderTexts, s3HeaderVerifier } from "./verify.ts";
