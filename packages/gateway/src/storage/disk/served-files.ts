/** Which files of the root are objects: the bucket of the loose files, and the object at a path. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectRef } from "../contract/storage.ts";
import { unavailable } from "./errors.ts";
import { isBucketName, isStorableKey, LOOSE_BUCKET, OWN_PREFIX, plainPath } from "./objects/key-path.ts";
import { lstatOrAbsent, unlessAbsent } from "./objects/open-file.ts";

const DECISION = "files-bucket";

function lastDecision(own: string): boolean | undefined {
  const text = unlessAbsent(() => readFileSync(join(own, DECISION), "utf8"));
  return text === undefined ? undefined : text === "loose";
}

/**
 * Whether the loose files of the root are the bucket `files`. A folder of that name is the bucket instead. The process that owns
 * the index decides when it starts, and the others follow: a folder that appears later must not hide objects.
 */
export function looseFilesAreBucket(root: string, own: string, { decides }: { readonly decides: boolean }): boolean {
  const decided = decides ? undefined : lastDecision(own);
  return decided ?? lstatOrAbsent(join(root, LOOSE_BUCKET))?.isDirectory() !== true;
}

/**
 * Records the decision for the other processes and for the next start.
 * @throws {StorageError} `UNAVAILABLE` if a new folder `files` would hide uploaded objects
 */
export function recordLooseFiles(own: string, now: { readonly isLoose: boolean; readonly hasUploads: boolean }): void {
  const before = lastDecision(own);
  if (before === true && !now.isLoose && now.hasUploads) {
    throw unavailable(
      `the served folder has a new folder ${LOOSE_BUCKET}, which would hide the uploads among its loose files. Rename that folder`,
    );
  }
  if (before !== now.isLoose) writeFileSync(join(own, DECISION), now.isLoose ? "loose" : "folder");
}

/**
 * Returns the object that is served from a path below the root (one name per folder, and the last for the file), or
 * `undefined` if there is none. Checks only names; note that a symbolic link is not an object either.
 *
 * @param root the folder that is served
 * @example
 * ```ts
 * import { servedFiles } from "@daypass/gateway/disk";
 *
 * const objectAt = servedFiles("files");
 * console.log(objectAt(["media", "talks", "keynote.mp4"])); // { bucket: "media", key: "talks/keynote.mp4" }
 * console.log(objectAt([".hidden", "a.txt"])); // undefined
 * ```
 */
export function servedFiles(root: string): (path: readonly string[]) => ObjectRef | undefined {
  const loose = looseFilesAreBucket(root, join(root, OWN_PREFIX), { decides: false });
  return (path) => {
    const [first = "", ...rest] = path;
    const flat = rest.length === 0;
    if (flat ? !loose : first === LOOSE_BUCKET && loose) return undefined;
    const bucket = flat ? LOOSE_BUCKET : first;
    const key = flat ? first : rest.join("/");
    const isServed =
      isBucketName(bucket) &&
      isStorableKey(key) &&
      plainPath(flat ? root : join(root, bucket), key, { foldsNames: false, flat }) !== undefined;
    return isServed ? { bucket, key } : undefined;
  };
}
