import type { GetBucketCors } from "../../../operations/get-bucket-cors.ts";
import { corsElements } from "../cors-configuration.ts";
import type { S3BucketOperation } from "../operation.ts";
import { xmlAnswer } from "../xml.ts";
import { notConfigured } from "./bucket-defaults.ts";

const NONE = { code: "NoSuchCORSConfiguration", text: "The CORS configuration does not exist" };

export const getBucketCorsOperation: S3BucketOperation<GetBucketCors> = {
  name: "GetBucketCors",
  action: "s3:GetBucketCORS",
  method: "GET",
  on: "bucket",
  selectors: ["cors"],
  readsBody: false,
  read: (_, bucket) => ({ operation: "get-bucket-cors", bucket }),
  present({ rules }, { bucket }, { requestId }) {
    if (rules.length === 0) throw notConfigured(NONE, bucket);
    return xmlAnswer({ root: "CORSConfiguration", elements: corsElements(rules), requestId });
  },
};
