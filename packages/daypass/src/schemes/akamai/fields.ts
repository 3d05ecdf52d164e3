import { flag, oneOf, text, textList } from "../../core/fields.ts";
import type { SchemeFields } from "../../core/scheme.ts";
import { type EdgeOptions, edgeFields, UNSIGNED } from "../../edge/fields.ts";
import { akamaiSigner, akamaiVerifier } from "./index.ts";

interface Key {
  readonly secret: string;
  readonly salt?: string;
}

/** Lines of Akamai's EdgeAuth tokens. */
export const fields: SchemeFields = edgeFields({
  scheme: "akamai",
  credentials: { secret: text, salt: text },
  required: ["secret"],
  options: { hash: oneOf("sha256", "sha1", "md5"), parameter: text, escapeEarly: flag },
  request: { acl: textList, sessionId: text, data: text },
  entry: UNSIGNED,
  signer: akamaiSigner,
  verifier: ({ secret, salt }: Key, options: EdgeOptions) => akamaiVerifier({ ...options, secrets: secret, salt }),
});
