import type { PutObject } from "../../../operations/put-object.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { expectWhole } from "../../write-fields.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { addChecksumHeaders, quoted } from "../present.ts";
import { requestIdHeaders } from "../request-id.ts";
import { readUploadTags, TAGGING } from "../tags.ts";
import { readStoredHeaders, readWriteConditions } from "../write-fields.ts";

export const putObjectOperation: S3ObjectOperation<PutObject> = {
  name: "PutObject",
  action: "s3:PutObject",
  method: "PUT",
  on: "object",
  amz: ["x-amz-sdk-checksum-algorithm", TAGGING],
  conditional: true,
  readsBody: true,
  read(call, object) {
    const { received, metadata, payload, limits } = call;
    expectWhole(received.fields);
    return {
      operation: "put-object",
      object,
      contentLength: requiredLength(call),
      ...readWriteConditions(call),
      headers: readStoredHeaders(call),
      tags: readUploadTags(call, object),
      body: payload.body,
      maxBytes: limits.body,
      minBytes: undefined,
      contentType: received.fields.contentType,
      metadata,
      digests: declaredDigests(call),
      checksum: declaredChecksum(call),
    };
  },
  present({ info }, _, { requestId }) {
    const headers = ["ETag", quoted(info.etag), "content-length", "0", ...requestIdHeaders(requestId)];
    addChecksumHeaders(headers, info);
    return { status: 200, headers, body: undefined };
  },
};

/** S3 takes no body of unknown length. */
export function requiredLength({ payload: { length } }: S3Call): number {
  if (length !== undefined) return length;
  throw new Refusal("LENGTH_REQUIRED", "expected Content-Length on an upload, found none: send it");
}
