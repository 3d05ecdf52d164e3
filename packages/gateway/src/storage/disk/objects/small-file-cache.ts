/**
 * Small files in memory. A hit costs one `lstat`: the file is opened again as soon as any of its identity differs.
 */
import type { Stats } from "node:fs";
import type { ObjectRef, OpenObject } from "../../contract/storage.ts";
import { type FileIdentity, isSameFile } from "./fingerprint.ts";

/**
 * A file written twice within one tick of the clock keeps its times. So what changed this recently is not remembered: two
 * seconds is the coarsest tick of a file system in use (FAT). The change time counts, which nobody can set back.
 */
const RACY_MS = 2000;
/** Rough cost of an entry besides its bytes, with headers as most have them. */
const ENTRY_OVERHEAD = 1024;
/** The part of it that is no text. */
const ENTRY_ITSELF = 512;

export interface CachedFile {
  readonly ref: ObjectRef;
  readonly path: string;
  /** A folder without which the file counts for nothing. */
  readonly tiedTo?: string | undefined;
  readonly identity: FileIdentity;
  readonly object: OpenObject;
}

interface Entry extends CachedFile {
  used: boolean;
  /** Bytes that it counts for. */
  readonly weight: number;
}

export interface SmallFileCache {
  /** Returns the object while its file is still the one that was read. */
  get(ref: ObjectRef): OpenObject | undefined;
  /** Remembers a file, unless it changed too recently. */
  add(file: CachedFile): void;
  clear(): void;
}

export interface SmallFileCacheOptions {
  /** Bytes in all. */
  readonly capacity: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly lstat: (path: string) => Stats | undefined;
}

export function smallFileCache(options: SmallFileCacheOptions): SmallFileCache {
  const { capacity, clock, lstat } = options;
  // Two levels of maps, because joining bucket and key into one string costs more than a second look-up.
  const buckets = new Map<string, Map<string, Entry>>();
  // Second chance: a hit only sets a flag, and the eviction passes over what was used since its last visit.
  const queue = new Set<Entry>();
  let bytes = 0;

  function remove(entry: Entry): void {
    if (!queue.delete(entry)) return;
    bytes -= entry.weight;
    const keys = buckets.get(entry.ref.bucket);
    keys?.delete(entry.ref.key);
    if (keys?.size === 0) buckets.delete(entry.ref.bucket);
  }

  function makeRoom(): void {
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
      const isThere = tiedTo === undefined || lstat(tiedTo)?.isDirectory() === true;
      if (!isThere || stats === undefined || !isSameFile(entry.identity, stats)) {
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
      const entry = { ...file, used: false, weight };
      if (clock() - file.identity.ctimeMs < RACY_MS || weight > capacity) return;
      const keys = buckets.get(file.ref.bucket) ?? new Map<string, Entry>();
      buckets.set(file.ref.bucket, keys.set(file.ref.key, entry));
      queue.add(entry);
      bytes += weight;
      makeRoom();
    },
    clear() {
      buckets.clear();
      queue.clear();
      bytes = 0;
    },
  };
}

/**
 * An uploader chooses headers, metadata and tags, 20 KB of them: with the bytes of the file alone an empty one would count for a twentieth of
 * what it takes. A character has two bytes at the most.
 */
function weightOf({ ref, path, identity, object }: CachedFile): number {
  const { contentType, headers, metadata, tags = {}, checksums } = object.info;
  let text = ref.key.length + path.length + contentType.length;
  for (const fields of [headers, metadata, tags, checksums]) {
    for (const [name, value] of Object.entries(fields)) text += name.length + String(value).length;
  }
  return identity.size + Math.max(ENTRY_OVERHEAD, ENTRY_ITSELF + 2 * text);
}
