import type { PermittedBucket } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";

export interface HeadBucket {
  readonly operation: "head-bucket";
  readonly bucket: PermittedBucket;
  /** Where the gateway says that its buckets are. */
  readonly region: string;
}

export interface BucketFound {
  readonly kind: "bucket";
  readonly bucket: string;
  readonly region: string;
}

/**
 * Looks whether there is a bucket, which is all that it takes to tell what is the same for each.
 * @throws {Refusal} `NO_SUCH_BUCKET`
 */
export async function headBucket({ bucket, region }: HeadBucket, { storage }: OperationContext): Promise<BucketFound> {
  if (!(await storage.hasBucket(bucket))) throw noSuchBucket(bucket);
  return { kind: "bucket", bucket, region };
}
