import {
  type NginxOptions,
  type NginxSignRequest,
  type NginxVerifierOptions,
  nginxSigner,
  nginxVerifier,
} from "daypass/nginx";
import { fields, nested, text } from "../fields.ts";
import type { LineScheme } from "../line-scheme.ts";
import { ENDLESS, edgeLines, SECRET, UNSIGNED } from "./edge-lines.ts";

interface Key {
  readonly secret: string;
}

/** Lines of the scheme `nginx`: links for secure_link. */
export const nginxLineScheme: LineScheme = edgeLines<
  Key,
  NginxOptions,
  NginxSignRequest,
  Partial<NginxVerifierOptions>
>({
  scheme: "nginx",
  credentials: SECRET,
  required: ["secret"],
  options: { expression: text, parameters: nested(fields({ signature: text, expires: text })) },
  request: ENDLESS,
  entry: { ...ENDLESS, ...UNSIGNED },
  signer: nginxSigner,
  verifier: ({ secret }, options) => nginxVerifier({ ...options, secrets: secret }),
});
