/**
 * Alibaba Cloud OSS presigned URLs in the legacy signature version 1: {@link ossV1Signer} and {@link ossV1Verifier}. Only
 * for clients and servers that support nothing newer.
 *
 * @module
 */
export type { BucketAddressing, ObjectLocation } from "../../../core/bucket-endpoint.ts";
export type { BucketRequest, ObjectRequest, StoreRequest } from "../../../core/object-request.ts";
export type { OssCredentials, OssGrant } from "../credentials.ts";
export { type OssV1SignerOptions, type OssV1SignRequest, ossV1Signer } from "./sign.ts";
export { type OssV1VerifierOptions, ossV1Verifier } from "./verify.ts";
