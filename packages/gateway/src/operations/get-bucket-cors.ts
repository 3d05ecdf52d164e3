import type { CorsRule } from "../http/cors-rules.ts";
import type { PermittedBucket } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";

export interface GetBucketCors {
  readonly operation: "get-bucket-cors";
  readonly bucket: PermittedBucket;
}

export interface BucketCors {
  readonly kind: "bucket-cors";
  /** Empty when none were set. */
  readonly rules: readonly CorsRule[];
}

/**
 * Reads the cross-origin rules of a bucket.
 * @throws {Refusal} `NO_SUCH_BUCKET`
 */
export async function getBucketCors({ bucket }: GetBucketCors, { storage }: OperationContext): Promise<BucketCors> {
  if (!(await storage.hasBucket(bucket))) throw noSuchBucket(bucket);
  return { kind: "bucket-cors", rules: await storage.corsRules(bucket) };
}
