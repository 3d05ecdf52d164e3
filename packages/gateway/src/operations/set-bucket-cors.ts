import type { CorsRule } from "../http/cors-rules.ts";
import type { PermittedBucket } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";

export interface SetBucketCors {
  readonly operation: "set-bucket-cors";
  readonly bucket: PermittedBucket;
  /** Empty takes them away. */
  readonly rules: readonly CorsRule[];
}

export interface BucketCorsSet {
  readonly kind: "bucket-cors-set";
}

/**
 * Replaces the cross-origin rules of a bucket.
 * @throws {StorageError} `NO_SUCH_BUCKET`
 */
export async function setBucketCors(
  { bucket, rules }: SetBucketCors,
  { storage }: OperationContext,
): Promise<BucketCorsSet> {
  await storage.setCorsRules(bucket, rules);
  return { kind: "bucket-cors-set" };
}
