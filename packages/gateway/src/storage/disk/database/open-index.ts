/** The index of a root, opened by the one process that owns it. */
import { randomBytes } from "node:crypto";
import { lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { type ObjectRef, StorageError } from "../../contract/storage.ts";
import { adoptCopies } from "./restored-copy.ts";
import { bucketWriter } from "../bucket-writer.ts";
import { translating } from "../errors.ts";
import { type Layout, openLayout } from "../layout.ts";
import { type FileThread, fileThread } from "../listing/file-thread.ts";
import { folderReader } from "../listing/folder-reader.ts";
import type { ReadProgress } from "../listing/read-progress.ts";
import { fingerprintOf } from "../objects/fingerprint.ts";
import { LOOSE_BUCKET } from "../objects/key-path.ts";
import { lstatOrAbsent, unlessAbsent } from "../objects/open-file.ts";
import { keptRoom } from "../reserved-space.ts";
import { sweep } from "./sweep.ts";
import { sweepUploads } from "../uploads/sweep-uploads.ts";
import type { IndexReader, IndexWriter } from "./contract.ts";
import { type IndexDatabase, openIndexDatabase } from "./index-database.ts";
import { nameKeeper } from "./name-index.ts";
import { isForRoom, openSpareIndex, withoutRoom, withoutWrites } from "./spare-index.ts";
import { type Database, openDatabase } from "./sqlite.ts";
import { localIndexWriter } from "./index-writer.ts";

/** The index of a folder, open in the one process that owns it. */
export interface DiskIndex {
  /** @internal */
  readonly run: string;
  /** @internal */
  readonly layout: Layout;
  /** @internal */
  readonly reader: IndexReader;
  /** What {@link serveIndexWriter} provides to a worker. */
  readonly writer: IndexWriter;
  /** Where this process looks at files for its listings. @internal */
  readonly thread: FileThread;
  /** Gives the folder free for another owner. Workers that still write fail. */
  close(): void;
}

/** Options of {@link openDiskIndex}. */
export interface DiskIndexOptions {
  /** Called with the progress of reading folders for a listing, after two seconds and every two seconds from then on. */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
  /**
   * Told when the disk has no room for the index to be written. Objects are then served by a copy of it in the folder for temporary
   * files, and everything that would store something is `DISK_FULL`, until there is room and the index is opened again. Objects
   * can be deleted all the while.
   */
  readonly onFull?: (() => void) | undefined;
  /**
   * Called if the folder is not writable. Objects are then served from a copy of the index in the folder for temporary
   * files, and everything else is `READ_ONLY`. Nothing prevents another gateway from serving the same folder.
   */
  readonly onReadOnly?: (() => void) | undefined;
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
 * @throws {StorageError} `UNAVAILABLE`
 */
export function openDiskIndex(root: string, options: DiskIndexOptions = {}): Promise<DiskIndex> {
  const { onRead, onFull, onReadOnly, clock = Date.now } = options;
  return translating("open the index", async () => {
    const layout = openLayout(root, { owner: true });
    const owned = layout.readOnly ? undefined : await own(layout);
    try {
      const run = randomBytes(8).toString("hex");
      const { database, path, full, closeIndex } = await openAndSweep(layout, run, clock());
      if (layout.readOnly) onReadOnly?.();
      else if (full) onFull?.();
      const thread = fileThread(layout.root);
      const room = keptRoom(layout, database);
      if (!full) await room.keep();
      // A listing takes nothing away, but who is to make room has to see what there is.
      const listed: IndexDatabase = {
        ...database,
        lightTransaction: (steps) => room.spending(() => database.lightTransaction(steps)),
      };
      const folders = folderReader({ database: listed, layout, thread, clock, onRead });
      const local = localIndexWriter({ database, room, clock });
      const claim: IndexWriter["claim"] = (ref, intent) => {
        folders.touch(ref);
        return local.claim(ref, intent);
      };
      const writer: IndexWriter = {
        ...local,
        ...bucketWriter({ database, layout, room, run }, claim),
        ...nameKeeper({ database: listed, layout, folders, room }),
        indexPath: async () => path,
      };
      return {
        run,
        layout,
        reader: database,
        writer: layout.readOnly ? withoutWrites(writer) : full ? withoutRoom(writer) : writer,
        thread,
        close() {
          folders.close();
          thread.close();
          local.close();
          closeIndex();
          owned?.close();
        },
      };
    } catch (error) {
      owned?.close();
      throw error;
    }
  });
}

interface OpenedDatabase {
  readonly database: IndexDatabase;
  readonly path: string;
  /** Whether it is a copy, because the disk has no room to write to its own, or cannot be written. */
  readonly full: boolean;
  closeIndex(): void;
}

/** Opens the index and removes what a crash has left; on a disk without room the index is a copy, and the next start cleans the own. */
async function openAndSweep(layout: Layout, run: string, now: number): Promise<OpenedDatabase> {
  const path = indexPath(layout);
  const found = {
    currentFingerprint: (ref: ObjectRef): string | undefined => currentFingerprint(layout, ref),
    mayBeAway: (bucket: string): boolean => mayBeAway(layout, bucket),
  };
  const clean = async (database: IndexDatabase, { spare = false } = {}): Promise<void> => {
    await adoptCopies({ database, layout, path, spare, ...found });
    await sweep({ database, root: layout.root, run, ...found });
    dropOrphans(database, layout);
    if (database.names.hasObjects(LOOSE_BUCKET)) await layout.settle(LOOSE_BUCKET);
    await sweepUploads({ database, layout, now, ...found });
  };
  const open = async (): Promise<OpenedDatabase> => {
    const database = await openIndexDatabase(path, run);
    try {
      await clean(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return { database, path, full: false, closeIndex: () => database.close() };
  };
  if (layout.readOnly) {
    const spare = await openSpareIndex(path, run);
    await adoptCopies({ database: spare.database, layout, path, spare: true, ...found });
    return { ...spare, full: true, closeIndex: spare.close };
  }
  try {
    return await open();
  } catch (error) {
    if (!isForRoom(error, layout.own)) throw error;
    const spare = await openSpareIndex(path, run).catch(() => {
      throw error;
    });
    // What a crash has left may be what fills the disk.
    await clean(spare.database, { spare: true });
    const opened = await open().catch(() => undefined);
    if (opened === undefined) return { ...spare, full: true, closeIndex: spare.close };
    spare.close();
    return opened;
  }
}

/**
 * What belonged to a bucket that is gone must not come back with one of its name. But a folder may only be away for a while, on a disk
 * that is not there yet: where something is known of objects nothing is dropped. Whoever makes a new bucket drops it.
 */
function dropOrphans(database: IndexDatabase, layout: Layout): void {
  const { names } = database;
  const isGone = (bucket: string): boolean => !layout.hasBucket(bucket) && !names.hasObjects(bucket);
  const gone = names.bucketsWithSettings().filter(isGone);
  const uploads = database.uploads.allOpen().filter(({ ref }) => isGone(ref.bucket));
  if (gone.length + uploads.length === 0) return;
  database.transaction([
    ...gone.map((bucket) => () => names.removeBucket(bucket)),
    ...uploads.map(
      ({ id }) =>
        () =>
          database.uploads.removeUpload(id),
    ),
  ]);
}

function indexPath(layout: Layout): string {
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

/** A disk that is away leaves no folder, or an empty one: that on which it is mounted. */
function mayBeAway(layout: Layout, bucket: string): boolean {
  const folder = layout.folder(bucket, "");
  const opened = folder === undefined ? undefined : unlessAbsent(() => opendirSync(folder));
  try {
    return opened === undefined || opened.readSync() === null;
  } finally {
    opened?.closeSync();
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
