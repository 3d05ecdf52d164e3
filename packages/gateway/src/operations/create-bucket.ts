import type { PermittedBucket } from "../pipeline/authorize.ts";
import type { OperationContext } from "./operations.ts";

export interface CreateBucket {
  readonly operation: "create-bucket";
  readonly bucket: PermittedBucket;
}

export interface CreatedBucket {
  readonly kind: "bucket-created";
  readonly bucket: string;
}

/**
 * Makes a bucket.
 * @throws {StorageError} `BUCKET_EXISTS`, `BUCKET_NAME_TAKEN`
 */
export async function createBucket({ bucket }: CreateBucket, { storage }: OperationContext): Promise<CreatedBucket> {
  await storage.createBucket(bucket);
  return { kind: "bucket-created", bucket };
}
