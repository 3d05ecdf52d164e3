/**
 * OpenStack Swift temporary URLs: {@link swiftSigner} and {@link swiftVerifier}.
 *
 * @module
 */
export type { SwiftDigest, SwiftKey } from "./key.ts";
export { type SwiftSignerOptions, type SwiftSignRequest, swiftSigner } from "./sign.ts";
export { type SwiftGrant, type SwiftVerifierOptions, swiftVerifier } from "./verify.ts";
