/**
 * Signed routes of Laravel: {@link laravelSigner} and {@link laravelVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { LaravelWeakness } from "./canonical.ts";
export { type LaravelSignerOptions, type LaravelSignRequest, laravelSigner } from "./sign.ts";
export { type LaravelGrant, type LaravelVerifierOptions, laravelVerifier } from "./verify.ts";
