/** The refusals that reading, storing and deleting have in common. */
import { type ObjectInfo, StorageError } from "../storage.ts";

/** Whether an `If-Match` value (an ETag without quotes, or `*`) names the object as it is. */
export function matches(ifMatch: string, current: ObjectInfo | undefined): boolean {
  return current !== undefined && (ifMatch === "*" || ifMatch === current.etag);
}

export function preconditionFailed(): StorageError {
  return new StorageError("PRECONDITION_FAILED", "the object is not in the state that the request asks for");
}

export function noSuchBucket(bucket: string): StorageError {
  return new StorageError("NO_SUCH_BUCKET", `there is no bucket ${JSON.stringify(bucket)}`);
}

export function readOnly(): StorageError {
  return new StorageError(
    "READ_ONLY",
    "the gateway may not write to the folder, so nothing is stored or removed: give it the right to, and start it again",
  );
}
