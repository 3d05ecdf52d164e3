/**
 * Brings the names that lie in folders into the index. Only the process that owns the index does it: a thread reads, and the
 * names are taken over in pieces of about a millisecond.
 */
import { type ObjectRef, StorageError } from "../../contract/storage.ts";
import type { IndexDatabase } from "../database/index-database.ts";
import type { Layout } from "../layout.ts";
import type { FileThread, FolderPart } from "./file-thread.ts";
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
  /** Milliseconds that never go back. */
  readonly stopwatch?: (() => number) | undefined;
}

/**
 * A name may come in the same tick of the file system's clock as the last change that was seen. So the stamp of a folder that has
 * changed this recently is not believed next time: two seconds is the coarsest tick in use (FAT).
 */
const RACY_MS = 2000;
/** Folders that take longer to read do not hold up every listing: they are read for a tenth of the time at most. */
const LONG_MS = 100;
const REST = 10;
/** Names and folders after which a question does not go on below the folders that it named. */
const ENOUGH = 256;

interface LongFolder {
  took: number;
  ended: number;
  /** Uploads or deletions have changed it since it was read. */
  touched: boolean;
}

interface Waiting {
  readonly awaited: readonly Promise<void>[];
  /** Folders whose reading had begun before: it may have passed the place of a name that has come since. */
  readonly late: readonly string[];
}

export function folderReader(options: FolderReaderOptions): FolderReader {
  const { database, layout, thread, clock, onRead, stopwatch = () => performance.now() } = options;
  const long = new Map<string, LongFolder>();
  const underWay = new Map<string, { readonly began: number; readonly ended: Promise<void> }>();
  let closed = false;
  const report = onRead === undefined ? undefined : readProgress(onRead);
  const nameOf = (bucket: string, prefix: string): string => `${bucket}/${prefix}`;

  function take(bucket: string, prefix: string, part: FolderPart, since: number): void {
    const { files, folders, ended } = part;
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
    else database.names.setStamp(bucket, prefix, isRacy(ended.stamp, since) ? "" : ended.stamp);
  }

  /** The folders below one that are not known yet. */
  function unread(bucket: string, prefix: string, { folders }: FolderPart): string[] {
    return folders
      .map((name) => `${prefix}${name}/`)
      .filter((folder) => database.names.folder(bucket, folder)?.stamp === "");
  }

  function noteTime(name: string, { took, ended }: Pick<LongFolder, "took" | "ended">): void {
    if (took > LONG_MS) long.set(name, { took, ended, touched: false });
    else long.delete(name);
  }

  /** Reads folders, and then those that come to light below them while they are few: a tree is read in few turns. */
  async function readAll(bucket: string, prefixes: readonly string[]): Promise<void> {
    for (let next = prefixes, count = 0; next.length > 0 && count < ENOUGH; ) {
      const found: string[] = [];
      count += next.length;
      const since = clock();
      // Of the folder that is being read, to write its names.
      let writing = 0;
      for await (const parts of thread.read(layout.foldersToRead(bucket, next))) {
        if (closed) throw new StorageError("UNAVAILABLE", "the storage is being closed");
        const began = stopwatch();
        database.lightTransaction(parts.map((part) => () => take(bucket, next[part.index] ?? "", part, since)));
        const now = stopwatch();
        for (const part of parts) {
          const prefix = next[part.index] ?? "";
          count += part.files.length;
          if (found.length < ENOUGH) found.push(...unread(bucket, prefix, part));
          writing += (now - began) / parts.length;
          if (part.ended === undefined) continue;
          // What it waited for others, or for a processor, says nothing about the folder: a small one would be taken for a large one.
          noteTime(nameOf(bucket, prefix), { took: part.ended.took + writing, ended: now });
          writing = 0;
        }
        report?.(bucket, parts);
        // The thread answers as fast as it is asked; without a pause nothing else would have its turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
      next = found.slice(0, Math.max(ENOUGH - count, 0));
    }
  }

  function read(bucket: string, prefixes: readonly string[]): Promise<void> {
    const names = prefixes.map((prefix) => nameOf(bucket, prefix));
    for (const name of names) {
      const known = long.get(name);
      if (known !== undefined) known.touched = false;
    }
    const reading = { began: stopwatch(), ended: readAll(bucket, prefixes) };
    reading.ended = reading.ended.finally(() => {
      for (const name of names) underWay.delete(name);
    });
    for (const name of names) underWay.set(name, reading);
    return reading.ended;
  }

  /** Sees to it that folders are being read, and tells what a listing that was asked for at this time has to wait for. */
  function begin(bucket: string, prefixes: readonly string[], asked: number): Waiting {
    const awaited: Promise<void>[] = [];
    const idle: string[] = [];
    const late: string[] = [];
    for (const prefix of prefixes) {
      const name = nameOf(bucket, prefix);
      const known = long.get(name);
      const reading = underWay.get(name);
      if (known !== undefined && stopwatch() < known.ended + REST * known.took) continue;
      if (known?.touched === true) {
        // The next listing sees what others have put there; a failure shows when somebody waits.
        if (reading === undefined) read(bucket, [prefix]).catch(() => {});
      } else if (reading === undefined) idle.push(prefix);
      else {
        awaited.push(reading.ended);
        if (reading.began < asked) late.push(prefix);
      }
    }
    if (idle.length > 0) awaited.push(read(bucket, idle));
    return { awaited, late };
  }

  return {
    async refresh(bucket, prefixes) {
      const asked = stopwatch();
      for (let wanted = prefixes; wanted.length > 0; ) {
        const { awaited, late } = begin(bucket, wanted, asked);
        await Promise.all(awaited);
        wanted = late;
      }
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

/** A stamp is `inode:mtime:ctime`; nobody can set the change time back. `since` is when the reading began. */
function isRacy(stamp: string, since: number): boolean {
  return Number(stamp.slice(stamp.lastIndexOf(":") + 1)) / 1e6 > since - RACY_MS;
}
