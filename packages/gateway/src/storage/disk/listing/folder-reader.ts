/**
 * Brings the names in folders into the index, in the process that owns it: a thread reads them, and the index takes them over in
 * pieces of about a millisecond.
 */
import type { ObjectRef } from "../../contract/storage.ts";
import type { IndexDatabase } from "../database/index-database.ts";
import { unavailable } from "../errors.ts";
import type { Layout } from "../layout.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";
import type { ReservedSpace } from "../reserved-space.ts";
import type { FileThread, FolderPart } from "./file-thread.ts";
import { type ReadProgress, readProgress } from "./read-progress.ts";

export interface FolderReader {
  /**
   * Reads the changed ones of some folders (by their prefix) into the index. Does not wait for a large folder that was read a moment
   * ago, or that only uploads have changed: the index has those names already.
   */
  refresh(bucket: string, prefixes: readonly string[]): Promise<void>;
  /** Removes names that have no file, unless an upload is about to make it. */
  forget(bucket: string, keys: readonly string[]): Promise<void>;
  /** Records that an upload or a deletion changes the folder of this key. */
  touch(ref: ObjectRef): void;
  /** Ends all reading. */
  close(): void;
}

export interface FolderReaderOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  readonly thread: FileThread;
  readonly space: Pick<ReservedSpace, "isDiskFull">;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly onRead: ((progress: ReadProgress) => void) | undefined;
  /** Monotonic milliseconds. */
  readonly stopwatch?: (() => number) | undefined;
}

/**
 * A name may arrive in the same clock tick as the last seen change. So the stamp of a folder that changed this recently is not
 * trusted next time. Two seconds is the coarsest tick in use (FAT).
 */
const RACY_MS = 2000;
/** Folders that take longer to read do not delay every listing: they are read for a tenth of the time at most. */
const LONG_MS = 100;
const REST = 10;
/** Names and folders after which a request stops descending into new folders. */
const ENOUGH = 256;

interface LongFolder {
  took: number;
  ended: number;
  /** Whether uploads or deletions have changed it since it was read. */
  touched: boolean;
}

interface Waiting {
  readonly awaited: readonly Promise<void>[];
  /** Folders whose reading began before the request. It may have passed the place of a newer name. */
  readonly late: readonly string[];
}

export function folderReader(options: FolderReaderOptions): FolderReader {
  const { database, layout, thread, space, clock, onRead, stopwatch = () => performance.now() } = options;
  const long = new Map<string, LongFolder>();
  const running = new Map<string, { readonly began: number; readonly ended: Promise<void> }>();
  let closed = false;
  const report = onRead === undefined ? undefined : readProgress(onRead);
  const nameOf = (bucket: string, prefix: string): string => `${bucket}/${prefix}`;

  function take(bucket: string, prefix: string, part: FolderPart, since: number): void {
    const { files, folders, ended } = part;
    // A file whose path no key can have is no object.
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

  /** The unread folders below a folder. */
  function unread(bucket: string, prefix: string, { folders }: FolderPart): string[] {
    return folders
      .map((name) => `${prefix}${name}/`)
      .filter((folder) => database.names.folder(bucket, folder)?.stamp === "");
  }

  function recordTime(name: string, { took, ended }: Pick<LongFolder, "took" | "ended">): void {
    if (took > LONG_MS) long.set(name, { took, ended, touched: false });
    else long.delete(name);
  }

  /** Reads folders, then the new ones below them while they are few, so that a tree takes few turns. */
  async function readAll(bucket: string, prefixes: readonly string[]): Promise<void> {
    for (let next = prefixes, count = 0; next.length > 0 && count < ENOUGH; ) {
      const found: string[] = [];
      count += next.length;
      const since = clock();
      // Milliseconds spent on writing the names of the present folder.
      let writing = 0;
      for await (const parts of thread.read(layout.foldersToRead(bucket, next))) {
        if (closed) throw unavailable("the storage is being closed");
        const began = stopwatch();
        database.lightTransaction(parts.map((part) => () => take(bucket, next[part.index] ?? "", part, since)));
        const now = stopwatch();
        for (const part of parts) {
          const prefix = next[part.index] ?? "";
          count += part.files.length;
          if (found.length < ENOUGH) found.push(...unread(bucket, prefix, part));
          writing += (now - began) / parts.length;
          if (part.ended === undefined) continue;
          // Without the time it waited, or a small folder could count as a large one.
          recordTime(nameOf(bucket, prefix), { took: part.ended.took + writing, ended: now });
          writing = 0;
        }
        report?.(bucket, parts);
        // The thread answers at once. Without a pause, other requests would wait.
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
    const began = stopwatch();
    const ended = readAll(bucket, prefixes).finally(() => {
      for (const name of names) running.delete(name);
    });
    for (const name of names) running.set(name, { began, ended });
    return ended;
  }

  /** Starts reading folders, and returns what a listing that began at `asked` must wait for. */
  function begin(bucket: string, prefixes: readonly string[], asked: number): Waiting {
    const awaited: Promise<void>[] = [];
    const idle: string[] = [];
    const late: string[] = [];
    for (const prefix of prefixes) {
      const name = nameOf(bucket, prefix);
      const known = long.get(name);
      const reading = running.get(name);
      if (known !== undefined && stopwatch() < known.ended + REST * known.took) continue;
      if (known?.touched === true) {
        // The next listing sees new files of other programs. A failure shows when a listing waits.
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

  function hasFile(bucket: string, key: string): boolean {
    const places = layout.places({ bucket, key });
    return [places?.plain, places?.hashed].some((path) => path !== undefined && lstatOrAbsent(path)?.isFile() === true);
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
    async forget(bucket, keys) {
      const gone = keys.filter((key) => !hasFile(bucket, key) && !database.isUnsettled({ bucket, key }));
      if (gone.length === 0) return;
      try {
        database.lightTransaction([() => database.names.removeNames(bucket, gone)]);
      } catch (error) {
        // An extra name costs a look.
        if (!space.isDiskFull(error)) throw error;
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

/** A stamp is `inode:mtime:ctime`. No program can set the ctime back. `since` is when the reading began. */
function isRacy(stamp: string, since: number): boolean {
  return Number(stamp.slice(stamp.lastIndexOf(":") + 1)) / 1e6 > since - RACY_MS;
}
