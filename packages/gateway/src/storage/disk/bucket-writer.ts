/** Creating and removing buckets, in the process that owns the index, which can exclude uploads meanwhile. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ObjectRef, StorageError } from "../contract/storage.ts";
import type { Claim, IndexWriter } from "./database/contract.ts";
import type { IndexDatabase } from "./database/index-database.ts";
import { errnoOf, noSuchBucket, translating } from "./errors.ts";
import { syncFolder } from "./flush.ts";
import type { Layout } from "./layout.ts";
import { tempName } from "./objects/key-path.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";
import { unlinkIfThere } from "./objects/place-object.ts";
import type { ReservedSpace } from "./reserved-space.ts";

export type BucketWriter = Pick<IndexWriter, "claim" | "createBucket" | "removeBucket" | "setForBucket">;

export interface BucketWriterOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  readonly space: ReservedSpace;
  readonly run: string;
}

/** Rows that one turn of the event loop reads. */
const TURN = 500;
/** `rename` fails with these if another file or folder has just taken the name. */
const TAKEN = new Set(["EEXIST", "ENOTDIR", "ENOTEMPTY"]);
/** Between two checks of whether the last claim was released. */
const CLAIM_MS = 5;

/** Excludes claims from a bucket that is being created or removed. A bucket with claims is not removed. */
export function bucketWriter(
  { database, layout, space, run }: BucketWriterOptions,
  claim: IndexWriter["claim"],
): BucketWriter {
  let rootIsNoted = false;
  const claims = new Map<string, number>();
  const changes = new Map<string, Promise<unknown>>();

  function count(bucket: string, change: 1 | -1): void {
    const held = (claims.get(bucket) ?? 0) + change;
    if (held === 0) claims.delete(bucket);
    else claims.set(bucket, held);
  }

  /** Runs the changes of a bucket one after the other, and no claim meanwhile. */
  async function changing(bucket: string, step: () => Promise<void>): Promise<void> {
    const before = changes.get(bucket) ?? Promise.resolve();
    const change = before.catch(() => {}).then(step);
    changes.set(bucket, change);
    try {
      await change;
    } finally {
      if (changes.get(bucket) === change) changes.delete(bucket);
    }
  }

  async function untilUnchanged(bucket: string): Promise<void> {
    for (let change = changes.get(bucket); change !== undefined; change = changes.get(bucket))
      await change.catch(() => {});
  }

  async function remove(bucket: string): Promise<void> {
    const path = bucketPath(bucket);
    if (claims.has(bucket)) throw notEmpty();
    for await (const _ of hashedPaths(bucket)) throw notEmpty();
    await removeEmpty(path);
    await syncFolder(layout.root);
    try {
      space.spending(() => database.transaction([() => database.names.removeBucket(bucket)]));
    } catch (error) {
      // The next start removes the rows of a missing bucket, and so does the next bucket of this name.
      if (!space.isDiskFull(error)) throw error;
    }
  }

  /**
   * Removes what an earlier bucket of this name has left: its folder was removed by hand, or an upload began during its removal.
   */
  async function forget(bucket: string): Promise<void> {
    // An upload in progress would store its object in the new bucket.
    while (claims.has(bucket)) await sleep(CLAIM_MS);
    const folders = new Set<string>();
    // Before the names: a file without a name would be found by a request for its key.
    for await (const path of hashedPaths(bucket)) {
      unlinkIfThere(path);
      folders.add(dirname(path));
    }
    for (const folder of folders) await syncFolder(folder);
    database.transaction([() => forgetRows(bucket)]);
  }

  function forgetRows(bucket: string): void {
    database.names.removeBucket(bucket);
    const { uploads } = database;
    const open = uploads.openUploads({ bucket, key: "", id: "", until: undefined, limit: Number.MAX_SAFE_INTEGER });
    for (const { id } of open) uploads.removeUpload(id);
  }

  /** The files of a bucket that are stored by the hash of their key. Only the names in the index lead to them. */
  async function* hashedPaths(bucket: string): AsyncGenerator<string> {
    let from = { text: "", inclusive: true };
    for (;;) {
      const rows = database.names.names({ bucket, from, until: undefined, limit: TURN });
      for (const { key } of rows) {
        const path = layout.places({ bucket, key })?.hashed;
        if (path !== undefined && lstatOrAbsent(path) !== undefined) yield path;
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      from = { text: last.key, inclusive: false };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function create(bucket: string): Promise<void> {
    if (layout.hasBucket(bucket)) throw new StorageError("BUCKET_EXISTS", "there is a bucket of this name");
    const path = layout.folder(bucket, "");
    if (path === undefined || lstatOrAbsent(path) !== undefined) throw nameTaken();
    // Made under another name first: a failure must not remove what the earlier bucket has left.
    const made = join(layout.root, tempName(run, randomBytes(8).toString("hex")));
    // The next start sweeps only recorded folders.
    if (!rootIsNoted) database.transaction([() => database.addFolder(layout.root)]);
    rootIsNoted = true;
    mkdirSync(made);
    try {
      await forget(bucket);
      renameSync(made, path);
    } catch (error) {
      await rmdir(made).catch(() => {});
      throw TAKEN.has(errnoOf(error) ?? "") ? nameTaken() : error;
    }
    await syncFolder(layout.root);
  }

  function bucketPath(bucket: string): string {
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const path = layout.folder(bucket, "");
    // The bucket of loose files has the folder of all buckets.
    if (path === undefined || path === layout.root) throw notEmpty();
    return path;
  }

  return {
    async claim(ref: ObjectRef, intent): Promise<Claim> {
      await untilUnchanged(ref.bucket);
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
    createBucket: (bucket) => translating("make the bucket", () => changing(bucket, () => create(bucket))),
    removeBucket: (bucket) => translating("remove the bucket", () => changing(bucket, () => remove(bucket))),
    setForBucket: (bucket, name, value) =>
      translating("change the bucket", async () => {
        if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
        const change = () => database.transaction([() => database.names.set(bucket, name, value)]);
        if (value === null) space.spending(change);
        else change();
      }),
  };
}

/** Removes a tree of folders. Any file stops it. */
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
  return new StorageError("BUCKET_NAME_TAKEN", "a file or folder has this name, or no folder can be called so");
}
