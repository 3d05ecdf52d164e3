import { sha1, sha1Hmac } from "#crypto/digests";
import { compareText } from "../../core/v4.ts";
import { hex, uriEncode } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";

/** The headers that act on COS: one that is not signed could turn an upload into a copy, or run a process on it. */
export function mustBeSigned(name: string): boolean {
  return /^(?:x-cos-|x-ci-|pic-operations$)/.test(name);
}

/** "Encode keys and convert them to lowercase": of parameters and headers alike. */
export function cosName(name: string): string {
  return uriEncode(name).toLowerCase();
}

const MIXED = "(?:versionId|uploadId|partNumber|image(?:Mogr2|View2|Info|Ave))";
const OWN_CASE = /* @__PURE__ */ new RegExp(`^${MIXED}(?:/[^A-Z]*)?$`);
const ANY_CASE = /* @__PURE__ */ new RegExp(`^${MIXED}(?:/|$)`, "i");

/**
 * Whether a parameter's name has the one case that is taken here: its documented one, lower case for nearly all. The
 * signature lower-cases names, so a holder could else turn `versionId` into a name that the server does not read.
 */
export function hasOwnCase(name: string): boolean {
  return OWN_CASE.test(name) || !(/[A-Z]/.test(name) || ANY_CASE.test(name));
}

interface Signed {
  /** `q-header-list` or `q-url-param-list`. */
  readonly list: string;
  /** `key=value` pairs, sorted by key. */
  readonly text: string;
}

/** "Sort the KeyList in lexicographical order"; "if a parameter has no value, its value is the empty text". */
export function cosPairs(pairs: readonly Parameter[]): Signed {
  const sorted = pairs
    .map(([name, value]): Parameter => [cosName(name), uriEncode(value)])
    .sort(([a], [b]) => compareText(a, b));
  return { list: sorted.map(([name]) => name).join(";"), text: sorted.map((pair) => pair.join("=")).join("&") };
}

/** Everything that a signature covers. */
export interface CosParts {
  readonly method: string;
  /** Decoded: "/" + key, or in path style "/bucket/key". */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Values without spaces at their ends. */
  readonly headers: readonly Parameter[];
  /** `<start>;<end>` in seconds since 1970. */
  readonly keyTime: string;
}

/**
 * HttpString → StringToSign → Signature, in COS's words. The path is the one part that may hold line feeds; as it is
 * followed by exactly two lines that hold none, no other path fits the same text.
 */
export function cosSignature(
  secretKey: string,
  { method, path, parameters, headers, keyTime }: CosParts,
): { readonly signature: string; readonly stringToSign: string } {
  const httpString = `${method.toLowerCase()}\n${path}\n${cosPairs(parameters).text}\n${cosPairs(headers).text}\n`;
  const stringToSign = `sha1\n${keyTime}\n${hex(sha1(httpString))}\n`;
  const signKey = hex(sha1Hmac(secretKey)(keyTime));
  return { signature: hex(sha1Hmac(signKey)(stringToSign)), stringToSign };
}
