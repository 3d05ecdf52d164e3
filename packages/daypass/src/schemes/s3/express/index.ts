/**
 * Presigned URLs for S3 Express One Zone, which uses its own session token: {@link s3ExpressSigner} and
 * {@link s3ExpressVerifier}.
 *
 * @module
 */
export type { S3Credentials } from "../credentials.ts";
export type { S3Grant } from "../grant.ts";
export type { S3BucketRequest, S3ObjectRequest, S3SignRequest, S3StoreRequest } from "../request.ts";
export { type S3ExpressSignerOptions, s3ExpressSigner } from "./sign.ts";
export { type S3ExpressVerifierOptions, s3ExpressVerifier } from "./verify.ts";
