import { DaypassError, type WireRequest } from "daypass";
import type { Conditions } from "../http/conditional.ts";
import { isReceivedValue } from "../http/content-headers.ts";
import type { RangeRequest } from "../operations/get-object.ts";
import type { RequestFields } from "../pipeline/receive.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { StoredHeaders } from "../storage/contract/storage.ts";

/** The conditions of a request, `undefined` when it has none: most have none. */
export function readConditions(fields: RequestFields): Conditions | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = fields;
  if (
    ifMatch === undefined &&
    ifNoneMatch === undefined &&
    ifModifiedSince === undefined &&
    ifUnmodifiedSince === undefined
  ) {
    return undefined;
  }
  return { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince };
}

/** What tells of a grant which headers it binds. */
type BoundHeaders = { readonly signedHeaders: readonly string[] };

/**
 * The range of a request. Where it is signed it is the part that was granted, and an `If-Range` of the holder's own, which need not
 * hold, would open the rest.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER`
 */
export function readRange({ range, ifRange }: RequestFields, grant: BoundHeaders): RangeRequest | undefined {
  if (range === undefined) return undefined;
  if (ifRange !== undefined && isRangeGranted(grant) && !grant.signedHeaders.includes("if-range")) {
    throw new DaypassError(
      "UNSIGNED_HEADER",
      "expected if-range only where it is signed like the range, found it unsigned: leave it out or sign it",
      { details: { headers: ["if-range"] } },
    );
  }
  return { range, ifRange };
}

/** Whether a grant is for a part of an object: whoever else serves it has to be told, or would give the whole. */
export function isRangeGranted({ signedHeaders }: BoundHeaders): boolean {
  return signedHeaders.includes("range");
}

/** Bytes that the client announced; `undefined` where it did not. */
export function contentLength({ contentLength: text }: RequestFields): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw new Refusal("INVALID_REQUEST", "expected Content-Length as a number of bytes, found something else");
  }
  return Number(text);
}

const STORED: Readonly<Record<string, keyof StoredHeaders>> = {
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "content-language": "contentLanguage",
  expires: "expires",
};

/** The headers of an upload that every later download repeats. */
export function storedHeaders(headers: WireRequest["headers"]): StoredHeaders {
  const stored: { -readonly [field in keyof StoredHeaders]?: string } = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const field = Object.hasOwn(STORED, lower) ? STORED[lower] : undefined;
    if (field === undefined) continue;
    expectHeaderValue(lower, value);
    const previous = stored[field];
    stored[field] = previous === undefined ? value : `${previous}, ${value}`;
  }
  return stored;
}

/**
 * Refuses what no header can carry. The parser keeps it out of headers, and nothing does out of the fields of a form; stored, it
 * would make every download fail.
 *
 * @throws {Refusal} `INVALID_RESPONSE_HEADER`
 */
export function expectHeaderValue(name: string, value: string): void {
  if (isReceivedValue(value)) return;
  throw new Refusal("INVALID_RESPONSE_HEADER", `expected ${name} in characters that a header can carry, found others`, {
    parameter: name,
  });
}
