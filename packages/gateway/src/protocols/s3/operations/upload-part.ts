import type { PutPart } from "../../../operations/put-part.ts";
import type { PartInfo } from "../../../storage/contract/multipart.ts";
import { readPartNumber } from "../arguments.ts";
import { declaredChecksum, declaredDigests } from "../checksums.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { quoted } from "../present.ts";
import { requestIdHeaders } from "../request-id.ts";
import { requiredLength } from "./put-object.ts";

export const uploadPartOperation: S3ObjectOperation<PutPart> = {
  name: "UploadPart",
  action: "s3:PutObject",
  method: "PUT",
  on: "object",
  selectors: ["uploadId", "partNumber"],
  amz: ["x-amz-sdk-checksum-algorithm"],
  readsBody: true,
  read(call, object) {
    return {
      operation: "put-part",
      object,
      ...readPartRef(call),
      body: call.payload.body,
      contentLength: requiredLength(call),
      maxBytes: call.limits.body,
      digests: declaredDigests(call),
      checksum: declaredChecksum(call),
    };
  },
  present({ part }, _, { requestId }) {
    const headers = ["ETag", quoted(part.etag), "content-length", "0", ...requestIdHeaders(requestId)];
    if (part.checksum !== undefined) headers.push(`x-amz-checksum-${part.checksum.algorithm}`, part.checksum.value);
    return { status: 200, headers, body: undefined };
  },
};

/** Which part of which upload. */
export function readPartRef({ parameters }: S3Call): {
  readonly uploadId: string;
  readonly number: PartInfo["number"];
} {
  return {
    number: readPartNumber(parameters.get("partNumber") ?? ""),
    uploadId: parameters.get("uploadId") ?? "",
  };
}
