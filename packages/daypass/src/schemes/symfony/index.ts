/**
 * URLs of Symfony's UriSigner: {@link symfonySigner} and {@link symfonyVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { SymfonyOptions, SymfonyWeakness } from "./canonical.ts";
export { type SymfonySignerOptions, type SymfonySignRequest, symfonySigner } from "./sign.ts";
export { type SymfonyGrant, type SymfonyVerifierOptions, symfonyVerifier } from "./verify.ts";
