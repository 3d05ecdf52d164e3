/** Small files in memory. A hit costs one `lstat`: a file that differs in any number is opened again. */
import type { Stats } from "node:fs";
import type { ObjectRef, OpenObject } from "../../contract/storage.ts";
import { type FileIdentity, isSameFile } from "./open-file.ts";

/**
 * A file that is written twice within one tick of the clock keeps its times, so recent changes are not cached. Two seconds is the
 * coarsest tick in use (FAT). The change time counts, because no program can set it back.
 */
const RACY_MS = 2000;
/** The least cost of an entry in addition to its bytes. */
const ENTRY_OVERHEAD = 1024;
/** The part of it that is no text. */
const ENTRY_ITSELF = 512;

export interface CachedFile {
  readonly ref: ObjectRef;
  readonly path: string;
  /** A folder without which the file is no object. */
  readonly tiedTo?: string | undefined;
  readonly identity: FileIdentity;
  readonly object: OpenObject;
}

interface Entry extends CachedFile {
  used: boolean;
  /** Bytes that count against the capacity. */
  readonly weight: number;
}

export interface SmallFileCache {
  /** Returns the object while its file is unchanged. */
  get(ref: ObjectRef): OpenObject | undefined;
  /** Caches a file, unless it changed too recently. */
  add(file: CachedFile): void;
  clear(): void;
}

export interface SmallFileCacheOptions {
  /** Bytes of all entries. */
  readonly capacity: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly lstat: (path: string) => Stats | undefined;
}

export function smallFileCache({ capacity, clock, lstat }: SmallFileCacheOptions): SmallFileCache {
  // Two levels of maps, because joining bucket and key into one string costs more than a second look-up.
  const buckets = new Map<string, Map<string, Entry>>();
  // Second chance: a hit only sets a flag. The eviction spares what was used since its last visit.
  const queue = new Set<Entry>();
  let bytes = 0;

  function remove(entry: Entry): void {
    if (!queue.delete(entry)) return;
    bytes -= entry.weight;
    const keys = buckets.get(entry.ref.bucket);
    keys?.delete(entry.ref.key);
    if (keys?.size === 0) buckets.delete(entry.ref.bucket);
  }

  function evict(): void {
    for (const entry of queue) {
      if (bytes <= capacity) return;
      if (!entry.used) {
        remove(entry);
        continue;
      }
      entry.used = false;
      queue.delete(entry);
      queue.add(entry);
    }
  }

  return {
    get(ref) {
      const entry = buckets.get(ref.bucket)?.get(ref.key);
      if (entry === undefined) return undefined;
      const { path, tiedTo } = entry;
      const stats = lstat(path);
      const hasFolder = tiedTo === undefined || lstat(tiedTo)?.isDirectory() === true;
      if (!hasFolder || stats === undefined || !isSameFile(entry.identity, stats)) {
        remove(entry);
        return undefined;
      }
      entry.used = true;
      return entry.object;
    },
    add(file) {
      const old = buckets.get(file.ref.bucket)?.get(file.ref.key);
      if (old !== undefined) remove(old);
      const weight = weightOf(file);
      if (clock() - file.identity.ctimeMs < RACY_MS || weight > capacity) return;
      const entry = { ...file, used: false, weight };
      const keys = buckets.get(file.ref.bucket) ?? new Map<string, Entry>();
      buckets.set(file.ref.bucket, keys.set(file.ref.key, entry));
      queue.add(entry);
      bytes += weight;
      evict();
    },
    clear() {
      buckets.clear();
      queue.clear();
      bytes = 0;
    },
  };
}

/** An uploader chooses up to 20 KB of headers, metadata and tags, so they count, too. A character has at most two bytes. */
function weightOf({ ref, path, identity, object }: CachedFile): number {
  const { contentType, headers, metadata, tags = {}, checksums } = object.info;
  let text = ref.key.length + path.length + contentType.length;
  for (const fields of [headers, metadata, tags, checksums]) {
    for (const [name, value] of Object.entries(fields)) text += name.length + String(value).length;
  }
  return identity.size + Math.max(ENTRY_OVERHEAD, ENTRY_ITSELF + 2 * text);
}
