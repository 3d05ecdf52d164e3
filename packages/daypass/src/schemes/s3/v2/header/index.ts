/**
 * S3 requests with the legacy AWS Signature Version 2 in the `Authorization` header: {@link s3V2HeaderVerifier}.
 *
 * @module
 */
export type { S3Credentials } from "../../credentials.ts";
export type { S3Grant } from "../../grant.ts";
export { type S3V2HeaderVerifierOptions, s3V2HeaderTexts, s3V2HeaderVerifier } from "./verify.ts";
