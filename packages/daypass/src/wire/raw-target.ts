import type { QueryToken, WireRequest, WireTarget } from "../core/contracts.ts";
import { refusal } from "../core/errors.ts";

/**
 * Splits a raw request `target` at the first `?` and its query at `&` and the first `=` of each token. Nothing is
 * decoded or normalised: what is verified is exactly what was sent. Each scheme's grammar checks the characters of the
 * parts that it reads, most of which are compared with a fixed text or a pattern anyway.
 *
 * Source: RFC 3986 section 3.4, RFC 9112 section 3.2.1
 *
 * @throws {DaypassError} `MALFORMED`
 * @example
 * ```ts
 * import { parseTarget } from "daypass";
 *
 * console.log(parseTarget("/b/%2e%2e/a?x=1&y").tokens); // [{ name: "x", value: "1" }, { name: "y", value: undefined }]
 * ```
 */
export function parseTarget(target: string): WireTarget {
  // `#`: a fragment never reaches a server. `\`: some parsers read it as `/`.
  if (!target.startsWith("/") || target.includes("#") || target.includes("\\")) {
    throw refusal("MALFORMED", "the target does not begin with `/`, or has `#` or `\\`", { part: "target" });
  }
  const mark = target.indexOf("?");
  return mark < 0 ? new SplitTarget(target, "") : new SplitTarget(target.slice(0, mark), target.slice(mark + 1));
}

// A class for its getter: a scheme that knows the usual spelling of its query by heart never asks for the tokens.
class SplitTarget implements WireTarget {
  declare readonly path: string;
  declare readonly query: string;
  #tokens: readonly QueryToken[] | undefined;

  constructor(path: string, query: string) {
    this.path = path;
    this.query = query;
  }

  get tokens(): readonly QueryToken[] {
    this.#tokens ??= splitQuery(this.query);
    return this.#tokens;
  }
}

/** The most parameters that are read: as many as PHP reads. The longest presigned URLs have a few dozen. */
export const MAX_TOKENS = 1000;
// Characters of target and headers: longer than any server's default. What is read before a signature is known to be good
// must not take long to read.
const MAX_SIZE = 32_768;

/** Refuses a request that is too long to be read. */
export function checkSize({ target, headers }: WireRequest): void {
  let size = target.length;
  // By index, here and below: taking a pair apart runs an iterator, and these loops see every header of every request.
  for (const header of headers) size += header[0].length + header[1].length;
  // A value without a length is refused.
  checkLimit(size, MAX_SIZE, "characters");
}

function checkLimit(found: number, limit: number, part: string): void {
  if (!(found <= limit))
    throw refusal("MALFORMED", `the request has ${found} ${part}, and ${limit} are accepted`, { part });
}

function splitQuery(query: string): readonly QueryToken[] {
  const tokens: QueryToken[] = [];
  const texts = query.split("&", MAX_TOKENS + 1);
  checkLimit(texts.length, MAX_TOKENS, "parameters");
  for (const text of texts) {
    if (text === "") continue;
    const equals = text.indexOf("=");
    tokens.push(
      equals < 0 ? { name: text, value: undefined } : { name: text.slice(0, equals), value: text.slice(equals + 1) },
    );
  }
  return tokens;
}

/** Tokens as they stood on the wire. */
export function joinTokens(tokens: readonly QueryToken[]): string {
  return tokens.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join("&");
}

const VISIBLE = /^[\x21-\x7e]*$/;

/**
 * Decodes `%XX` to UTF-8 text. The only percent-decoder of the library: a second decoder that disagrees about one byte would
 * let a signature for one resource open another.
 */
export function percentDecode(text: string): string {
  return decode(text, text);
}

/** {@link percentDecode} for a query part in the form spelling, where `+` stands for a space. */
export function formDecode(text: string): string {
  return decode(text, text.replaceAll("+", " "));
}

/** Decodes `spelled`, which is `text` but for spaces. */
function decode(text: string, spelled: string): string {
  if (VISIBLE.test(text)) {
    if (!text.includes("%")) return spelled;
    try {
      return decodeURIComponent(spelled);
    } catch {
      // A `%` without two digits, or bytes that are not UTF-8.
    }
  }
  throw refusal("MALFORMED", "the target is not percent-encoded UTF-8", { part: "percent-encoding" });
}

/** Values of all header fields with this lower-case name, in the order received. */
export function headerValues(headers: readonly (readonly [string, string])[], name: string): readonly string[] {
  const values: string[] = [];
  for (const header of headers) {
    if (header[0].length === name.length && header[0].toLowerCase() === name) values.push(header[1]);
  }
  return values;
}

/**
 * A header's value without spaces and tabs at both ends. `trim` alone would remove more than RFC 9110 section 5.5 permits, a no-break space
 * among them, so a value with other bytes is returned unchanged.
 */
export function trimBlank(value: string): string {
  return /[^\t -~]/.test(value) ? value : value.trim();
}

/** Values of header fields, in the order received, by their lower-case names. */
export type GroupedHeaders = ReadonlyMap<string, readonly string[]>;

/**
 * The values of all header fields by their lower-case names: for who looks up names that a stranger has listed, or all of a kind. To
 * search the headers for each name would be the work of one times the other.
 */
export function groupHeaders(headers: readonly (readonly [string, string])[]): GroupedHeaders {
  const groups = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!groups.get(lower)?.push(value)) groups.set(lower, [value]);
  }
  return groups;
}

/** The value of a header that may occur once, without blanks at its ends; empty if absent. */
export function oneHeader(headers: readonly (readonly [string, string])[], name: string): string {
  const [value = "", second] = headerValues(headers, name);
  if (second !== undefined) {
    throw refusal("MALFORMED", `the header ${name} is repeated. Send it once`, {
      parameter: name,
      problem: "duplicate",
    });
  }
  return trimBlank(value);
}

/** For query-signed requests: refuses a second signature in an `Authorization` header. */
export function refuseHeaderAuth(headers: readonly (readonly [string, string])[]): void {
  if (headerValues(headers, "authorization").length > 0) {
    throw refusal(
      "AMBIGUOUS_AUTHENTICATION",
      "the request has an Authorization header beside a signed query. Send one of them",
    );
  }
}
