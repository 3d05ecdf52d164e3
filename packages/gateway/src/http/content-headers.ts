/**
 * The headers under which stored bytes leave the gateway: what an uploader or a signer chose, made safe for a browser.
 *
 * User content must never become a page of the origin that serves it (the stored XSS of CVE-2018-16477 and CVE-2026-28683):
 * nothing is sniffed, only passive types are shown inline, and all else is an attachment in an empty sandbox.
 * @module
 */
import { contentDisposition, parseContentDisposition } from "./content-disposition.ts";
import { utf8OfHeader } from "./metadata.ts";

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The fields of an object that describe its bytes. */
export interface ContentFields {
  readonly contentType: string;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly expires?: string | undefined;
}

export interface ContentHeaderOptions {
  /** Signed response overrides; each takes the place of the stored field. Check them with `isHeaderValue` first. */
  readonly overrides?: Partial<ContentFields> | undefined;
  /** Seconds until the grant ends; `undefined` for a grant without an end (a request signed in its headers). */
  readonly secondsLeft?: number | undefined;
  /**
   * Fields go out as they were stored or overridden, for a program that manages objects. A page must not have been able to send the
   * request by navigating; what keeps a browser from running the bytes goes along all the same.
   */
  readonly asStored?: boolean | undefined;
}

/** Headers that every body of an object carries. */
const SAFE_SERVING: HeaderList = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
];

/** A type is `type/subtype` and parameters, and nothing else: with a comma in it a browser takes the part after the comma. */
const MEDIA_TYPE =
  /^([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)[ \t]*(?:;[ \t]*[a-z0-9!#$&^_.+-]+=(?:[a-z0-9!#$&^_.+-]+|"[a-z0-9 !#$&^_.+-]*")[ \t]*)*$/i;

/** Types that run nothing in the origin that serves them. SVG and every XML and HTML are not among them. */
const PASSIVE = new Set([
  "application/pdf",
  "image/apng",
  "image/avif",
  "image/bmp",
  "image/gif",
  "image/heic",
  "image/heif",
  "image/jpeg",
  "image/jxl",
  "image/png",
  "image/tiff",
  "image/vnd.microsoft.icon",
  "image/webp",
  "image/x-icon",
  "text/plain",
]);

/** Whether a browser may show this type inside the page's origin. */
export function isInlineSafe(contentType: string): boolean {
  const essence = MEDIA_TYPE.exec(contentType.trim())?.[1]?.toLowerCase();
  // "An XML MIME type is any MIME type whose subtype ends in "+xml"", be it `video/x+xml`; and HTML has those loaded as documents before it
  // asks for videos. Chromium downloads them.
  if (essence === undefined || essence.endsWith("+xml")) return false;
  return PASSIVE.has(essence) || essence.startsWith("audio/") || essence.startsWith("video/");
}

/** A header value that can be written as it is: no CR, LF or other control, and nothing beyond ISO-8859-1. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\xa0-\xff]*$/.test(value);
}

/** The same of a value as it came: in UTF-8, which curl and Go send as it is, the bytes from 0x80 to 0x9f are no controls. */
export function isReceivedValue(value: string): boolean {
  if (isHeaderValue(value)) return true;
  const text = /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? utf8OfHeader(value) : value;
  return text !== value && /^[\t\x20-\x7e\xa0-\u{10ffff}]*$/u.test(text);
}

/**
 * Builds the content headers of a GET or HEAD.
 *
 * @example
 * contentHeaders({ contentType: "text/html" }, { secondsLeft: 900 });
 * // content-type: text/html, content-disposition: attachment, content-security-policy: sandbox; default-src 'none', …
 */
export function contentHeaders(stored: ContentFields, options: ContentHeaderOptions = {}): HeaderList {
  const { overrides = {}, asStored = false, secondsLeft } = options;
  const contentType = overrides.contentType ?? stored.contentType;
  const inlineSafe = isInlineSafe(contentType);
  const disposition = overrides.contentDisposition ?? stored.contentDisposition;
  const headers: [string, string][] = [["content-type", contentType]];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) headers.push([name, value]);
  };
  add("content-disposition", inlineSafe || asStored ? disposition : asAttachment(disposition));
  add("content-encoding", overrides.contentEncoding ?? stored.contentEncoding);
  add("content-language", overrides.contentLanguage ?? stored.contentLanguage);
  const wish = overrides.cacheControl ?? stored.cacheControl;
  add("cache-control", asStored ? wish : cacheControl(wish, secondsLeft));
  add("expires", overrides.expires ?? stored.expires);
  // Without allow-scripts and allow-same-origin the sandbox is an opaque origin in which nothing runs.
  if (!inlineSafe) headers.push(["content-security-policy", "sandbox; default-src 'none'"]);
  return [...headers, ...SAFE_SERVING];
}

/** Keeps the file name of a disposition and takes its `inline` away. */
function asAttachment(disposition: string | undefined): string {
  // The name is written anew, so it is read as browsers read it: of UTF-8 that was sent as it is (curl, Go) each byte is a character here.
  const parsed = disposition === undefined ? undefined : parseContentDisposition(utf8OfHeader(disposition));
  if (parsed === undefined) return "attachment";
  // Sent as the signer wrote it where it already says so, in characters that a URL can hand on to another place.
  if (parsed.type === "attachment" && disposition !== undefined && /^[\t\x20-\x7e]*$/.test(disposition))
    return disposition;
  return contentDisposition("attachment", parsed.filename);
}

/** Directives that only make a cache more careful, or that do not lengthen a life. */
const HARMLESS = new Set(["no-store", "no-cache", "must-revalidate", "no-transform", "immutable", "private"]);

/**
 * A response lives in no shared cache and in no cache longer than the grant. A wish that stays within that is sent as it is;
 * of any other its harmless directives are kept and its `max-age` is cut.
 */
export function cacheControl(wish: string | undefined, secondsLeft: number | undefined): string {
  const directives = (wish ?? "").split(",").map((part) => part.trim().toLowerCase());
  const left = secondsLeft === undefined ? undefined : Math.max(0, Math.floor(secondsLeft));
  const stores = !directives.includes("no-store");
  const kept = directives.filter((directive) => HARMLESS.has(directive));
  if (wish !== undefined && !stores && kept.length === directives.length) return wish;
  const wished = directives
    .map((directive) => /^max-age="?([0-9]+)"?$/.exec(directive)?.[1])
    .find((age) => age !== undefined);
  const age = Math.min(
    wished === undefined ? Number.POSITIVE_INFINITY : Number(wished),
    left ?? Number.POSITIVE_INFINITY,
  );
  const rest = kept.filter((directive) => directive !== "private");
  // A grant without an end names no life either: ask again each time.
  if (!Number.isFinite(age)) return ["private", ...new Set([...rest, "no-cache"])].join(", ");
  return ["private", `max-age=${age}`, ...rest].join(", ");
}
