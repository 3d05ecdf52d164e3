/**
 * Tencent Cloud COS presigned URLs: {@link cosSigner} and {@link cosVerifier}.
 *
 * @module
 */
export type { BucketAddressing, ObjectLocation } from "../../core/bucket-endpoint.ts";
export type { BucketRequest, ObjectRequest, StoreRequest } from "../../core/object-request.ts";
export type { CosCredentials } from "./canonical.ts";
export { type CosSignerOptions, type CosSignRequest, cosSigner } from "./sign.ts";
export { type CosGrant, type CosVerifierOptions, cosVerifier } from "./verify.ts";
