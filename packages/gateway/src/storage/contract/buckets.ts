/**
 * The part of the storage contract for the buckets themselves.
 * @module
 */
import type { CorsRule } from "../../http/cors.ts";

/** A bucket. */
export interface BucketInfo {
  readonly name: string;
  /** The time of creation, as far as the backend knows it. */
  readonly created: Date;
}

/** The part of {@link Storage} for the buckets themselves. */
export interface Buckets {
  /** All buckets, sorted by the UTF-8 bytes of their names. */
  buckets(): Promise<readonly BucketInfo[]>;
  /** Whether there is such a bucket. */
  hasBucket(bucket: string): Promise<boolean>;
  /** Creates a bucket, durably. The caller has checked that the name is allowed. @throws {StorageError} `BUCKET_EXISTS`, `BUCKET_NAME_TAKEN` */
  createBucket(bucket: string): Promise<void>;
  /** Removes an empty bucket and everything that was set for it, durably. @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY` */
  deleteBucket(bucket: string): Promise<void>;
  /**
   * The pages that may use the bucket; none if it has no rules or does not exist: the gateway calls this for unverified requests,
   * which must not learn the difference.
   */
  corsRules(bucket: string): Promise<readonly CorsRule[]>;
  /** Replaces the rules, durably; an empty list removes them. @throws {StorageError} `NO_SUCH_BUCKET` */
  setCorsRules(bucket: string, rules: readonly CorsRule[]): Promise<void>;
}
