import {
  type SymfonyOptions,
  type SymfonySignRequest,
  type SymfonyVerifierOptions,
  symfonySigner,
  symfonyVerifier,
} from "daypass/symfony";
import { fields, nested, oneOf, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines, SECRET } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `symfony`: URLs of the UriSigner. */
export const symfonyLineScheme: LineScheme = edgeLines<
  Key,
  SymfonyOptions,
  SymfonySignRequest,
  Partial<SymfonyVerifierOptions>
>({
  scheme: "symfony",
  credentials: SECRET,
  required: ["secret"],
  options: { parameters: nested(fields({ hash: text, expiration: text })), encoding: oneOf("base64url", "base64") },
  request: ENDLESS,
  entry: ENDLESS,
  signer: symfonySigner,
  verifier: ({ secret }, options) => symfonyVerifier({ ...options, secrets: secret }),
});
