/**
 * In place of `@aws-sdk/s3-request-presigner`: {@link getSignedUrl} and {@link presign} take the clients and commands of the AWS
 * SDK for JavaScript v3, of which nothing is imported.
 *
 * @module
 */
export { getSignedUrl, presign } from "./presign.ts";
export type { AwsPresigningOptions, AwsS3Client, AwsS3Command } from "./sdk.ts";
