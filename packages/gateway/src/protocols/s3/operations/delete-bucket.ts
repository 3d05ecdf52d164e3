import type { DeleteBucket } from "../../../operations/delete-bucket.ts";
import type { S3BucketOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const deleteBucketOperation: S3BucketOperation<DeleteBucket> = {
  name: "DeleteBucket",
  action: "s3:DeleteBucket",
  method: "DELETE",
  on: "bucket",
  readsBody: false,
  read: (_, bucket) => ({ operation: "delete-bucket", bucket }),
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
