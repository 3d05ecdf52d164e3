/**
 * Alibaba Cloud OSS presigned URLs in signature version 4: {@link ossSigner} and {@link ossVerifier}.
 *
 * @module
 */
export type { BucketAddressing, ObjectLocation } from "../../core/bucket-endpoint.ts";
export type { BucketRequest, ObjectRequest, StoreRequest } from "../../core/object-request.ts";
export type { OssCredentials, OssGrant, OssSignRequest } from "./credentials.ts";
export { type OssSignerOptions, ossSigner } from "./sign.ts";
export { type OssVerifierOptions, ossVerifier } from "./verify.ts";
