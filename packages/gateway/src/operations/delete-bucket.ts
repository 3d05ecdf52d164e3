import type { PermittedBucket } from "../permit.ts";
import type { OperationContext } from "./operation-context.ts";

export interface DeleteBucket {
  readonly operation: "delete-bucket";
  readonly bucket: PermittedBucket;
}

export interface DeletedBucket {
  readonly kind: "bucket-deleted";
}

/**
 * Removes an empty bucket.
 * @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY`
 */
export async function deleteBucket({ bucket }: DeleteBucket, { storage }: OperationContext): Promise<DeletedBucket> {
  await storage.deleteBucket(bucket);
  return { kind: "bucket-deleted" };
}
