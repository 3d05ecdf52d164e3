import { uriEncode } from "../../wire/encoding.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** The longest target that is read, in bytes. */
export const MAX_TARGET = 8192;

// Characters alone: that two digits of hexadecimal follow each "%" shows when it is decoded.
const PATH = /^\/[\w\-.~!$&'()*+,;=:@/%]*$/;
// A segment ends for some servers at ";" ("/a/..;/b" is "/a/../b" for them), so the part before it is what must be real.
const DOT_SEGMENT = /\/\.\.?(?:[;/]|$)/;
// An empty segment. Escapes of controls, DEL, "/", "\" and the unreserved bytes A-Za-z0-9-._~, which RFC 3986 section 2.3
// says to leave as they are, and those in lower case.
const DISGUISED = /\/[;/]|%(?:[01]|2[DEF]|3\d|[46][^0]|5[^BDE]|7[^BCD]|C2%[89]|.?[a-f])/;

/** Whether a path has a segment that URL parsers remove. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

/** Rules 2.1 to 2.3: segments that every URL parser and every server leaves alone. */
export function isPath(path: string): boolean {
  return PATH.test(path) && !DOT_SEGMENT.test(path) && !DISGUISED.test(path) && isUtf8(path);
}

/**
 * Rule 3.4: the first segments of a path and a `/`, or `undefined` where it has no further segment or, rule 2.4, the holder
 * may not choose what follows: some servers would cut it at ";" or decode it twice.
 */
export function fixedPath(path: string, count: number): string | undefined {
  const segments = path.split("/");
  const rest = segments.splice(count + 1);
  return rest.length > 0 && !/;|%25[\dA-F]{2}/i.test(rest.join("/")) ? `${segments.join("/")}/` : undefined;
}

const QUERY = /^[\w\-.~!$()*+,;=:@/?&%]*$/;
const EMPTY_TOKEN = /^&|&&|&$/;

/** The query as a whole: its characters, that no token is empty, and rule 2.3. */
export function isQuery(query: string): boolean {
  return QUERY.test(query) && !EMPTY_TOKEN.test(query) && isUtf8(query);
}

function isUtf8(text: string): boolean {
  try {
    percentDecode(text);
    return true;
  } catch {
    return false;
  }
}

// "d", "p" and "-" in any case and either spelling: "dp%2Dip" and "DP-IP" are parameters for somebody, so nobody may
// smuggle them past the signature.
const RESERVED_TOKEN = /(?:^|&)(?:d|%[46]4)(?:p|%[57]0)(?:-|%2d)/i;

/** Rule 2.5: whether a token of a raw query has a name that, decoded and in lower case, starts with "dp-". */
export function hasReserved(query: string): boolean {
  return RESERVED_TOKEN.test(query);
}

/**
 * Rule 3.3: UTF-8 with every byte other than A-Za-z0-9*-._ as %XX, which is what URLSearchParams writes too, so a host
 * that re-serialises the query leaves it alone. Throws `INVALID_INPUT` for half of a surrogate pair.
 */
export function encodeText(text: string): string {
  return uriEncode(text).replaceAll("~", "%7E").replaceAll("%2A", "*");
}

/** The text of a value in that spelling, or `undefined` for any other spelling and for spaces and controls. */
export function decodeText(value: string): string | undefined {
  const text = percentDecode(value);
  return /^[^ \p{Cc}]+$/u.test(text) && encodeText(text) === value ? text : undefined;
}

/** {@link decodeText} for what stands in a header: visible ASCII. */
export function decodeHeaderText(value: string): string | undefined {
  const text = decodeText(value);
  return text && /^[!-~]+$/.test(text) ? text : undefined;
}

/** Rule 3.5: the items of a list, or `undefined` where one cannot be read or they are not strictly ascending. */
export function readList<T>(
  value: string,
  read: (item: string) => T | undefined,
  rank: (item: T) => string,
): readonly T[] | undefined {
  const items: T[] = [];
  let last = "";
  for (const text of value.split(".")) {
    const item = read(text);
    // What is compared has no character above U+00FF, so the order of UTF-16 units is the order of bytes.
    if (item === undefined || rank(item) <= last) return undefined;
    last = rank(item);
    items.push(item);
  }
  return items;
}

/** Joins the items of a list: each once, in ascending order. Without items there is no list. */
export function joinList(items: readonly string[]): string | undefined {
  return items.length > 0 ? [...new Set(items)].sort().join(".") : undefined;
}
