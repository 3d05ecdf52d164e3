import { flag, number, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, SECRET } from "../../edge/fields.ts";
import { type CloudflareOptions, cloudflareSigner, cloudflareVerifier } from "./index.ts";

/** Lines of tokens for Cloudflare's `is_timed_hmac_valid_v0`. */
export const fields: SchemeFields = edgeFields({
  scheme: "cloudflare",
  credentials: SECRET,
  required: ["secret"],
  options: { ttl: number, parameter: text, urlSafe: flag },
  entry: { maxSkew: number },
  signer: cloudflareSigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions & CloudflareOptions) =>
    cloudflareVerifier({ ...options, secrets: secret }),
});
