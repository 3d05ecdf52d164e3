/** The index of a root, opened by the one process that owns it. */
import { randomBytes } from "node:crypto";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type ObjectRef, StorageError } from "../storage.ts";
import { bucketWriter } from "./bucket-writer.ts";
import { translating } from "./faults.ts";
import { type FileThread, fileThread } from "./file-thread.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { folderReader } from "./folder-reader.ts";
import type { IndexReader, IndexWriter } from "./index-contract.ts";
import { type IndexDatabase, openIndexDatabase } from "./index-db.ts";
import { localIndexWriter } from "./index-writer.ts";
import { type Layout, openLayout } from "./layout.ts";
import { nameKeeper } from "./name-keeper.ts";
import { lstatOrAbsent } from "./open-file.ts";
import type { ReadProgress } from "./read-progress.ts";
import { type Database, openDatabase } from "./sqlite.ts";
import { sweep } from "./sweep.ts";
import { sweepUploads } from "./sweep-uploads.ts";

export interface DiskIndex {
  readonly run: string;
  readonly layout: Layout;
  readonly reader: IndexReader;
  readonly writer: IndexWriter;
  /** Where this process looks at files for its listings. */
  readonly thread: FileThread;
  close(): void;
}

export interface DiskIndexOptions {
  /** Told, after two seconds and every two seconds from then on, how far the reading of folders has come for a listing. */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Opens a folder's index as its owner: makes it, refuses a second gateway on the same folder, and sweeps what a crash left.
 * Workers come after it: `disk({ root, writer: ipcIndexWriter(channel) })`.
 * @throws {StorageError} `UNAVAILABLE`
 */
export function openDiskIndex(root: string, { onRead, clock = Date.now }: DiskIndexOptions = {}): Promise<DiskIndex> {
  return translating("open the index", async () => {
    const layout = openLayout(root, { owner: true });
    const owned = await own(layout);
    try {
      const run = randomBytes(8).toString("hex");
      const database = await openIndexDatabase(indexPath(layout), run);
      const fingerprintNow = (ref: ObjectRef): string | undefined => currentFingerprint(layout, ref);
      await sweep({ database, run, currentFingerprint: fingerprintNow });
      dropOrphans(database, layout);
      await sweepUploads({ database, layout, currentFingerprint: fingerprintNow, now: clock() });
      const thread = fileThread(layout.root);
      const folders = folderReader({ database, layout, thread, clock, onRead });
      const local = localIndexWriter(database, clock);
      const claim: IndexWriter["claim"] = (ref, intent) => {
        folders.touch(ref);
        return local.claim(ref, intent);
      };
      return {
        run,
        layout,
        reader: database,
        writer: {
          ...local,
          ...bucketWriter({ database, layout }, claim),
          ...nameKeeper({ database, layout, folders }),
        },
        thread,
        close() {
          folders.close();
          thread.close();
          local.close();
          database.close();
          owned.close();
        },
      };
    } catch (error) {
      owned.close();
      throw error;
    }
  });
}

/** What belonged to a bucket that is gone must not come back with one of its name. */
function dropOrphans(database: IndexDatabase, layout: Layout): void {
  const settings = database.names.bucketsWithSettings().filter((bucket) => !layout.hasBucket(bucket));
  const uploads = database.uploads.allOpen().filter(({ ref }) => !layout.hasBucket(ref.bucket));
  if (settings.length + uploads.length === 0) return;
  database.transaction([
    ...settings.map((bucket) => () => database.names.removeBucket(bucket)),
    ...uploads.map(
      ({ id }) =>
        () =>
          database.uploads.removeUpload(id),
    ),
  ]);
}

export function indexPath(layout: Layout): string {
  return join(layout.own, "index.db");
}

/** SQLite's file lock is one that the kernel takes back however the process ends; Node has no other. */
async function own(layout: Layout): Promise<Database> {
  const database = await openDatabase(join(layout.own, "owner.db"), { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return database;
  } catch (error) {
    database.close();
    throw new StorageError("UNAVAILABLE", "another gateway serves this folder: stop it, or give each its own", {
      cause: error,
    });
  }
}

function currentFingerprint(layout: Layout, ref: ObjectRef): string | undefined {
  const places = layout.places(ref);
  for (const path of [places?.plain, places?.hashed]) {
    if (path === undefined || lstatOrAbsent(path)?.isFile() !== true) continue;
    return fingerprintOf(lstatSync(path, { bigint: true }));
  }
  return undefined;
}
