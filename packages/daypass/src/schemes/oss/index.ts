/**
 * Alibaba Cloud OSS presigned URLs in signature version 4: {@link ossSigner} and {@link ossVerifier}.
 *
 * @module
 */
export type { BucketAddressing, ObjectLocation } from "../../core/bucket-endpoint.ts";
export type { OssCredentials } from "./credentials.ts";
export type { OssGrant } from "./grant.ts";
export type { OssSignRequest } from "./request.ts";
export { type OssSignerOptions, ossSigner } from "./sign.ts";
export { type OssVerifierOptions, ossVerifier } from "./verify.ts";
