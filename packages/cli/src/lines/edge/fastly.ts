import {
  type FastlyOptions,
  type FastlySignRequest,
  type FastlyVerifierOptions,
  fastlySigner,
  fastlyVerifier,
} from "daypass/fastly";
import { oneOf, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { edgeLines, SECRET, UNSIGNED } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `fastly`: the token of Fastly's examples. */
export const fastlyLineScheme: LineScheme = edgeLines<
  Key,
  FastlyOptions,
  FastlySignRequest,
  Partial<FastlyVerifierOptions>
>({
  scheme: "fastly",
  credentials: SECRET,
  required: ["secret"],
  options: { hash: oneOf("sha1", "sha256"), parameter: text },
  entry: UNSIGNED,
  signer: fastlySigner,
  verifier: ({ secret }, options) => fastlyVerifier({ ...options, secrets: secret }),
});
