/**
 * The headers of stored bytes: the choice of the uploader or the signer, made safe for browsers.
 *
 * User content must never become a page of the origin that serves it (the stored XSS of CVE-2018-16477 and CVE-2026-28683):
 * nothing is sniffed, only passive types are shown inline, and everything else is an attachment in an empty sandbox.
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
  /** Signed response overrides; each replaces the stored field. Check them with `isHeaderValue` first. */
  readonly overrides?: Partial<ContentFields> | undefined;
  /** Seconds until the grant expires; `undefined` for a grant that does not (a request signed in its headers). */
  readonly secondsLeft?: number | undefined;
  /**
   * Sends the stored or overridden fields unchanged, for a program that manages objects. Set this only for requests that a page cannot send
   * by navigating. The headers that keep a browser from running the bytes are sent all the same.
   */
  readonly asStored?: boolean | undefined;
}

/** Headers that every body of an object carries. */
const SAFE_SERVING: HeaderList = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
];

/** Only `type/subtype` and parameters: browsers read a value with a comma as the part after the comma. */
const MEDIA_TYPE =
  /^([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)[ \t]*(?:;[ \t]*[a-z0-9!#$&^_.+-]+=(?:[a-z0-9!#$&^_.+-]+|"[a-z0-9 !#$&^_.+-]*")[ \t]*)*$/i;

/** Types that run no script in the origin that serves them. SVG, XML and HTML can. */
const PASSIVE = new Set([
  "application/json",
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
  // "An XML MIME type is any MIME type whose subtype ends in "+xml"", even `video/x+xml`, and browsers load XML as a document.
  if (essence === undefined || essence.endsWith("+xml")) return false;
  return PASSIVE.has(essence) || essence.startsWith("audio/") || essence.startsWith("video/");
}

/** Whether a value can be sent in a header: no CR, LF or other control, and only ISO-8859-1. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\xa0-\xff]*$/.test(value);
}

/** The same for a received value: in UTF-8, which curl and Go send unencoded, the bytes from 0x80 to 0x9f are not controls. */
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

/** Returns a disposition as an attachment, with its file name. */
function asAttachment(disposition: string | undefined): string {
  // Browsers decode UTF-8 that was sent unencoded (curl, Go). Here, each of its bytes is a character.
  const parsed = disposition === undefined ? undefined : parseContentDisposition(utf8OfHeader(disposition));
  if (parsed === undefined) return "attachment";
  // An attachment in plain ASCII is sent unchanged.
  if (parsed.type === "attachment" && disposition !== undefined && /^[\t\x20-\x7e]*$/.test(disposition))
    return disposition;
  return contentDisposition("attachment", parsed.filename);
}

/** Directives that do not extend the lifetime in a cache. */
const HARMLESS = new Set(["no-store", "no-cache", "must-revalidate", "no-transform", "immutable", "private"]);

/**
 * Returns `Cache-Control` so that no shared cache stores the response, and no cache keeps it longer than the grant. A safe wish is returned
 * unchanged; otherwise its harmless directives stay and its `max-age` is reduced.
 * @param unstated seconds for a wish without `max-age`: by default as long as the grant
 */
export function cacheControl(
  wish: string | undefined,
  secondsLeft: number | undefined,
  unstated: number = Number.POSITIVE_INFINITY,
): string {
  // `no-cache="name"` is about one header. As a plain `no-cache` it is stricter.
  const wished = (wish ?? "").toLowerCase().replace(/\bno-cache=(?:"[^"]*"|[^,]*)/g, "no-cache");
  const directives = wished.split(",").map((part) => part.trim());
  const left = secondsLeft === undefined ? undefined : Math.max(0, Math.floor(secondsLeft));
  const stores = !directives.includes("no-store");
  const kept = directives.filter((directive) => HARMLESS.has(directive));
  if (wish !== undefined && !stores && kept.length === directives.length) return wish;
  const wishedAge = directives
    .map((directive) => /^max-age="?([0-9]+)"?$/.exec(directive)?.[1])
    .find((age) => age !== undefined);
  const age = Math.min(wishedAge === undefined ? unstated : Number(wishedAge), left ?? Number.POSITIVE_INFINITY);
  const rest = kept.filter((directive) => directive !== "private");
  // Without an expiry and a wish, the cache must revalidate each time.
  if (!Number.isFinite(age)) return ["private", ...new Set([...rest, "no-cache"])].join(", ");
  return ["private", `max-age=${age}`, ...rest].join(", ");
}
