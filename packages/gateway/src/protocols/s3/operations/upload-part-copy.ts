import type { CopyPart } from "../../../operations/copy-part.ts";
import type { ByteRange } from "../../../storage/contract/storage.ts";
import { invalidArgument } from "../arguments.ts";
import { COPY_SOURCE, COPY_SOURCE_FIELDS, readCopySource, readSourceConditions } from "../copy-source.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { partChecksumElements, quoted } from "../present.ts";
import { xmlAnswer } from "../xml.ts";
import { readPartRef } from "./upload-part.ts";

const RANGE = "x-amz-copy-source-range";

export const uploadPartCopyOperation: S3ObjectOperation<CopyPart> = {
  name: "UploadPartCopy",
  action: "s3:PutObject",
  method: "PUT",
  on: "object",
  selectors: ["uploadId", "partNumber"],
  header: COPY_SOURCE,
  amz: [...COPY_SOURCE_FIELDS, RANGE],
  readsBody: false,
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
  present: ({ part }, _, { requestId }) =>
    xmlAnswer({
      root: "CopyPartResult",
      elements: [["LastModified", part.lastModified], ["ETag", quoted(part.etag)], ...partChecksumElements(part)],
      requestId,
    }),
};

/** Unlike `Range` it needs both ends, and is not cut to what is there. */
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
