/**
 * Tokens for Bunny's CDN: {@link bunnySigner} and {@link bunnyVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { BunnyWeakness } from "./canonical.ts";
export type { BunnyFacts } from "./parse.ts";
export { type BunnySignerOptions, type BunnySignRequest, bunnySigner } from "./sign.ts";
export { type BunnyGrant, type BunnyVerifierOptions, bunnyVerifier } from "./verify.ts";
