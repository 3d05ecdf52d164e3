import type { PutObject } from "../../../operations/put-object.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { contentLength, readIfMatch, storedHeaders } from "../../request-fields.ts";
import { notImplemented } from "../amz.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { addChecksumHeaders } from "../present.ts";

export const putObjectOperation: S3ObjectOperation<PutObject> = {
  name: "PutObject",
  method: "PUT",
  on: "object",
  amz: ["x-amz-sdk-checksum-algorithm"],
  readsBody: true,
  read(call, object) {
    const { received, permit, metadata, body, limits } = call;
    const { fields, request } = received;
    const { grant } = permit;
    const length = contentLength(fields);
    if (length === undefined) {
      throw new Refusal("LENGTH_REQUIRED", "expected Content-Length on an upload, found none: send it");
    }
    if (fields.ifModifiedSince !== undefined || fields.ifUnmodifiedSince !== undefined) {
      throw notImplemented(
        "header",
        fields.ifModifiedSince === undefined ? "If-Unmodified-Since" : "If-Modified-Since",
      );
    }
    if (fields.ifNoneMatch !== undefined && fields.ifNoneMatch.trim() !== "*")
      throw notImplemented("header", "If-None-Match");
    const headers = storedHeaders(request.headers);
    if (headers.contentEncoding !== undefined && /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.contentEncoding)) {
      throw notImplemented("header", "Content-Encoding");
    }
    return {
      operation: "put-object",
      object,
      body,
      contentLength: length,
      maxBytes: limits.body,
      minBytes: undefined,
      contentType: fields.contentType,
      headers,
      metadata,
      digests: declaredDigests(request.headers, grant),
      checksum: declaredChecksum(call),
      createOnly: fields.ifNoneMatch !== undefined || grant.obligations.some(({ kind }) => kind === "create-only"),
      ifMatch: readIfMatch(fields.ifMatch, () => notImplemented("header", "If-Match")),
    };
  },
  present({ info }, _, { requestId }) {
    const headers = ["etag", `"${info.etag}"`, "content-length", "0", "x-amz-request-id", requestId];
    addChecksumHeaders(headers, info);
    return { status: 200, headers, body: undefined };
  },
};
