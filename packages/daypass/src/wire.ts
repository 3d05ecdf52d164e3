import { DaypassError } from "./errors.ts";

/** One `name=value` of a raw query, in the spelling of the wire. */
export interface QueryToken {
  readonly name: string;
  /** `undefined` where the token has no `=`. */
  readonly value: string | undefined;
}

/** A raw request target, split but not decoded. */
export interface WireTarget {
  readonly path: string;
  /** What follows the first `?`, or the empty string. */
  readonly query: string;
  /** The tokens between `&`, in wire order. Empty ones are left out, as every server does. */
  readonly tokens: readonly QueryToken[];
}

// Visible ASCII without `#` (a fragment never reaches a server) and `\` (some parsers read it as `/`).
const TARGET = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;

/**
 * Splits a raw request target at the first `?` and its query at `&` and the first `=` of each token. Nothing is decoded
 * or normalised: what is verified stays what was sent.
 */
export function parseTarget(target: string): WireTarget {
  if (!TARGET.test(target)) {
    throw new DaypassError(
      "MALFORMED",
      "expected a request target that starts with `/` and has only visible ASCII other than `#` and `\\`; percent-encode all else",
      { details: { part: "target" } },
    );
  }
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: "", tokens: NO_TOKENS };
  const query = target.slice(mark + 1);
  return { path: target.slice(0, mark), query, tokens: splitQuery(query) };
}

const NO_TOKENS: readonly QueryToken[] = [];

function splitQuery(query: string): readonly QueryToken[] {
  const tokens: QueryToken[] = [];
  let start = 0;
  while (start < query.length) {
    let end = query.indexOf("&", start);
    if (end < 0) end = query.length;
    if (end > start) {
      const equals = query.indexOf("=", start);
      tokens.push(
        equals < 0 || equals >= end
          ? { name: query.slice(start, end), value: undefined }
          : { name: query.slice(start, equals), value: query.slice(equals + 1, end) },
      );
    }
    start = end + 1;
  }
  return tokens;
}

/**
 * Decodes `%XX` to UTF-8 text. The only percent-decoder of the library: a second one that disagrees about one byte would
 * let a signature for one resource open another.
 */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new DaypassError(
      "MALFORMED",
      "expected percent-encoded UTF-8, found a `%` without two hexadecimal digits or bytes that are not UTF-8",
      {
        details: { part: "percent-encoding" },
        cause,
      },
    );
  }
}

/** {@link percentDecode} for a query part in the form spelling, where `+` stands for a space. */
export function formDecode(text: string): string {
  return percentDecode(text.includes("+") ? text.replaceAll("+", " ") : text);
}

/** Values of all header fields with this lower-case name, in the order received. */
export function headerValues(headers: readonly (readonly [string, string])[], name: string): readonly string[] {
  const values: string[] = [];
  for (const [field, value] of headers) {
    if (field.length === name.length && field.toLowerCase() === name) values.push(value);
  }
  return values;
}

/** Whether a header field with this lower-case name is there. */
export function hasHeader(headers: readonly (readonly [string, string])[], name: string): boolean {
  for (const [field] of headers) if (field.length === name.length && field.toLowerCase() === name) return true;
  return false;
}
