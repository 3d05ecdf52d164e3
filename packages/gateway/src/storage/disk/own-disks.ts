/** Buckets whose folders are mount points: when the disk goes, an empty folder is left, and what is stored there is gone when it is back. */
import { type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "../storage.ts";

export interface OwnDisks {
  /**
   * Takes what is there in a bucket's place.
   *
   * @throws {StorageError} `UNAVAILABLE` where it is the folder below a disk that was mounted there before
   */
  expectMounted(bucket: string, folder: Stats): void;
}

export function bucketsOnOwnDisks(root: string): OwnDisks {
  const { dev } = statSync(root);
  // When each was seen first, by the clock that the file system goes by. What this process has not seen is what is there at a start.
  const seen = new Map<string, number>();
  return {
    expectMounted(bucket, folder) {
      if (folder.dev !== dev) {
        if (!seen.has(bucket)) seen.set(bucket, Date.now());
        return;
      }
      const since = seen.get(bucket);
      if (since === undefined) return;
      // A folder that was made since then is a new bucket, and no mount point.
      if (folder.birthtimeMs > since) seen.delete(bucket);
      else throw diskAway(join(root, bucket));
    },
  };
}

function diskAway(path: string): StorageError {
  return new StorageError(
    "UNAVAILABLE",
    `expected the disk that was mounted at ${path}, found the folder below it: mount it, or start again to serve what is there`,
  );
}
