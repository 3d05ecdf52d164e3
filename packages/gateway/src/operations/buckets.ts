/** Operations on buckets. Each is one call of the storage. */
import type { CorsRule } from "../http/cors.ts";
import type { PermittedBucket, PermittedBuckets } from "../permit.ts";
import type { BucketInfo } from "../storage/contract/buckets.ts";
import { compareUtf8 } from "../storage/contract/listing.ts";
import { isStorageError } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";
import { noSuchBucket } from "./refusals.ts";

export interface ListBuckets {
  readonly operation: "list-buckets";
  /** The buckets of the key; no other is shown. */
  readonly permitted: PermittedBuckets;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

export interface ListedBuckets {
  readonly buckets: readonly BucketInfo[];
  readonly truncated: boolean;
}

/** @throws {StorageError} `UNAVAILABLE` */
export async function listBuckets(
  { permitted, prefix, after, limit }: ListBuckets,
  { storage }: OperationContext,
): Promise<ListedBuckets> {
  const found = (await storage.buckets()).filter(
    ({ name }) =>
      permitted.includes(name) && name.startsWith(prefix) && (after === undefined || compareUtf8(name, after) > 0),
  );
  return { buckets: found.slice(0, limit), truncated: found.length > limit };
}

export interface HeadBucket {
  readonly operation: "head-bucket";
  readonly bucket: PermittedBucket;
}

/** @throws {Refusal} `NO_SUCH_BUCKET` */
export async function headBucket({ bucket }: HeadBucket, { storage }: OperationContext): Promise<void> {
  if (!(await storage.hasBucket(bucket))) throw noSuchBucket(bucket);
}

export interface CreateBucket {
  readonly operation: "create-bucket";
  readonly bucket: PermittedBucket;
  /** Whether an existing bucket counts as success. */
  readonly mayExist: boolean;
}

/** @throws {StorageError} `BUCKET_EXISTS` unless `mayExist`, `BUCKET_NAME_TAKEN` */
export async function createBucket({ bucket, mayExist }: CreateBucket, { storage }: OperationContext): Promise<void> {
  try {
    await storage.createBucket(bucket);
  } catch (error) {
    if (!mayExist || !isStorageError(error) || error.code !== "BUCKET_EXISTS") throw error;
  }
}

export interface DeleteBucket {
  readonly operation: "delete-bucket";
  readonly bucket: PermittedBucket;
}

/** @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY` */
export async function deleteBucket({ bucket }: DeleteBucket, { storage }: OperationContext): Promise<void> {
  await storage.deleteBucket(bucket);
}

export interface GetBucketCors {
  readonly operation: "get-bucket-cors";
  readonly bucket: PermittedBucket;
}

export interface BucketCors {
  /** Empty if the bucket has none. */
  readonly rules: readonly CorsRule[];
}

/** @throws {Refusal} `NO_SUCH_BUCKET` */
export async function getBucketCors({ bucket }: GetBucketCors, { storage }: OperationContext): Promise<BucketCors> {
  if (!(await storage.hasBucket(bucket))) throw noSuchBucket(bucket);
  return { rules: await storage.corsRules(bucket) };
}

export interface SetBucketCors {
  readonly operation: "set-bucket-cors";
  readonly bucket: PermittedBucket;
  /** An empty list removes the rules. */
  readonly rules: readonly CorsRule[];
}

/** @throws {StorageError} `NO_SUCH_BUCKET` */
export async function setBucketCors({ bucket, rules }: SetBucketCors, { storage }: OperationContext): Promise<void> {
  await storage.setCorsRules(bucket, rules);
}
