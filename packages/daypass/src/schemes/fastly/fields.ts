import { oneOf, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, SECRET, UNSIGNED } from "../../edge/fields.ts";
import { fastlySigner, fastlyVerifier } from "./index.ts";

/** Lines of the token in Fastly's examples. */
export const fields: SchemeFields = edgeFields({
  scheme: "fastly",
  credentials: SECRET,
  required: ["secret"],
  options: { hash: oneOf("sha1", "sha256"), parameter: text },
  entry: UNSIGNED,
  signer: fastlySigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions) =>
    fastlyVerifier({ ...options, secrets: secret }),
});
