import { oneOf, record, text } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, ENDLESS, edgeFields, SECRET } from "../../edge/fields.ts";
import { symfonySigner, symfonyVerifier } from "./index.ts";

/** Lines of Symfony's UriSigner. */
export const fields: SchemeFields = edgeFields({
  scheme: "symfony",
  credentials: SECRET,
  required: ["secret"],
  options: { parameters: record({ hash: text, expiration: text }), encoding: oneOf("base64url", "base64") },
  request: ENDLESS,
  entry: ENDLESS,
  signer: symfonySigner,
  verifier: ({ secret }: { readonly secret: string }, options: EdgeOptions) =>
    symfonyVerifier({ ...options, secrets: secret }),
});
