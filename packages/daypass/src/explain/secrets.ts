import type { WireRequest } from "../core/contracts.ts";
import { decodeOr } from "./decoded.ts";
import { type EdgeExplainKey, edgeSecrets } from "./edge/keys.ts";
import type { ExplainKey } from "./explanation.ts";

/** The secrets of a key, which no text may show. */
export function secretsOf(key: ExplainKey): readonly string[] {
  return "scheme" in key ? edgeSecrets(key) : [secretOf(key)];
}

function secretOf(key: Exclude<ExplainKey, EdgeExplainKey>): string {
  if ("secretAccessKey" in key) return key.secretAccessKey;
  if ("accountKey" in key) return key.accountKey;
  if ("userDelegationKey" in key) return key.userDelegationKey.value;
  if ("client_email" in key) return "private_key" in key ? key.private_key : "";
  if ("accessKeySecret" in key) return key.accessKeySecret;
  if ("secretKey" in key) return key.secretKey;
  if ("keyPairId" in key) return "";
  if ("key" in key) return key.key;
  return key.kty === "oct" ? key.k : (key.d ?? "");
}

/** Whether a header contains a secret, such as a customer's encryption key. */
export function isSecretHeader(name: string): boolean {
  return /(?:-key|-token|authorization|cookie)$/i.test(name);
}

/** The secrets in the sent headers, including each cookie. */
export function secretsSent(headers: WireRequest["headers"]): readonly string[] {
  return headers.flatMap(([name, value]) => {
    if (!isSecretHeader(name)) return [];
    if (!/cookie$/i.test(name)) return [value];
    return [value, ...value.split(";").map((cookie) => cookie.slice(cookie.indexOf("=") + 1).trim())];
  });
}

const TOKEN = /(?:security|session)-token(?:=|:|%3D)([^&\n]*)/gi;

/**
 * The session tokens in a query and in a server's texts, in all spellings. The server's token can differ from the URL's (cut off,
 * or without its plus), and is nearly as usable.
 */
export function tokensIn(query: string, fields?: ReadonlyMap<string, string>): readonly string[] {
  const texts = [query, ...["CanonicalRequest", "StringToSign", "FormatString"].map((name) => fields?.get(name) ?? "")];
  const values = texts.flatMap((text) => [...text.matchAll(TOKEN)].map(([, value = ""]) => value.trim()));
  return [
    ...new Set(
      values
        .flatMap((value) => [value, decodeOr(value)])
        .flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encoded(value)]),
    ),
  ];
}

function encoded(text: string): string {
  // encodeURIComponent throws for half of a surrogate pair.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

/** The spellings of a secret parameter in texts. */
export function spellings(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value, encodeURIComponent(value)];
}
