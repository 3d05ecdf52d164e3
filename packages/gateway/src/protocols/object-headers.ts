import type { Grant } from "daypass";
import {
  type ContentFields,
  type ContentHeaderOptions,
  cacheControl,
  contentHeaders,
  isHeaderValue,
  isInlineSafe,
} from "../http/content-headers.ts";
import { formatHttpDate } from "../http/date.ts";
import { contentRange } from "../http/range.ts";
import type { ObjectRead } from "../operations/get-object.ts";
import type { Answer } from "../pipeline/outcome.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ObjectInfo, RedirectBody } from "../storage/contract/storage.ts";

/** Headers that follow from the object alone, names and values in turn. */
export type DescribeObject = (info: ObjectInfo) => readonly string[];

export type DescribeOptions = Pick<ContentHeaderOptions, "asStored">;

/**
 * Keeps the headers of each object for as long as the driver keeps its `ObjectInfo`: writing them down costs more than the
 * rest of a small answer.
 */
export function memoisedHeaders(extra: DescribeObject, { asStored = false }: DescribeOptions = {}): DescribeObject {
  const known = new WeakMap<ObjectInfo, readonly string[]>();
  return (info) => {
    let headers = known.get(info);
    if (headers === undefined) {
      headers = [...describe(info, {}, asStored), ...extra(info)];
      known.set(info, headers);
    }
    return headers;
  };
}

/** The headers of an object with response overrides, which replace what was stored. */
export function overriddenHeaders(
  info: ObjectInfo,
  overrides: Partial<ContentFields>,
  { asStored = false }: DescribeOptions = {},
): string[] {
  return describe(info, overrides, asStored);
}

function describe(info: ObjectInfo, overrides: Partial<ContentFields>, asStored: boolean): string[] {
  const headers = [
    "ETag",
    `"${info.etag}"`,
    "Last-Modified",
    formatHttpDate(info.lastModified.getTime()),
    "Accept-Ranges",
    "bytes",
  ];
  for (const [name, value] of contentHeaders(
    { contentType: info.contentType, ...info.headers },
    { overrides, asStored },
  )) {
    // Depends on the life that is left, so each answer has its own.
    if (name !== "cache-control") headers.push(spelled(name), value);
  }
  return headers;
}

/** `content-type` as `Content-Type`, which is the same. JetS3t for Java keeps headers by these letters, and took each object for an empty one. */
function spelled(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** The rest of a 200, 206 or 304: what depends on this request. Appends to `headers`. */
export function addDelivery(
  headers: string[],
  { info, range, notModified }: ObjectRead,
  cache: { readonly wish: string | undefined; readonly secondsLeft: number } | { readonly stored: string | undefined },
): void {
  if (!("stored" in cache)) {
    headers.push(
      "Cache-Control",
      cache.wish === undefined
        ? `private, max-age=${Math.max(cache.secondsLeft, 0)}`
        : cacheControl(cache.wish, cache.secondsLeft),
    );
  } else if (cache.stored !== undefined) headers.push("Cache-Control", cache.stored);
  if (notModified) return;
  if (range === undefined) {
    headers.push("Content-Length", String(info.size));
  } else {
    headers.push(
      "Content-Length",
      String(range.end - range.start + 1),
      "Content-Range",
      contentRange(range, info.size),
    );
  }
}

const OVERRIDES: Readonly<Record<string, keyof ContentFields>> = {
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "content-language": "contentLanguage",
  "content-type": "contentType",
  expires: "expires",
};

/** The response headers that a grant obliges to send; they were signed. `undefined` when there are none. */
export function responseOverrides({ obligations }: Grant): Partial<ContentFields> | undefined {
  const obligation = obligations.find(({ kind }) => kind === "response");
  if (obligation?.kind !== "response") return undefined;
  const overrides: { -readonly [field in keyof ContentFields]?: string } = {};
  for (const [name, value] of Object.entries(obligation.headers)) {
    const field = OVERRIDES[name];
    if (field === undefined || !isHeaderValue(value)) {
      throw new Refusal(
        "INVALID_RESPONSE_HEADER",
        `expected a response header that can be sent, found ${name} with other characters`,
        {
          parameter: `response-${name}`,
        },
      );
    }
    overrides[field] = value;
  }
  return overrides;
}

export interface RedirectGrant {
  readonly overrides: Partial<ContentFields> | undefined;
  /** Seconds that are left of the grant. */
  readonly secondsLeft: number;
}

/**
 * Sends the client to where the bytes are. The place was signed for this one request, so nobody may keep it. What the signer chose as
 * response headers goes along, and so does what keeps active content from being shown. The URL ends with the grant: `undefined` where
 * none is short enough.
 */
export function redirect(
  body: RedirectBody,
  info: ObjectInfo,
  { overrides = {}, secondsLeft }: RedirectGrant,
): Answer | undefined {
  if (secondsLeft < 1) return undefined;
  const stored = { contentType: info.contentType, ...info.headers };
  const contentType = overrides.contentType ?? stored.contentType;
  // What was judged goes along: whoever may replace the object could else give another to those who have the URL by then.
  const response = isInlineSafe(contentType)
    ? { ...overrides, contentType }
    : { ...overrides, contentDisposition: new Map(contentHeaders(stored, { overrides })).get("content-disposition") };
  const location = body.url({ maxLife: secondsLeft, response });
  return {
    status: 307,
    headers: [
      "location",
      location,
      "cache-control",
      "no-store",
      "referrer-policy",
      "no-referrer",
      "content-length",
      "0",
    ],
    body: undefined,
  };
}
