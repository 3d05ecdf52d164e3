import type { AbortUpload } from "../../../operations/abort-upload.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const abortMultipartUploadOperation: S3ObjectOperation<AbortUpload> = {
  name: "AbortMultipartUpload",
  action: "s3:AbortMultipartUpload",
  method: "DELETE",
  on: "object",
  selectors: ["uploadId"],
  readsBody: false,
  read: ({ parameters }, object) => ({
    operation: "abort-upload",
    object,
    uploadId: parameters.get("uploadId") ?? "",
  }),
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
