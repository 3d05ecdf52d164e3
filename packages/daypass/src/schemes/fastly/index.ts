/**
 * Tokens as Fastly's examples for VCL have them: {@link fastlySigner} and {@link fastlyVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { FastlyHash, FastlyWeakness } from "./canonical.ts";
export { type FastlySignerOptions, type FastlySignRequest, fastlySigner } from "./sign.ts";
export {
  type FastlyGrant,
  type FastlyOptions,
  type FastlyVerifierOptions,
  fastlyVerifier,
} from "./verify.ts";
