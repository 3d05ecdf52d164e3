import { uriEncode } from "../../wire/encoding.ts";
import { decodeOr } from "../decoded.ts";
import type { Variant } from "./search.ts";

/** Methods, the most often signed first. */
export const METHODS: readonly string[] = ["GET", "PUT", "HEAD", "POST", "DELETE", "OPTIONS", "PATCH"];

/** Every other method. */
export function* methodVariants<I extends { readonly method: string }>(input: I): Generator<Variant<I>> {
  for (const method of METHODS) {
    if (method === input.method) continue;
    yield {
      code: "METHOD",
      input: { ...input, method },
      signed: `The URL was signed for ${method} and sent with ${input.method}.`,
      seen: `The server saw the method ${method} and the URL was used with ${input.method}.`,
      fix: methodFix(method, input.method),
    };
  }
}

export function methodFix(signed: string, sent: string): string {
  if (sent === "HEAD") return "Sign for HEAD, or send GET with Range: bytes=0-0 to learn the size.";
  if (sent === "OPTIONS")
    return "A preflight carries no signature: configure CORS on the server, which answers it first.";
  return `Send ${signed}, or sign for ${sent}: a signature is for one method only.`;
}

/** The usual damages to a secret between a file and a program. */
export function* secretVariants<I extends { readonly secret: string }>(
  input: I,
  signed = "URL",
): Generator<Variant<I>> {
  const { secret } = input;
  const damaged: readonly (readonly [what: string, secret: string])[] = [
    ["a line feed at its end", `${secret}\n`],
    ["a carriage return and line feed at its end", `${secret}\r\n`],
    ["a carriage return at its end", `${secret}\r`],
    ["a space at its end", `${secret} `],
    ["a space in front", ` ${secret}`],
    ["double quotes around it", `"${secret}"`],
    ["single quotes around it", `'${secret}'`],
    ["percent-encoding in it", uriEncode(secret)],
    ["its percent-encoding undone", decodeOr(secret)],
    ["its spaces and line ends cut off", secret.trim()],
    ["`+` turned into a space", secret.replaceAll("+", " ")],
    ["its last character cut off", secret.slice(0, -1)],
    ["nothing in it: the secret was not set", ""],
    ["the text `undefined`: the secret was not set", "undefined"],
  ];
  for (const [what, other] of damaged) {
    if (other === secret) continue;
    const text = `The ${signed} was signed with this key's secret damaged: ${what}.`;
    yield {
      code: "WRONG_SECRET",
      input: { ...input, secret: other },
      signed: text,
      seen: text,
      fix: "Fix the secret where the signer reads it, e.g. trim the file or the environment variable.",
    };
  }
}

/** Content-Types that clients send by default or most often. An empty text means none. */
export const CONTENT_TYPES: readonly string[] = [
  "",
  "application/octet-stream",
  "binary/octet-stream",
  "text/plain",
  "application/json",
  "application/x-www-form-urlencoded",
  "image/jpeg",
  "image/png",
  "application/pdf",
  "text/plain;charset=UTF-8",
  "text/plain; charset=utf-8",
  "application/json; charset=utf-8",
];
