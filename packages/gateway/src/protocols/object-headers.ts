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
import type { Permit } from "../permit.ts";
import type { Answer } from "../pipeline/outcome.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { ObjectInfo, RedirectOptions } from "../storage/contract/storage.ts";
import { isRangeGranted } from "./request-fields.ts";

/** Headers that depend on the object alone: alternating names and values. */
export type DescribeObject = (info: ObjectInfo) => readonly string[];

export type DescribeOptions = Pick<ContentHeaderOptions, "asStored">;

/** How a dialect writes the headers of objects. */
export interface HeaderStyle {
  /** Memoised for each `ObjectInfo`: writing the headers costs more than the rest of a small answer. */
  readonly describe: DescribeObject;
  readonly extra: DescribeObject;
  readonly asStored: boolean;
}

/** @param extra further headers that depend on the object alone */
export function headerStyle(extra: DescribeObject, { asStored = false }: DescribeOptions = {}): HeaderStyle {
  const known = new WeakMap<ObjectInfo, readonly string[]>();
  const describe: DescribeObject = (info) => {
    let headers = known.get(info);
    if (headers === undefined) {
      headers = [...describeHeaders(info, {}, asStored), ...extra(info)];
      known.set(info, headers);
    }
    return headers;
  };
  return { describe, extra, asStored };
}

/** The headers of an object. Overrides replace the stored values. */
function describeHeaders(info: ObjectInfo, overrides: Partial<ContentFields>, asStored: boolean): string[] {
  const headers = [
    "ETag",
    `"${info.etag}"`,
    "Last-Modified",
    formatHttpDate(info.lastModified.getTime()),
    "Accept-Ranges",
    "bytes",
  ];
  const stored = { contentType: info.contentType, ...info.headers };
  for (const [name, value] of contentHeaders(stored, { overrides, asStored })) {
    // Cache-Control depends on the remaining lifetime, so each answer has its own.
    if (name !== "cache-control") headers.push(capitalised(name), value);
  }
  return headers;
}

/** `Content-Type` for `content-type`. JetS3t for Java compares names by case and read every object as empty. */
function capitalised(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

export interface ObjectPresentation {
  readonly permit: Permit<Grant & { readonly signedHeaders: readonly string[] }>;
  readonly style: HeaderStyle;
  /** Whether the client may be redirected to the bytes. */
  mayRedirect(): boolean;
}

/** The answer of GET and HEAD on an object, without the headers that identify the request. */
export function presentRead(result: ObjectRead, presentation: ObjectPresentation): Answer {
  const { info, range, notModified } = result;
  const { grant, at } = presentation.permit;
  const { describe, extra, asStored } = presentation.style;
  let { body } = result;
  const overrides = responseOverrides(grant);
  const secondsLeft = Math.floor((grant.expiresAt.getTime() - at) / 1000);
  if (body?.kind === "redirect") {
    if (secondsLeft >= 1 && !isRangeGranted(grant) && presentation.mayRedirect()) {
      return redirectTo(body.url({ maxLife: secondsLeft, response: redirectHeaders(info, overrides) }));
    }
    body = body.bytes();
  }
  const headers =
    overrides === undefined ? describe(info).slice() : [...describeHeaders(info, overrides, asStored), ...extra(info)];
  const cached = overrides?.cacheControl ?? info.headers.cacheControl;
  if (asStored) {
    if (cached !== undefined) headers.push("Cache-Control", cached);
  } else if (cached === undefined) headers.push("Cache-Control", `private, max-age=${Math.max(secondsLeft, 0)}`);
  else headers.push("Cache-Control", cacheControl(cached, secondsLeft));
  if (notModified) return { status: 304, headers, body };
  if (range === undefined) {
    headers.push("Content-Length", String(info.size));
    return { status: 200, headers, body };
  }
  const length = String(range.end - range.start + 1);
  headers.push("Content-Length", length, "Content-Range", contentRange(range, info.size));
  return { status: 206, headers, body };
}

const OVERRIDES: Readonly<Record<string, keyof ContentFields>> = {
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "content-language": "contentLanguage",
  "content-type": "contentType",
  expires: "expires",
};

/** The signed response headers that a grant obliges the server to send; `undefined` if there are none. */
export function responseOverrides({ obligations }: Grant): Partial<ContentFields> | undefined {
  const obligation = obligations.find(({ kind }) => kind === "response");
  if (obligation?.kind !== "response") return undefined;
  const overrides: { -readonly [field in keyof ContentFields]?: string } = {};
  for (const [name, value] of Object.entries(obligation.headers)) {
    const field = OVERRIDES[name];
    if (field === undefined || !isHeaderValue(value)) {
      throw new Refusal("INVALID_RESPONSE_HEADER", `response-${name} cannot be sent as a header. Sign another value`, {
        parameter: `response-${name}`,
      });
    }
    overrides[field] = value;
  }
  return overrides;
}

/**
 * The response headers that the other server must send: the signer's overrides, and the headers that stop active content from being
 * shown. The judged type is sent along, because a writer may replace the object before the client follows the redirect.
 */
function redirectHeaders(info: ObjectInfo, overrides: Partial<ContentFields> = {}): RedirectOptions["response"] {
  const stored = { contentType: info.contentType, ...info.headers };
  const contentType = overrides.contentType ?? stored.contentType;
  if (isInlineSafe(contentType)) return { ...overrides, contentType };
  return {
    ...overrides,
    contentDisposition: new Map(contentHeaders(stored, { overrides })).get("content-disposition"),
  };
}

/** The URL was signed for this request alone, so no cache may store the answer. */
function redirectTo(location: string): Answer {
  const headers = ["location", location, "cache-control", "no-store", "referrer-policy", "no-referrer"];
  return { status: 307, headers: [...headers, "content-length", "0"], body: undefined };
}
