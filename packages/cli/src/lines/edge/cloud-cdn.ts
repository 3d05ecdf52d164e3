import {
  type CloudCdnKey,
  type CloudCdnSignRequest,
  type CloudCdnVerifierOptions,
  cloudCdnCookieSigner,
  cloudCdnSigner,
  cloudCdnVerifier,
} from "daypass/cloud-cdn";
import { oneOf, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { edgeLines, UNSIGNED } from "./edge-lines.ts";

/** Lines of the scheme `cloud-cdn`: URLs, and cookies with `"as":"cookies"`. */
export const cloudCdnLineScheme: LineScheme = edgeLines<
  CloudCdnKey,
  object,
  CloudCdnSignRequest,
  Partial<CloudCdnVerifierOptions>
>({
  scheme: "cloud-cdn",
  credentials: { keyName: text, key: text },
  required: ["keyName", "key"],
  request: { prefix: text, as: oneOf("url", "cookies") },
  entry: UNSIGNED,
  signer: (options, line) => (line["as"] === "cookies" ? cloudCdnCookieSigner(options) : cloudCdnSigner(options)),
  verifier: (key, options) => cloudCdnVerifier({ ...options, keys: key }),
});
