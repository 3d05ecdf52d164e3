/** The index of a disk without room, or of one that is only read: a copy of it elsewhere. Objects are served by it, and nothing is stored. */
import { rmSync, statfsSync } from "node:fs";
import { constants, copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isStorageError, StorageError } from "../../contract/storage.ts";
import { errnoOf, translated } from "../errors.ts";
import { readOnly } from "../refusals.ts";
import type { IndexWriter } from "./contract.ts";
import { type IndexDatabase, openIndexDatabase } from "./index-database.ts";

/** SQLite needs as much for the shared memory beside an index, and says nothing of the disk when it has not got it. */
const LEAST_BYTES = 64 * 1024;

/** Whether a failure comes of a disk that has no room. */
export function isForRoom(error: unknown, folder: string): boolean {
  const fault = translated(error, "open the index");
  if (isStorageError(fault) && fault.code === "DISK_FULL") return true;
  if (fault === error) return false;
  const free = freeBytes(folder);
  return free !== undefined && free < LEAST_BYTES;
}

/** Bytes for whoever asks; `undefined` where the disk does not say, as when it is away. */
export function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

export interface SpareIndex {
  readonly path: string;
  readonly database: IndexDatabase;
  /** Takes the copy away again. */
  close(): void;
}

/**
 * Copies an index, with what SQLite has not yet moved into it, to the folder for temporary files. Nobody may write into it
 * meanwhile. Where there was no index it begins with an empty one.
 */
export async function openSpareIndex(path: string, run: string): Promise<SpareIndex> {
  const folder = await mkdtemp(join(tmpdir(), "daypass-index-"));
  const copy = join(folder, basename(path));
  try {
    for (const suffix of ["", "-wal"]) await copyIfThere(path + suffix, copy + suffix);
    const database = await openIndexDatabase(copy, run);
    return {
      path: copy,
      database,
      close() {
        database.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/**
 * What stores something is refused. What takes away files is not: a file that is gone is gone, whatever the index says of it, and the
 * names that listings find may go into the copy.
 */
export function withoutRoom(writer: IndexWriter): IndexWriter {
  const refuse = async (): Promise<never> => {
    throw new StorageError(
      "DISK_FULL",
      "the disk was full when the gateway started, so nothing is stored: free some space and restart it",
    );
  };
  return {
    ...writer,
    claim: (ref, intent) => (intent.kind === "delete" ? writer.claim(ref, intent) : refuse()),
    addFolder: refuse,
    createUpload: refuse,
    openPart: refuse,
    createBucket: refuse,
    setForBucket: refuse,
  };
}

/** All is refused but what goes into the copy: the names that listings find. */
export function withoutWrites({ refresh, forget, indexPath }: IndexWriter): IndexWriter {
  const refuse = async (): Promise<never> => {
    throw readOnly();
  };
  return {
    refresh,
    forget,
    indexPath,
    claim: refuse,
    addFolder: refuse,
    createUpload: refuse,
    openPart: refuse,
    closeUpload: refuse,
    createBucket: refuse,
    removeBucket: refuse,
    setForBucket: refuse,
  };
}
