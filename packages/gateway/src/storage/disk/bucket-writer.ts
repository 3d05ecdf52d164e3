/** Making and removing buckets, in the process that owns the index, where no upload can come in between. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ObjectRef, StorageError } from "../contract/storage.ts";
import type { Claim, IndexWriter } from "./database/contract.ts";
import type { IndexDatabase } from "./database/index-database.ts";
import { errnoOf, translating } from "./errors.ts";
import type { Layout } from "./layout.ts";
import { syncFolder } from "./flush.ts";
import { hasHashed, removeHashed } from "./objects/hashed-objects.ts";
import { tempName } from "./objects/key-path.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";
import { noSuchBucket } from "./refusals.ts";
import type { Room } from "./reserved-space.ts";

export type BucketWriter = Pick<IndexWriter, "claim" | "createBucket" | "removeBucket" | "setForBucket">;

export interface BucketWriterOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  readonly room: Room;
  readonly run: string;
}

/** Uploads forgotten in one go. */
const TURN = 500;
/** What a folder finds where another file or folder has come in between. */
const TAKEN = new Set(["EEXIST", "ENOTDIR", "ENOTEMPTY"]);
/** Between two looks whether the last claim is given back. */
const CLAIM_MS = 5;

/** Keeps claims out of a bucket that is being made or removed, and a bucket with claims from being removed. */
export function bucketWriter(
  { database, layout, room, run }: BucketWriterOptions,
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

  /** One after the other for each bucket, and no claim on it meanwhile. */
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
    if (claims.has(bucket) || (await hasHashed(bucket, { database, layout }))) throw notEmpty();
    await removeEmpty(path);
    await syncFolder(layout.root);
    try {
      room.spending(() => database.transaction([() => database.names.removeBucket(bucket)]));
    } catch (error) {
      // The next start forgets what belongs to no bucket, and so does whoever makes another of this name.
      if (!room.isForRoom(error)) throw error;
    }
  }

  /**
   * What is left of an earlier bucket of this name: its folder was taken away by hand, or an upload began while it was removed.
   * Whoever makes the new one must not find it.
   */
  async function forget(bucket: string): Promise<void> {
    // An upload that is about to take its name would take it in the new bucket, behind the names.
    while (claims.has(bucket)) await sleep(CLAIM_MS);
    await removeHashed(bucket, { database, layout });
    database.transaction([() => forgetRows(bucket)]);
  }

  function forgetRows(bucket: string): void {
    database.names.removeBucket(bucket);
    const open = () => database.uploads.openUploads({ bucket, key: "", id: "", until: undefined, limit: TURN });
    for (let rows = open(); rows.length > 0; rows = open()) {
      for (const { id } of rows) database.uploads.removeUpload(id);
    }
  }

  async function create(bucket: string): Promise<void> {
    if (layout.hasBucket(bucket)) throw new StorageError("BUCKET_EXISTS", "there is a bucket of this name");
    const path = layout.folder(bucket, "");
    if (path === undefined) throw nameTaken();
    if (lstatOrAbsent(path) !== undefined) throw nameTaken();
    // Made first under another name, as what is to be forgotten must not be forgotten for a bucket that cannot be made.
    const made = join(layout.root, tempName(run, randomBytes(8).toString("hex")));
    // The next start looks there for what a crash leaves.
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
    // The loose files lie in the folder of all buckets.
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
