import type { HeadBucket } from "../../../operations/head-bucket.ts";
import { permitBucketName } from "../../../pipeline/authorize.ts";
import type { S3PartialOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const headBucketOperation: S3PartialOperation<HeadBucket> = {
  name: "HeadBucket",
  action: "s3:ListBucket",
  method: "HEAD",
  on: "keys",
  readsBody: false,
  read: ({ permit, region }) => ({ operation: "head-bucket", bucket: permitBucketName(permit), region }),
  present: ({ region }, _, { requestId }) => ({
    status: 200,
    headers: [
      "content-type",
      "application/xml",
      "x-amz-bucket-region",
      region,
      "x-amz-access-point-alias",
      "false",
      ...requestIdHeaders(requestId),
    ],
    body: undefined,
  }),
};
