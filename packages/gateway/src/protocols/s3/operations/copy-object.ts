import type { CopyObject } from "../../../operations/copy-object.ts";
import type { PermittedObject } from "../../../permit.ts";
import { invalidArgument, invalidCombination } from "../arguments.ts";
import { checksumAlgorithm } from "../checksums.ts";
import { COPY_SOURCE, COPY_SOURCE_FIELDS, readCopySource, readSourceConditions } from "../copy-source.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { checksumElements, quoted } from "../present.ts";
import { readUploadTags, TAGGING } from "../tags.ts";
import { readStoredHeaders, readWriteConditions } from "../write-fields.ts";
import { xmlAnswer } from "../xml.ts";

const METADATA_DIRECTIVE = "x-amz-metadata-directive";
const TAGGING_DIRECTIVE = "x-amz-tagging-directive";
const CHECKSUM_ALGORITHM = "x-amz-checksum-algorithm";

export const copyObjectOperation: S3ObjectOperation<CopyObject> = {
  name: "CopyObject",
  action: "s3:PutObject",
  method: "PUT",
  on: "object",
  header: COPY_SOURCE,
  amz: [...COPY_SOURCE_FIELDS, METADATA_DIRECTIVE, TAGGING_DIRECTIVE, CHECKSUM_ALGORITHM, TAGGING],
  conditional: true,
  readsBody: false,
  mayTakeLong: true,
  read(call, object) {
    const { received, metadata, amz, limits } = call;
    const source = readCopySource(call);
    const replacesMetadata = isReplace(call, METADATA_DIRECTIVE, "Unknown metadata directive.");
    const replacesTags = isReplace(call, TAGGING_DIRECTIVE, "Unknown tagging directive.");
    if (isSame(source, object) && !replacesMetadata) {
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
      // Without the directive tags come from the source, whatever else the request says.
      tags: replacesTags ? (readUploadTags(call, object) ?? {}) : undefined,
      checksum: algorithm === undefined ? undefined : checksumAlgorithm(algorithm, CHECKSUM_ALGORITHM),
      maxBytes: limits.body,
    };
  },
  present: ({ info }, _, { requestId }) =>
    xmlAnswer({
      root: "CopyObjectResult",
      elements: [["LastModified", info.lastModified], ["ETag", quoted(info.etag)], ...checksumElements(info)],
      requestId,
    }),
};

function isReplace({ amz }: S3Call, directive: string, text: string): boolean {
  const value = amz.get(directive) ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE") throw invalidArgument(directive, value, text);
  return value === "REPLACE";
}

function isSame(a: PermittedObject, b: PermittedObject): boolean {
  return a.bucket === b.bucket && a.key === b.key;
}
