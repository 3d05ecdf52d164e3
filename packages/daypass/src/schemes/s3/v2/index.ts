/**
 * S3 presigned URLs in the legacy AWS Signature Version 2: {@link s3V2Signer} and {@link s3V2Verifier}. Only for servers
 * and clients that support nothing newer.
 *
 * @module
 */
export type { S3Credentials } from "../credentials.ts";
export type { Addressing, EndpointOptions } from "../endpoint.ts";
export type { S3Grant } from "../grant.ts";
export type { S3BucketRequest, S3ObjectRequest, S3SignRequest, S3StoreRequest } from "../request.ts";
export type { S3SignerOptions } from "../sign.ts";
export { s3V2Signer } from "./sign.ts";
export { type S3V2Grant, type S3V2VerifierOptions, s3V2Texts, s3V2Verifier } from "./verify.ts";
