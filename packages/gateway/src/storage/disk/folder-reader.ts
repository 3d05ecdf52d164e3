/**
 * Brings the names that lie in folders into the index. Only the process that owns the index does it: a thread reads, and the
 * names are taken over in pieces of about a millisecond.
 */
import { type ObjectRef, StorageError } from "../storage.ts";
import type { FileThread, FolderPart } from "./file-thread.ts";
import type { IndexDatabase } from "./index-db.ts";
import type { Layout } from "./layout.ts";
import { type ReadProgress, readProgress } from "./read-progress.ts";

export interface FolderReader {
  /**
   * Takes over the names of folders (by their prefix) that have changed since they were read. Resolves when they are in the index;
   * at once for a large folder that was read a moment ago or has changed by uploads, which are in the index already.
   */
  refresh(bucket: string, prefixes: readonly string[]): Promise<void>;
  /** Notes that an upload or a deletion changes the folder of this key. */
  touch(ref: ObjectRef): void;
  /** Ends what is being read. */
  close(): void;
}

export interface FolderReaderOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  readonly thread: FileThread;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly onRead: ((progress: ReadProgress) => void) | undefined;
}

/**
 * A name may come in the same tick of the file system's clock as the last change that was seen. So the stamp of a folder that has
 * changed this recently is not believed next time: two seconds is the coarsest tick in use (FAT).
 */
const RACY_MS = 2000;
/** Folders that take longer to read do not hold up every listing: they are read for a tenth of the time at most. */
const LONG_MS = 100;
const REST = 10;

interface LongFolder {
  took: number;
  ended: number;
  /** Uploads or deletions have changed it since it was read. */
  touched: boolean;
}

export function folderReader({ database, layout, thread, clock, onRead }: FolderReaderOptions): FolderReader {
  const long = new Map<string, LongFolder>();
  const underWay = new Map<string, Promise<void>>();
  let closed = false;
  const report = onRead === undefined ? undefined : readProgress(onRead);
  const nameOf = (bucket: string, prefix: string): string => `${bucket}/${prefix}`;

  function take(bucket: string, prefix: string, { files, folders, ended }: FolderPart): void {
    // What no key can have for its path is no object, also when a file lies there.
    const keys = files
      .map((name) => prefix + name)
      .filter((key) => layout.places({ bucket, key })?.plain !== undefined);
    const below = folders
      .map((name) => `${prefix}${name}/`)
      .filter((path) => layout.folder(bucket, path) !== undefined);
    if (keys.length > 0) database.names.addNames(bucket, keys);
    if (below.length > 0) database.names.addFolders(bucket, below);
    if (ended === undefined) return;
    if (ended.stamp === undefined) database.names.removeFolder(bucket, prefix);
    else database.names.setStamp(bucket, prefix, isRacy(ended.stamp, clock()) ? "" : ended.stamp);
  }

  async function readAll(bucket: string, prefixes: readonly string[]): Promise<void> {
    let began = performance.now();
    for await (const parts of thread.read(prefixes.map((prefix) => layout.folder(bucket, prefix) ?? ""))) {
      if (closed) throw new StorageError("UNAVAILABLE", "the storage is being closed");
      database.lightTransaction(parts.map((part) => () => take(bucket, prefixes[part.index] ?? "", part)));
      const now = performance.now();
      for (const { index, ended } of parts) {
        if (ended === undefined) continue;
        const name = nameOf(bucket, prefixes[index] ?? "");
        if (now - began > LONG_MS) long.set(name, { took: now - began, ended: now, touched: false });
        else long.delete(name);
        began = now;
      }
      report?.(bucket, parts);
    }
  }

  function read(bucket: string, prefixes: readonly string[]): Promise<void> {
    for (const prefix of prefixes) {
      const known = long.get(nameOf(bucket, prefix));
      if (known !== undefined) known.touched = false;
    }
    const reading = readAll(bucket, prefixes).finally(() => {
      for (const prefix of prefixes) underWay.delete(nameOf(bucket, prefix));
    });
    for (const prefix of prefixes) underWay.set(nameOf(bucket, prefix), reading);
    return reading;
  }

  return {
    async refresh(bucket, prefixes) {
      const awaited: Promise<void>[] = [];
      const wanted: string[] = [];
      for (const prefix of prefixes) {
        const name = nameOf(bucket, prefix);
        const known = long.get(name);
        const reading = underWay.get(name);
        if (known !== undefined && performance.now() < known.ended + REST * known.took) continue;
        if (known?.touched === true) {
          // The next listing sees what others have put there; a failure shows when somebody waits.
          if (reading === undefined) read(bucket, [prefix]).catch(() => {});
        } else if (reading !== undefined) awaited.push(reading);
        else wanted.push(prefix);
      }
      if (wanted.length > 0) awaited.push(read(bucket, wanted));
      await Promise.all(awaited);
    },
    touch({ bucket, key }) {
      if (long.size === 0) return;
      const known = long.get(nameOf(bucket, key.slice(0, key.lastIndexOf("/") + 1)));
      if (known !== undefined) known.touched = true;
    },
    close() {
      closed = true;
    },
  };
}

/** A stamp is `inode:mtime:ctime`; nobody can set the change time back. */
function isRacy(stamp: string, now: number): boolean {
  return Number(stamp.slice(stamp.lastIndexOf(":") + 1)) / 1e6 > now - RACY_MS;
}
