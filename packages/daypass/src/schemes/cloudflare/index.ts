/**
 * Tokens for Cloudflare's `is_timed_hmac_valid_v0`: {@link cloudflareSigner} and {@link cloudflareVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { CloudflareOptions } from "./canonical.ts";
export { type CloudflareSignerOptions, type CloudflareSignRequest, cloudflareSigner } from "./sign.ts";
export { type CloudflareGrant, type CloudflareVerifierOptions, cloudflareVerifier } from "./verify.ts";
