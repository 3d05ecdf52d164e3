import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { servedFiles } from "@daypass/gateway/disk";
import { compareUtf8 } from "./utf8-order.ts";

interface Entry {
  /** With a slash at its end where it is a folder, so that sorting gives the order of whole keys. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** Why a file or folder is left out: no key can be made of its name, or the gateway serves none of that name. */
export type SkipReason = "NAME_NOT_UTF8" | "NOT_SERVED";

/** Told of what is left out, a folder with all that is in it. */
export type OnSkipped = (path: string, reason: SkipReason) => void;

interface Walk {
  readonly root: string;
  /** Keys up to this one have been seen. */
  readonly after: string;
  readonly onSkipped: OnSkipped;
  /** Whether a gateway serves a file of this key, where only such files are wanted. */
  readonly isServed?: (key: string) => boolean;
  /** Whether folders are none of it. */
  readonly filesOnly?: boolean;
}

/**
 * The regular files below a folder as keys, sorted as a bucket would list them; symbolic links are not followed, and what a
 * gateway keeps for itself (`.daypass`) is left out. Holds the names of one folder on each level in memory.
 */
export async function* folderKeys(root: string, after = "", onSkipped: OnSkipped = () => {}): AsyncGenerator<string> {
  yield* below("", { root, after, onSkipped });
}

async function* below(path: string, walk: Walk): AsyncGenerator<string> {
  const { after } = walk;
  for (const { name, isFolder } of await sortedEntries(path, walk)) {
    const key = path + name;
    if (isFolder) {
      const isBehind = compareUtf8(key, after) > 0 || after.startsWith(key);
      if (isBehind) yield* below(key, walk);
    } else if (compareUtf8(key, after) > 0) yield key;
  }
}

/** The folders at the top of a served folder, its buckets, and whether loose files lie beside them. */
export async function servedBuckets(root: string, onSkipped: OnSkipped): Promise<readonly ServedBucket[]> {
  const objectAt = servedFiles(root);
  const entries = await sortedEntries("", { root, onSkipped, isServed: () => true });
  const buckets = new Map<string, ServedBucket>();
  for (const { name, isFolder } of entries) {
    // Any key will do: what is asked is whether the folder is a bucket.
    const bucket = objectAt(isFolder ? [name.slice(0, -1), "a"] : [name])?.bucket;
    if (bucket === undefined || buckets.has(bucket)) continue;
    const folder = isFolder ? join(root, bucket) : root;
    const isServed = (key: string): boolean => objectAt(isFolder ? [bucket, ...key.split("/")] : [key])?.key === key;
    buckets.set(bucket, { name: bucket, folder, isLoose: !isFolder, isServed });
  }
  return [...buckets.values()].sort((a, b) => compareUtf8(a.name, b.name));
}

export interface ServedBucket {
  readonly name: string;
  readonly folder: string;
  /** The files of the folder itself and nothing below it. */
  readonly isLoose: boolean;
  /** By the rule of the gateway's own storage. */
  readonly isServed: (key: string) => boolean;
}

/** The keys of one bucket of a served folder. */
export async function* servedKeys(
  { folder, isLoose, isServed }: ServedBucket,
  { after = "", onSkipped }: { readonly after?: string | undefined; readonly onSkipped: OnSkipped },
): AsyncGenerator<string> {
  const walk = { root: folder, after, onSkipped, isServed, filesOnly: isLoose };
  if (!isLoose) return yield* below("", walk);
  for (const { name } of await sortedEntries("", walk)) if (compareUtf8(name, after) > 0) yield name;
}

async function sortedEntries(
  path: string,
  { root, onSkipped, isServed, filesOnly = false }: Omit<Walk, "after">,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const entry of await readdir(join(root, path), { withFileTypes: true, encoding: "buffer" })) {
    const bytes = entry.name as unknown as Buffer;
    const isFolder = entry.isDirectory();
    if (isFolder ? filesOnly : !entry.isFile()) continue;
    const name = bytes.toString("utf8");
    const key = path + name;
    if (!isUtf8(bytes)) {
      onSkipped(join(root, key), "NAME_NOT_UTF8");
      continue;
    }
    if (isServed ? name.startsWith(".daypass") : name === ".daypass" || /^\.daypass-.*\.tmp$/.test(name)) continue;
    if (isServed?.(isFolder ? `${key}/a` : key) === false) {
      onSkipped(join(root, key), "NOT_SERVED");
      continue;
    }
    entries.push({ name: isFolder ? `${name}/` : name, isFolder });
  }
  return entries.sort((a, b) => compareUtf8(a.name, b.name));
}
