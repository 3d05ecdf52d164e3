/**
 * Links for nginx's `secure_link` module: {@link nginxSigner} and {@link nginxVerifier}.
 *
 * @module
 */

export type { Secrets } from "../../core/secrets.ts";
export type { EdgeSigner } from "../../edge/sign.ts";
export type { NginxParameters } from "./parse.ts";
export { type NginxSignerOptions, type NginxSignRequest, nginxSigner } from "./sign.ts";
export {
  type NginxGrant,
  type NginxOptions,
  type NginxVerifierOptions,
  type NginxWeakness,
  nginxVerifier,
} from "./verify.ts";
