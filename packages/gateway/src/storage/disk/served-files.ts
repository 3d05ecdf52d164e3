/** From a file of the root to the object that it is, for whoever looks into the folder without opening it as storage. */
import { join } from "node:path";
import type { ObjectRef } from "../contract/storage.ts";
import { looseBucket } from "./loose-bucket.ts";
import { isBucketName, isStorableKey, LOOSE_BUCKET, OWN_PREFIX, plainPath } from "./objects/key-path.ts";

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
  const loose = looseBucket(root, join(root, OWN_PREFIX), { decides: false });
  return (path) => {
    const [first = "", ...rest] = path;
    const flat = rest.length === 0;
    if (flat ? !loose.exists : first === LOOSE_BUCKET && loose.exists) return undefined;
    const bucket = flat ? LOOSE_BUCKET : first;
    const key = flat ? first : rest.join("/");
    const isServed =
      isBucketName(bucket) &&
      isStorableKey(key) &&
      plainPath(flat ? root : join(root, bucket), key, { foldsNames: false, flat }) !== undefined;
    return isServed ? { bucket, key } : undefined;
  };
}
