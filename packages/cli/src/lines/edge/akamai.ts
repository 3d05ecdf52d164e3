import {
  type AkamaiOptions,
  type AkamaiSignRequest,
  type AkamaiVerifierOptions,
  akamaiSigner,
  akamaiVerifier,
} from "daypass/akamai";
import { flag, oneOf, text, textList } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { edgeLines, UNSIGNED } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
  readonly salt?: string;
}

/** Lines of the scheme `akamai`: EdgeAuth tokens. */
export const akamaiLineScheme: LineScheme = edgeLines<
  Key,
  AkamaiOptions,
  AkamaiSignRequest,
  Partial<AkamaiVerifierOptions>
>({
  scheme: "akamai",
  credentials: { secret: text, salt: text },
  required: ["secret"],
  options: { hash: oneOf("sha256", "sha1", "md5"), parameter: text, escapeEarly: flag },
  request: { prefix: text, acl: textList, sessionId: text, data: text },
  entry: UNSIGNED,
  signer: akamaiSigner,
  verifier: ({ secret, salt }, options) => akamaiVerifier({ ...options, secrets: secret, salt }),
});
