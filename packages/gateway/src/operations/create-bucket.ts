import type { PermittedBucket } from "../permit.ts";
import { isStorageError } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";

export interface CreateBucket {
  readonly operation: "create-bucket";
  readonly bucket: PermittedBucket;
  /** Whether a bucket that is there already is as good as a new one. */
  readonly mayExist: boolean;
}

export interface CreatedBucket {
  readonly kind: "bucket-created";
  readonly bucket: string;
}

/**
 * Makes a bucket.
 * @throws {StorageError} `BUCKET_EXISTS` unless it may, `BUCKET_NAME_TAKEN`
 */
export async function createBucket(
  { bucket, mayExist }: CreateBucket,
  { storage }: OperationContext,
): Promise<CreatedBucket> {
  try {
    await storage.createBucket(bucket);
  } catch (error) {
    if (!mayExist || !isStorageError(error) || error.code !== "BUCKET_EXISTS") throw error;
  }
  return { kind: "bucket-created", bucket };
}
