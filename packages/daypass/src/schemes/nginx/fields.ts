import { record, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, ENDLESS, edgeFields, SECRET, UNSIGNED } from "../../edge/fields.ts";
import { nginxSigner, nginxVerifier } from "./index.ts";

/** Lines of links for nginx's `secure_link`. */
export const fields: SchemeFields = edgeFields({
  scheme: "nginx",
  credentials: SECRET,
  required: ["secret"],
  options: { expression: text, parameters: record({ signature: text, expires: text }) },
  request: ENDLESS,
  entry: { ...ENDLESS, ...UNSIGNED },
  signer: nginxSigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions) =>
    nginxVerifier({ ...options, secrets: secret }),
});
