import {
  type CloudflareOptions,
  type CloudflareSignRequest,
  type CloudflareVerifierOptions,
  cloudflareSigner,
  cloudflareVerifier,
} from "daypass/cloudflare";
import { flag, number, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { edgeLines, SECRET } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `cloudflare`: tokens for is_timed_hmac_valid_v0. */
export const cloudflareLineScheme: LineScheme = edgeLines<
  Key,
  CloudflareOptions,
  CloudflareSignRequest,
  Partial<CloudflareVerifierOptions>
>({
  scheme: "cloudflare",
  credentials: SECRET,
  required: ["secret"],
  options: { ttl: number, parameter: text, urlSafe: flag },
  entry: { maxSkew: number },
  signer: cloudflareSigner,
  verifier: ({ secret }, options) => cloudflareVerifier({ ...options, secrets: secret }),
});
