/** Making and removing buckets, in the process that owns the index, where no upload can come in between. */
import { mkdirSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type ObjectRef, StorageError } from "../storage.ts";
import { syncFolder } from "./durable.ts";
import { errnoOf, translating } from "./faults.ts";
import type { Claim, IndexWriter } from "./index-contract.ts";
import type { IndexDatabase } from "./index-db.ts";
import type { Layout } from "./layout.ts";
import { lstatOrAbsent } from "./open-file.ts";
import { noSuchBucket } from "./refusals.ts";
import type { Room } from "./room.ts";

export type BucketWriter = Pick<IndexWriter, "claim" | "createBucket" | "removeBucket" | "setForBucket">;

/** Objects or uploads looked at in one turn of the loop. */
const TURN = 500;

/** Keeps claims out of a bucket that is being removed, and a bucket with claims from being removed. */
export function bucketWriter(
  { database, layout, room }: { readonly database: IndexDatabase; readonly layout: Layout; readonly room: Room },
  claim: IndexWriter["claim"],
): BucketWriter {
  const claims = new Map<string, number>();
  const removals = new Map<string, Promise<unknown>>();

  function count(bucket: string, change: 1 | -1): void {
    const held = (claims.get(bucket) ?? 0) + change;
    if (held === 0) claims.delete(bucket);
    else claims.set(bucket, held);
  }

  async function remove(bucket: string): Promise<void> {
    const path = bucketPath(bucket);
    if (claims.has(bucket) || (await hasHashed(bucket))) throw notEmpty();
    await removeEmpty(path);
    await syncFolder(layout.root);
    try {
      room.spending(() => database.transaction([() => database.names.removeBucket(bucket)]));
    } catch (error) {
      // The next start forgets what belongs to no bucket, and so does whoever makes another of this name.
      if (!room.isForRoom(error)) throw error;
    }
  }

  /** Objects that lie under a hash have no place in the bucket's folder. */
  async function hasHashed(bucket: string): Promise<boolean> {
    let from = { text: "", inclusive: true };
    for (;;) {
      const rows = database.names.names({ bucket, from, until: undefined, limit: TURN });
      const isThere = ({ key }: { readonly key: string }): boolean =>
        lstatOrAbsent(layout.places({ bucket, key })?.hashed ?? "") !== undefined;
      if (rows.some(isThere)) return true;
      const last = rows.at(-1);
      if (last === undefined) return false;
      from = { text: last.key, inclusive: false };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * What is left of an earlier bucket of this name: its folder was taken away by hand, or an upload began while it was removed.
   * Whoever makes the new one must not find it.
   */
  function forget(bucket: string): void {
    database.names.removeBucket(bucket);
    const open = () => database.uploads.openUploads({ bucket, key: "", id: "", until: undefined, limit: TURN });
    for (let rows = open(); rows.length > 0; rows = open()) {
      for (const { id } of rows) database.uploads.removeUpload(id);
    }
  }

  function bucketPath(bucket: string): string {
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const path = layout.folder(bucket, "");
    // The loose files lie in the folder of all buckets.
    if (path === undefined || path === layout.root) throw notEmpty();
    return path;
  }

  return {
    async claim(ref: ObjectRef, intent): Promise<Claim> {
      await removals.get(ref.bucket)?.catch(() => {});
      if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
      count(ref.bucket, 1);
      try {
        const claimed = await claim(ref, intent);
        return {
          finish(outcome) {
            count(ref.bucket, -1);
            claimed.finish(outcome);
          },
        };
      } catch (error) {
        count(ref.bucket, -1);
        throw error;
      }
    },
    createBucket: (bucket) =>
      translating("make the bucket", async () => {
        if (layout.hasBucket(bucket)) throw new StorageError("BUCKET_EXISTS", "there is a bucket of this name");
        const path = layout.folder(bucket, "");
        if (path === undefined) throw nameTaken();
        database.transaction([() => forget(bucket)]);
        try {
          mkdirSync(path);
        } catch (error) {
          throw errnoOf(error) === "EEXIST" ? nameTaken() : error;
        }
        await syncFolder(layout.root);
      }),
    removeBucket: (bucket) =>
      translating("remove the bucket", async () => {
        await removals.get(bucket)?.catch(() => {});
        const removal = remove(bucket).finally(() => removals.delete(bucket));
        removals.set(bucket, removal);
        await removal;
      }),
    setForBucket: (bucket, name, value) =>
      translating("change the bucket", async () => {
        if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
        const change = () => database.transaction([() => database.names.set(bucket, name, value)]);
        if (value === null) room.spending(change);
        else change();
      }),
  };
}

/** Removes folders and nothing else: a file anywhere stops it. */
async function removeEmpty(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!entry.isDirectory()) throw notEmpty();
    await removeEmpty(join(path, entry.name));
  }
  try {
    await rmdir(path);
  } catch (error) {
    throw errnoOf(error) === "ENOTEMPTY" || errnoOf(error) === "EEXIST" ? notEmpty() : error;
  }
}

function notEmpty(): StorageError {
  return new StorageError("BUCKET_NOT_EMPTY", "the bucket holds something, or is being written to");
}

function nameTaken(): StorageError {
  return new StorageError("BUCKET_NAME_TAKEN", "something else has this name, or no folder can have it");
}
