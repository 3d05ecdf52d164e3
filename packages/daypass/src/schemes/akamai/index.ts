/**
 * Akamai's EdgeAuth 2.0 tokens: {@link akamaiSigner} and {@link akamaiVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { AkamaiHash, AkamaiOptions } from "./canonical.ts";
export type { AkamaiFacts } from "./parse.ts";
export { type AkamaiSignerOptions, type AkamaiSignRequest, akamaiSigner } from "./sign.ts";
export { type AkamaiGrant, type AkamaiVerifierOptions, akamaiVerifier } from "./verify.ts";
