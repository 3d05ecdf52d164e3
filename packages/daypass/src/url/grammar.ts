import { isDaypassError } from "../errors.ts";
import { percentDecode } from "../wire.ts";

/** The longest target that is read, in bytes. */
export const MAX_TARGET = 8192;

/** Why a text is not in the one spelling that is signed, and what to do about it; `undefined` where it is. */
export type Fault = string | undefined;

const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/;
// Controls, DEL, "/", "\" and the unreserved bytes A-Za-z0-9-._~, of which RFC 3986 section 2.3 says "should not be created".
const NEEDLESS_ESCAPE = /%(?:[01][0-9A-F]|2[DEF]|3[0-9]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF]|C2%[89][0-9A-F])/;
// A segment ends for some servers at ";" ("/a/..;/b" is "/a/../b" for them), so the part before it is what must be real.
const EMPTY_SEGMENT = /\/[;/]/;
const DOT_SEGMENT = /\/\.\.?(?:[;/]|$)/;
const QUERY = /^(?:[A-Za-z0-9\-._~!$()*+,;=:@/?&]|%[0-9A-Fa-f]{2})+$/;
const EMPTY_TOKEN = /^&|&&|&$/;

/** Whether a path has a segment that URL parsers remove. */
export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

/** The path: segments that every URL parser and every server leaves alone (N3 of the draft, "Path" on the page). */
export function pathFault(path: string): Fault {
  if (!PATH.test(path))
    return "percent-encode every byte of the path that is not a pchar of RFC 3986, %XX in upper case";
  if (EMPTY_SEGMENT.test(path)) return "only the last segment of the path may be empty";
  if (DOT_SEGMENT.test(path)) return 'a path has no "." and ".." segments';
  if (!path.includes("%")) return undefined;
  if (NEEDLESS_ESCAPE.test(path)) return 'a path does not percent-encode unreserved characters, "/", "\\" or controls';
  return utf8Fault(path);
}

/** What the holder of a prefix URL chooses: some servers would cut it at ";" or decode it twice. */
export function restFault(rest: string): Fault {
  return rest.includes(";") || /%25[0-9A-Fa-f]{2}/.test(rest)
    ? 'below a prefix a path has no ";" and no doubly encoded byte (%25XX)'
    : undefined;
}

/** The query as a whole: its characters, and that no token is empty. */
export function queryFault(query: string): Fault {
  if (!QUERY.test(query))
    return "percent-encode every byte of the query that RFC 3986 does not allow there, and `'` as %27";
  if (EMPTY_TOKEN.test(query)) return "a query has no empty parameter: remove the needless `&`";
  return query.includes("%") ? utf8Fault(query) : undefined;
}

function utf8Fault(text: string): Fault {
  try {
    percentDecode(text);
    return undefined;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return "percent-encoded bytes have to be UTF-8";
  }
}

// "d", "p" and "-" in any case and either spelling: "dp%2Dip" and "DP-IP" are parameters for somebody, so nobody may
// smuggle them past the signature.
const RESERVED = /^(?:[dD]|%[46]4)(?:[pP]|%[57]0)(?:-|%2[dD])/;
const RESERVED_TOKEN = /(?:^|&)(?:[dD]|%[46]4)(?:[pP]|%[57]0)(?:-|%2[dD])/;

/** Whether a raw parameter name is, decoded and in lower case, one that starts with "dp-". */
export function isReserved(name: string): boolean {
  return RESERVED.test(name);
}

/** Whether any token of a raw query has a reserved name. */
export function hasReserved(query: string): boolean {
  return RESERVED_TOKEN.test(query);
}

const PLAIN_TEXT = /^[A-Za-z0-9*._-]+$/;
const HEADER_TEXT = /^[\x21-\x7e]+$/;

/**
 * Text as a parameter's value: UTF-8 with every byte other than A-Za-z0-9*-._ as %XX, which is what URLSearchParams
 * writes too, so a host that re-serialises the query leaves it alone.
 */
export function encodeText(text: string): string {
  if (PLAIN_TEXT.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The text of a value in that spelling, or `undefined` for any other spelling. */
export function decodeText(value: string): string | undefined {
  if (PLAIN_TEXT.test(value)) return value;
  if (utf8Fault(value) !== undefined) return undefined;
  const text = percentDecode(value);
  return isText(text) && encodeText(text) === value ? text : undefined;
}

/** Not empty, no space (URLSearchParams would make it a "+"), no control character, no half of a surrogate pair. */
export function isText(text: string): boolean {
  if (text === "") return false;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point <= 0x20 || (point >= 0x7f && point <= 0x9f) || (point >= 0xd800 && point <= 0xdfff)) return false;
    if (point > 0xffff) i++;
  }
  return true;
}

/** Text that can stand in a header: visible ASCII. */
export function isHeaderText(text: string): boolean {
  return HEADER_TEXT.test(text);
}

/** Joins the items of a list: each once, in ascending byte order, with ".". */
export function joinList(items: Iterable<string>): string {
  return [...new Set(items)].sort().join(".");
}

/** The items of a list whose every item matches, or `undefined` where they are not strictly ascending. */
export function splitList(value: string, item: RegExp): readonly string[] | undefined {
  const items = value.split(".");
  for (let i = 0; i < items.length; i++) {
    const text = items[i] as string;
    // Items are ASCII, so the order of UTF-16 units is the order of bytes.
    if (!item.test(text) || (i > 0 && (items[i - 1] as string) >= text)) return undefined;
  }
  return items;
}
