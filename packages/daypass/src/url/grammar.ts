import { uriEncode } from "../encode.ts";
import { percentDecode } from "../wire.ts";

/** The longest target that is read, in bytes. */
export const MAX_TARGET = 8192;

const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/;
// A segment ends for some servers at ";" ("/a/..;/b" is "/a/../b" for them), so the part before it is what must be real.
const EMPTY_SEGMENT = /\/[;/]/;
const DOT_SEGMENT = /\/\.\.?(?:[;/]|$)/;
// Controls, DEL, "/", "\" and the unreserved bytes A-Za-z0-9-._~, which RFC 3986 section 2.3 says to leave as they are.
const NEEDLESS_ESCAPE = /%(?:[01][0-9A-F]|2[DEF]|3[0-9]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF]|C2%[89][0-9A-F])/;

/** Whether a path has a segment that URL parsers remove. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

/** Rules 2.1 to 2.3: segments that every URL parser and every server leaves alone. */
export function isPath(path: string): boolean {
  if (!PATH.test(path) || EMPTY_SEGMENT.test(path) || DOT_SEGMENT.test(path)) return false;
  return !path.includes("%") || (!NEEDLESS_ESCAPE.test(path) && isUtf8(path));
}

/** Rule 2.4: what the holder of a prefix URL chooses. Some servers would cut it at ";" or decode it twice. */
export function isRest(rest: string): boolean {
  return !/;|%25[0-9A-Fa-f]{2}/.test(rest);
}

const QUERY = /^(?:[A-Za-z0-9\-._~!$()*+,;=:@/?&]|%[0-9A-Fa-f]{2})+$/;
const EMPTY_TOKEN = /^&|&&|&$/;

/** The query as a whole: its characters, that no token is empty, and rule 2.3. */
export function isQuery(query: string): boolean {
  return QUERY.test(query) && !EMPTY_TOKEN.test(query) && (!query.includes("%") || isUtf8(query));
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
const RESERVED_TOKEN = /(?:^|&)(?:[dD]|%[46]4)(?:[pP]|%[57]0)(?:-|%2[dD])/;

/** Rule 2.5: whether a token of a raw query has a name that, decoded and in lower case, starts with "dp-". */
export function hasReserved(query: string): boolean {
  return RESERVED_TOKEN.test(query);
}

const PLAIN_TEXT = /^[A-Za-z0-9*._-]+$/;

/**
 * Rule 3.3: UTF-8 with every byte other than A-Za-z0-9*-._ as %XX, which is what URLSearchParams writes too, so a host
 * that re-serialises the query leaves it alone. Throws `INVALID_INPUT` for half of a surrogate pair.
 */
export function encodeText(text: string): string {
  return PLAIN_TEXT.test(text) ? text : uriEncode(text).replaceAll("~", "%7E").replaceAll("%2A", "*");
}

/** The text of a value in that spelling, or `undefined` for any other spelling and for spaces and controls. */
export function decodeText(value: string): string | undefined {
  if (PLAIN_TEXT.test(value)) return value;
  const text = percentDecode(value);
  return text !== "" && !/[ \p{Cc}]/u.test(text) && encodeText(text) === value ? text : undefined;
}

/** {@link decodeText} for what stands in a header: visible ASCII. */
export function decodeHeaderText(value: string): string | undefined {
  const text = decodeText(value);
  return text !== undefined && /^[!-~]+$/.test(text) ? text : undefined;
}

/** Rule 3.5: the items of a list, or `undefined` where one does not match or they are not strictly ascending. */
export function splitList(value: string, item: RegExp): readonly string[] | undefined {
  const items = value.split(".");
  // Items are ASCII, so the order of UTF-16 units is the order of bytes.
  const ascending = items.every((text, i) => item.test(text) && (i === 0 || (items[i - 1] as string) < text));
  return ascending ? items : undefined;
}

/** Joins the items of a list: each once, in ascending order. */
export function joinList(items: readonly string[]): string {
  return [...new Set(items)].sort().join(".");
}
