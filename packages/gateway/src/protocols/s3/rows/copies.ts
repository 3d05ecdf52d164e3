import type { Conditions } from "../../../http/conditional.ts";
import type { CopyObject } from "../../../operations/copy-object.ts";
import type { CopyPart } from "../../../operations/copy-part.ts";
import type { PermittedObject } from "../../../permit.ts";
import { permitObject } from "../../../pipeline/authorize.ts";
import type { ByteRange, ObjectRef } from "../../../storage/contract/storage.ts";
import { checksumElements, partChecksumElements, quoted, xmlAnswer } from "../answers.ts";
import { expectNullVersion, invalidArgument, invalidCombination } from "../arguments.ts";
import { checksumAlgorithm } from "../checksums.ts";
import { onObject, type S3Call, type S3Row } from "../row.ts";
import { readUploadTags, TAGGING } from "../tags.ts";
import { readStoredHeaders, readWriteConditions } from "./objects.ts";
import { readPartRef } from "./uploads.ts";

const COPY_SOURCE = "x-amz-copy-source";
const RANGE = "x-amz-copy-source-range";
const METADATA_DIRECTIVE = "x-amz-metadata-directive";
const TAGGING_DIRECTIVE = "x-amz-tagging-directive";
const CHECKSUM_ALGORITHM = "x-amz-checksum-algorithm";

const IF_MATCH = "x-amz-copy-source-if-match";
const IF_NONE_MATCH = "x-amz-copy-source-if-none-match";
const IF_MODIFIED_SINCE = "x-amz-copy-source-if-modified-since";
const IF_UNMODIFIED_SINCE = "x-amz-copy-source-if-unmodified-since";
const SOURCE_CONDITIONS = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

export const copyRows: readonly S3Row[] = [
  onObject<CopyPart>({
    name: "UploadPartCopy",
    action: "s3:PutObject",
    method: "PUT",
    selectors: ["uploadId", "partNumber"],
    header: COPY_SOURCE,
    amz: [...SOURCE_CONDITIONS, RANGE],
    mayTakeLong: true,
    read(call, object) {
      const range = call.amz.get(RANGE);
      return {
        operation: "copy-part",
        object,
        ...readPartRef(call),
        source: readCopySource(call),
        conditions: readSourceConditions(call),
        range: range === undefined ? undefined : readCopyRange(range),
        maxBytes: call.limits.body,
      };
    },
    present: (part, exchange) =>
      xmlAnswer(exchange, {
        root: "CopyPartResult",
        content: { LastModified: part.lastModified, ETag: quoted(part.etag), ...partChecksumElements(part) },
      }),
  }),
  onObject<CopyObject>({
    name: "CopyObject",
    action: "s3:PutObject",
    method: "PUT",
    header: COPY_SOURCE,
    amz: [...SOURCE_CONDITIONS, METADATA_DIRECTIVE, TAGGING_DIRECTIVE, CHECKSUM_ALGORITHM, TAGGING],
    conditional: true,
    mayTakeLong: true,
    read(call, object) {
      const { received, metadata, amz, limits } = call;
      const source = readCopySource(call);
      const replacesMetadata = isReplace(call, METADATA_DIRECTIVE, "Unknown metadata directive.");
      const replacesTags = isReplace(call, TAGGING_DIRECTIVE, "Unknown tagging directive.");
      if (source.bucket === object.bucket && source.key === object.key && !replacesMetadata) {
        throw invalidCombination(
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        );
      }
      const algorithm = amz.get(CHECKSUM_ALGORITHM);
      return {
        operation: "copy-object",
        source,
        object,
        conditions: readSourceConditions(call),
        ...readWriteConditions(call),
        replace: replacesMetadata
          ? { contentType: received.fields.contentType, headers: readStoredHeaders(call), metadata }
          : undefined,
        // Without the directive the tags of the source are copied, even if the request has tags.
        tags: replacesTags ? (readUploadTags(call, object) ?? {}) : undefined,
        checksum: algorithm === undefined ? undefined : checksumAlgorithm(algorithm, CHECKSUM_ALGORITHM),
        maxBytes: limits.body,
      };
    },
    present: (info, exchange) =>
      xmlAnswer(exchange, {
        root: "CopyObjectResult",
        content: { LastModified: info.lastModified, ETag: quoted(info.etag), ...checksumElements(info) },
      }),
  }),
];

function isReplace({ amz }: S3Call, directive: string, text: string): boolean {
  const value = amz.get(directive) ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE") throw invalidArgument(directive, value, text);
  return value === "REPLACE";
}

/**
 * The source of a copy, permitted as a separate read: a key that may write one object may not therefore read every other
 * (CVE-2026-54330). The source is a name in this storage; nothing is fetched.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 * @throws {Refusal} `INVALID_ARGUMENT`, `NO_SUCH_VERSION`, `KEY_TOO_LONG`
 */
function readCopySource({ amz, permit }: S3Call): PermittedObject {
  return permitObject(permit, parseCopySource(amz.get(COPY_SOURCE) ?? ""), { method: "GET", action: "s3:GetObject" });
}

/**
 * Reads `bucket/key` or `/bucket/key`, percent-encoded, with an optional `?versionId=…`. The version is removed before decoding, so an
 * encoded `?` belongs to the key. The rest is decoded once and then split, because many clients encode the slash after the bucket
 * (`encodeURIComponent`). A `+` is a space, as at Amazon: Go's `url.QueryEscape` writes a space so.
 */
export function parseCopySource(value: string): ObjectRef {
  // The signed text has one blank for several, and for a tab. A holder could add blanks and copy another key than was signed.
  if (/\t| {2}/.test(value))
    throw invalidArgument(COPY_SOURCE, value, "Blanks of a copy source must be encoded as %20");
  const [, encoded = "", version] = /^([^?]*)(?:\?versionId=([^&]*))?$/.exec(value) ?? [];
  const [, bucket = "", key = ""] = /^\/?([^/]+)\/(.+)$/s.exec(decoded(encoded, value)) ?? [];
  if (key === "") {
    const text = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
    throw invalidArgument(COPY_SOURCE, value, text);
  }
  expectNullVersion(version === undefined ? undefined : decoded(version, value), key);
  return { bucket, key };
}

function decoded(text: string, value: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw invalidArgument(COPY_SOURCE, value, "Invalid copy source encoding");
  }
}

/** The conditions on the source; `undefined` if there are none. */
function readSourceConditions({ amz }: S3Call): Conditions | undefined {
  if (!SOURCE_CONDITIONS.some((name) => amz.has(name))) return undefined;
  return {
    ifMatch: amz.get(IF_MATCH),
    ifNoneMatch: amz.get(IF_NONE_MATCH),
    ifModifiedSince: amz.get(IF_MODIFIED_SINCE),
    ifUnmodifiedSince: amz.get(IF_UNMODIFIED_SINCE),
  };
}

/** Unlike `Range`, it needs both ends, and is not cut to the end of the object. */
function readCopyRange(value: string): ByteRange {
  const [, first, last] = /^bytes=([0-9]{1,15})-([0-9]{1,15})$/.exec(value) ?? [];
  if (first !== undefined && last !== undefined && Number(first) <= Number(last)) {
    return { start: Number(first), end: Number(last) };
  }
  throw invalidArgument(
    RANGE,
    value,
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
  );
}
