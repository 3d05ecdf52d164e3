import { oneOf, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, UNSIGNED } from "../../edge/fields.ts";
import { type CloudCdnKey, cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "./index.ts";

/** Lines of Google's Cloud CDN: URLs, and cookies with `"as":"cookies"`. */
export const fields: SchemeFields = edgeFields({
  scheme: "cloud-cdn",
  credentials: { keyName: text, key: text },
  required: ["keyName", "key"],
  signing: { as: oneOf("url", "cookies") },
  entry: UNSIGNED,
  signer: ({ as, ...options }: CloudCdnKey & { readonly as?: string }) =>
    as === "cookies" ? cloudCdnCookieSigner(options) : cloudCdnSigner(options),
  verifier: (key: CloudCdnKey, options: EdgeOptions) => cloudCdnVerifier({ ...options, keys: key }),
});
