/**
 * Replaces `@aws-sdk/s3-request-presigner`: {@link getSignedUrl} and {@link presign} accept the clients and commands of the AWS
 * SDK for JavaScript v3, without importing it.
 *
 * @module
 */

export type { AwsPresigningOptions, AwsS3Client, AwsS3Command } from "./operation.ts";
export { getSignedUrl, presign } from "./presign.ts";
