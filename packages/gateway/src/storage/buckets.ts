/**
 * The part of the storage contract that is about buckets themselves.
 * @module
 */
import type { CorsRule } from "../http/cors-rules.ts";

/** A bucket. */
export interface BucketInfo {
  readonly name: string;
  /** As far as the backend knows it. */
  readonly created: Date;
}

/** The part of {@link Storage} that is about buckets themselves. */
export interface Buckets {
  /** All buckets, in the order of their names' UTF-8. */
  buckets(): Promise<readonly BucketInfo[]>;
  /** Whether there is such a bucket. */
  hasBucket(bucket: string): Promise<boolean>;
  /** Durable. Whether the name is a good one is for the caller to say. @throws {StorageError} `BUCKET_EXISTS`, `BUCKET_NAME_TAKEN` */
  createBucket(bucket: string): Promise<void>;
  /** Removes an empty bucket and all that was set for it, durably. @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY` */
  deleteBucket(bucket: string): Promise<void>;
  /**
   * Which pages may use the bucket; none for a bucket that has no rules and, unlike everywhere else, for one that does not exist: it is
   * asked for strangers, whom the difference is not to reach.
   */
  corsRules(bucket: string): Promise<readonly CorsRule[]>;
  /** Replaces them; an empty list takes them away. Durable. @throws {StorageError} `NO_SUCH_BUCKET` */
  setCorsRules(bucket: string, rules: readonly CorsRule[]): Promise<void>;
}
