import { Refusal } from "../pipeline/refusal.ts";

/** The refusal of an operation for a bucket that is not there, where the storage has not said so itself. */
export function noSuchBucket(bucket: string): Refusal {
  return new Refusal("NO_SUCH_BUCKET", "expected a bucket of this name, found none", { bucket });
}
