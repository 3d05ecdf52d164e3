/** The refusals that operations have in common. */
import { Refusal } from "../pipeline/refusal.ts";

/** The refusal of an operation for a bucket that is not there, where the storage has not said so itself. */
export function noSuchBucket(bucket: string): Refusal {
  return new Refusal("NO_SUCH_BUCKET", "expected a bucket of this name, found none", { bucket });
}

/** The refusal that an operation gives for an object that is not there. */
export function noSuchKey(): Refusal {
  return new Refusal("NO_SUCH_KEY", "expected an object with this key, found none");
}
