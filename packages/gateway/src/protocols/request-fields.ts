/**
 * Header values that every dialect reads alike: conditions, ranges, digests and stored headers. A write with a condition that nothing
 * enforces is refused, because the write would happen all the same.
 * @module
 */
import { DaypassError, type WireRequest } from "daypass";
import type { Conditions } from "../http/conditional.ts";
import { isReceivedValue } from "../http/content-headers.ts";
import { parseEntityTag } from "../http/entity-tag.ts";
import { excerpt } from "../http/excerpt.ts";
import type { RangeRequest } from "../operations/get-object.ts";
import type { WriteConditions } from "../operations/write-conditions.ts";
import type { RequestFields } from "../pipeline/receive.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { StoredHeaders } from "../storage/contract/storage.ts";

/** The conditions of a read; `undefined` if there are none, as in most requests. */
export function readConditions(fields: RequestFields): Conditions | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = fields;
  return (ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince) === undefined
    ? undefined
    : { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince };
}

/** The part of a grant that lists its signed headers. */
type SignedHeaders = { readonly signedHeaders: readonly string[] };

/**
 * The range of a request. A signed range is what was granted: an unsigned `If-Range` could fail and would open the rest of the object.
 *
 * @throws {DaypassError} `UNSIGNED_HEADER`
 */
export function readRange({ range, ifRange }: RequestFields, grant: SignedHeaders): RangeRequest | undefined {
  if (range === undefined) return undefined;
  if (ifRange !== undefined && isRangeGranted(grant) && !grant.signedHeaders.includes("if-range")) {
    const message = "the header range is signed, and if-range is not. Sign it too, or leave it out";
    throw new DaypassError("UNSIGNED_HEADER", message, { details: { headers: ["if-range"] } });
  }
  return { range, ifRange };
}

/** Whether the grant covers only a part of an object. Such a request must not be redirected: the other server would send the whole. */
export function isRangeGranted({ signedHeaders }: SignedHeaders): boolean {
  return signedHeaders.includes("range");
}

/** The announced bytes; `undefined` without Content-Length. */
export function contentLength({ contentLength: text }: RequestFields): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw new Refusal("INVALID_REQUEST", `the header content-length is ${excerpt(text)}. Send a whole number of bytes`);
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
 * Refuses a value that no header can carry. A form field can have such a value; stored, it would make every download fail.
 *
 * @throws {Refusal} `INVALID_RESPONSE_HEADER`
 */
export function expectHeaderValue(name: string, value: string): void {
  if (isReceivedValue(value)) return;
  throw new Refusal("INVALID_RESPONSE_HEADER", `${name} contains a character that no header can have. Remove it`, {
    parameter: name,
  });
}

/**
 * The conditions of a write: `If-None-Match: *`, and `If-Match` with one tag. RFC 9110 §13.1.3 ignores `If-Modified-Since` with methods
 * other than GET and HEAD.
 *
 * @param unsupported creates the refusal of a header in a form that no storage can enforce
 * @throws {Refusal} the result of `unsupported`; `PRECONDITION_FAILED` for a weak tag
 */
export function readWriteConditions(
  { ifMatch, ifNoneMatch, ifUnmodifiedSince }: RequestFields,
  unsupported: (header: string) => Refusal,
): WriteConditions {
  // RFC 9110 §13.1.4: "A recipient MUST ignore If-Unmodified-Since if the request contains an If-Match header field".
  if (ifUnmodifiedSince !== undefined && ifMatch === undefined) throw unsupported("If-Unmodified-Since");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") throw unsupported("If-None-Match");
  return {
    createOnly: ifNoneMatch !== undefined,
    ifMatch: readIfMatch(ifMatch, () => unsupported("If-Match")),
  };
}

/** The ETag of a write's `If-Match` without quotes, or `*`. Storage compares one tag at the moment of commit, not a list. */
export function readIfMatch(value: string | undefined, unsupported: () => Refusal): string | undefined {
  const text = value?.trim();
  if (text === undefined || text === "*") return text;
  const tag = parseEntityTag(text);
  if (tag === undefined) {
    // Old SDKs send the tag without quotes.
    if (/^[\x21\x23-\x2b\x2d-\x7e]+$/.test(text)) return text;
    throw unsupported();
  }
  if (!tag.weak) return tag.opaque;
  // RFC 9110 §13.1.1: If-Match uses the strong comparison, which a weak tag never satisfies.
  throw new Refusal("PRECONDITION_FAILED", "If-Match has a weak ETag. Send a strong one", { condition: "If-Match" });
}

/**
 * Refuses an upload of a piece, which would replace the whole object. RFC 9110 §14.5: "An origin server SHOULD respond with a 400
 * (Bad Request) status code if it receives Content-Range on a PUT for a target resource that does not support partial PUT requests".
 *
 * @throws {Refusal} `INVALID_ARGUMENT`
 */
export function expectWhole({ contentRange }: RequestFields): void {
  if (contentRange === undefined) return;
  const message = `the upload has Content-Range ${excerpt(contentRange)}. Send the whole object without it, or upload in parts`;
  throw new Refusal("INVALID_ARGUMENT", message, {
    argument: "Content-Range",
    value: contentRange,
    text: "What is uploaded is stored whole: send it without Content-Range",
  });
}

/** The bytes of a declared digest: canonical base64 of exactly `length` bytes. */
export function bytesOfBase64(header: string, text: string, length: number): Uint8Array {
  let bytes = "";
  try {
    bytes = atob(text);
  } catch {
    // Refused below, like a wrong length or another spelling of the same bytes.
  }
  if (bytes.length !== length || btoa(bytes) !== text) {
    throw new Refusal("INVALID_DIGEST", `${header} is ${excerpt(text)}. Send ${length} bytes in base64`, {
      header,
      value: text,
    });
  }
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** The bytes of 64 hexadecimal digits. */
export function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
