/** The index of a root, opened by the one process that owns it. */
import { randomBytes } from "node:crypto";
import { lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { type Database, openDatabase } from "../../../sqlite/database.ts";
import { type ObjectRef, StorageError } from "../../contract/storage.ts";
import { bucketWriter } from "../bucket-writer.ts";
import { translating, unavailable } from "../errors.ts";
import { type Layout, openLayout } from "../layout.ts";
import { fileThread } from "../listing/file-thread.ts";
import { folderReader } from "../listing/folder-reader.ts";
import type { ReadProgress } from "../listing/read-progress.ts";
import { LOOSE_BUCKET } from "../objects/key-path.ts";
import { fingerprintOf, lstatOrAbsent, unlessAbsent } from "../objects/open-file.ts";
import { giveUpReserve, isDiskFull, reservedSpace } from "../reserved-space.ts";
import { recordLooseFiles } from "../served-files.ts";
import { sweepUploads } from "../uploads/sweep-uploads.ts";
import type { DiskIndex, IndexWriter } from "./contract.ts";
import { type IndexDatabase, openIndexDatabase } from "./index-database.ts";
import { localIndexWriter } from "./index-writer.ts";
import { matchCopiedFiles } from "./restored-copy.ts";
import { sweep } from "./sweep.ts";

/** Options of {@link openDiskIndex}. */
export interface DiskIndexOptions {
  /** Called with the progress of reading folders for a listing, after two seconds and every two seconds from then on. */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Opens a folder's index as its owner: creates it, refuses a second gateway on the same folder, and removes what a crash
 * left behind. Workers come after it: `disk({ root, writer: ipcIndexWriter(channel) })`.
 *
 * @param root the folder, which must exist
 * @example
 * ```ts
 * import { openDiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
 * import { primary } from "@daypass/gateway/node";
 *
 * export const serveByWorkers = async (root: string, exec: string) => {
 *   const index = await openDiskIndex(root);
 *   const workers = primary({ workers: 2, exec, onWorker: (channel) => serveIndexWriter(channel, index.writer) });
 *   await workers.ready();
 *   return workers;
 * };
 * ```
 *
 * @throws {StorageError} `UNAVAILABLE`; `DISK_FULL` if the disk has no room for the index
 */
export function openDiskIndex(root: string, options: DiskIndexOptions = {}): Promise<DiskIndex> {
  const { onRead, clock = Date.now } = options;
  return translating("open the index", async () => {
    const layout = openLayout(root, { owner: true });
    const owned = await lockRoot(layout);
    try {
      const run = randomBytes(8).toString("hex");
      const path = join(layout.own, "index.db");
      const database = await openAndSweep(path, { layout, run, now: clock() });
      const thread = fileThread(layout.root);
      const space = reservedSpace(layout, database);
      await space.keep();
      // A listing frees no space, but clients must see what they can delete.
      const listed: IndexDatabase = {
        ...database,
        lightTransaction: (steps) => space.spending(() => database.lightTransaction(steps)),
      };
      const folders = folderReader({ database: listed, layout, thread, space, clock, onRead });
      const local = localIndexWriter({ database, space, clock });
      const claim: IndexWriter["claim"] = (ref, intent) => {
        folders.touch(ref);
        return local.claim(ref, intent);
      };
      const writer: IndexWriter = {
        ...local,
        ...bucketWriter({ database, layout, space, run }, claim),
        refresh: folders.refresh,
        forget: folders.forget,
        indexPath: async () => path,
      };
      return {
        run,
        layout,
        reader: database,
        writer,
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

interface OpenOptions {
  readonly layout: Layout;
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Opens the index and removes what a crash has left. On a full disk, gives up the reserved space and tries again. */
async function openAndSweep(path: string, options: OpenOptions): Promise<IndexDatabase> {
  const { layout } = options;
  try {
    return await openOnce(path, options);
  } catch (error) {
    if (!isDiskFull(error, layout.own)) throw error;
    if (giveUpReserve(layout)) return openAndSweep(path, options);
    const message = `the disk is full, so the index below ${layout.own} cannot be written. Free about 1 MB and start again`;
    throw new StorageError("DISK_FULL", message, { cause: error });
  }
}

async function openOnce(path: string, { layout, run, now }: OpenOptions): Promise<IndexDatabase> {
  const currentFingerprint = (ref: ObjectRef): string | undefined => fingerprintNow(layout, ref);
  const mayBeAway = (bucket: string): boolean => isEmptyOrMissing(layout.folder(bucket, ""));
  const database = await openIndexDatabase(path, run);
  try {
    await matchCopiedFiles({ database, layout, path, currentFingerprint });
    await sweep({ database, root: layout.root, run, currentFingerprint, mayBeAway });
    dropOrphans(database, layout);
    const hasUploads = database.names.hasObjects(LOOSE_BUCKET);
    recordLooseFiles(layout.own, { isLoose: layout.hasLooseFiles, hasUploads });
    await sweepUploads({ database, layout, now, currentFingerprint, mayBeAway });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Removes what belonged to a deleted bucket, so that it does not return with a new bucket of that name. A missing folder may be on
 * a disk that is not mounted yet, so a bucket with objects keeps its rows. Creating a bucket removes them.
 */
function dropOrphans({ names, uploads, transaction }: IndexDatabase, layout: Layout): void {
  const isGone = (bucket: string): boolean => !layout.hasBucket(bucket) && !names.hasObjects(bucket);
  const steps = [
    ...names.bucketsWithSettings().flatMap((bucket) => (isGone(bucket) ? [() => names.removeBucket(bucket)] : [])),
    ...uploads.allOpen().flatMap(({ id, ref }) => (isGone(ref.bucket) ? [() => uploads.removeUpload(id)] : [])),
  ];
  if (steps.length > 0) transaction(steps);
}

/** The kernel releases SQLite's file lock however the process ends. Node has no other lock like that. */
async function lockRoot(layout: Layout): Promise<Database> {
  const database = await openDatabase(join(layout.own, "owner.db"), { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return database;
  } catch (error) {
    database.close();
    throw unavailable("another gateway serves this folder: stop it, or give each its own", error);
  }
}

/** A disk that is not mounted leaves no folder, or an empty mount point. */
function isEmptyOrMissing(folder: string | undefined): boolean {
  const opened = folder === undefined ? undefined : unlessAbsent(() => opendirSync(folder));
  try {
    return opened === undefined || opened.readSync() === null;
  } finally {
    opened?.closeSync();
  }
}

function fingerprintNow(layout: Layout, ref: ObjectRef): string | undefined {
  const places = layout.places(ref);
  for (const path of [places?.plain, places?.hashed]) {
    if (path === undefined || lstatOrAbsent(path)?.isFile() !== true) continue;
    return fingerprintOf(lstatSync(path, { bigint: true }));
  }
  return undefined;
}
