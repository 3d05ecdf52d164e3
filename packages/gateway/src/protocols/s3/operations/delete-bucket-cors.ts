import type { SetBucketCors } from "../../../operations/set-bucket-cors.ts";
import type { S3BucketOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const deleteBucketCorsOperation: S3BucketOperation<SetBucketCors> = {
  name: "DeleteBucketCors",
  action: "s3:PutBucketCORS",
  method: "DELETE",
  on: "bucket",
  selectors: ["cors"],
  readsBody: false,
  read: (_, bucket) => ({ operation: "set-bucket-cors", bucket, rules: [] }),
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
