import type { SetBucketCors } from "../../../operations/set-bucket-cors.ts";
import { readCorsRules } from "../cors-configuration.ts";
import { readDocument } from "../document.ts";
import type { S3BucketOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const putBucketCorsOperation: S3BucketOperation<SetBucketCors> = {
  name: "PutBucketCors",
  action: "s3:PutBucketCORS",
  method: "PUT",
  on: "bucket",
  selectors: ["cors"],
  readsBody: true,
  async read(call, bucket) {
    // "The CORS configuration … file is limited to 64 KB in size."
    const document = await readDocument(call, "CORSConfiguration", { maxBytes: 64 * 1024, needsDigest: true });
    return { operation: "set-bucket-cors", bucket, rules: readCorsRules(document) };
  },
  present: (_, __, { requestId }) => ({
    status: 200,
    headers: ["content-length", "0", ...requestIdHeaders(requestId)],
    body: undefined,
  }),
};
