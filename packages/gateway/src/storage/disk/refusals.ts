/** The refusals that reading, storing and deleting have in common. */
import { StorageError } from "../contract/storage.ts";

export function noSuchBucket(bucket: string): StorageError {
  return new StorageError("NO_SUCH_BUCKET", `there is no bucket ${JSON.stringify(bucket)}`);
}

export function readOnly(): StorageError {
  return new StorageError(
    "READ_ONLY",
    "the gateway may not write to the folder, so nothing is stored or removed: grant it write permission and restart it",
  );
}
