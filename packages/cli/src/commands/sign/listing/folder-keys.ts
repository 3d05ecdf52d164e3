import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { servedFiles } from "@daypass/gateway/disk";
import { unchecked } from "../../../unchecked.ts";
import { compareUtf8 } from "./listed-objects.ts";

interface Entry {
  /** Ends with a slash for a folder, so that sorting gives the order of whole keys. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** Why a file or folder is skipped: its name is not UTF-8, or the gateway does not serve such names. */
export type SkipReason = "NAME_NOT_UTF8" | "NOT_SERVED";

/** Called for each skipped file, and once for a skipped folder. */
export type OnSkipped = (path: string, reason: SkipReason) => void;

interface Walk {
  readonly root: string;
  /** The last key that was listed before. */
  readonly after: string;
  readonly onSkipped: OnSkipped;
  /** Whether a gateway serves a file of this key. All files are listed if absent. */
  readonly isServed?: (key: string) => boolean;
  /** Whether to skip folders. */
  readonly filesOnly?: boolean;
}

/**
 * Lists the regular files below a folder as keys, in the order of a bucket's listing. Skips symbolic links, and `.daypass`, which
 * belongs to the gateway. Holds the names of one folder per level in memory.
 */
export async function* folderKeys(root: string, after = "", onSkipped: OnSkipped = () => {}): AsyncGenerator<string> {
  yield* below("", { root, after, onSkipped });
}

async function* below(path: string, walk: Walk): AsyncGenerator<string> {
  const { after } = walk;
  for (const { name, isFolder } of await sortedEntries(path, walk)) {
    const key = path + name;
    const isBehind = compareUtf8(key, after) > 0;
    if (isFolder) {
      if (isBehind || after.startsWith(key)) yield* below(key, walk);
    } else if (isBehind) yield key;
  }
}

/** A bucket of a served folder. */
export interface ServedBucket {
  readonly name: string;
  readonly folder: string;
  /** Whether the bucket has the loose files of the served folder, without its subfolders. */
  readonly isLoose: boolean;
  /** Whether the gateway's storage serves a file of this key. */
  readonly isServed: (key: string) => boolean;
}

/** The buckets of a served folder: its top folders, and one for its loose files. */
export async function servedBuckets(root: string, onSkipped: OnSkipped): Promise<readonly ServedBucket[]> {
  const objectAt = servedFiles(root);
  const entries = await sortedEntries("", { root, onSkipped, isServed: () => true });
  const buckets = new Map<string, ServedBucket>();
  for (const { name, isFolder } of entries) {
    // Any key shows whether the folder is a bucket.
    const bucket = objectAt(isFolder ? [name.slice(0, -1), "a"] : [name])?.bucket;
    if (bucket === undefined || buckets.has(bucket)) continue;
    const folder = isFolder ? join(root, bucket) : root;
    const isServed = (key: string): boolean => objectAt(isFolder ? [bucket, ...key.split("/")] : [key])?.key === key;
    buckets.set(bucket, { name: bucket, folder, isLoose: !isFolder, isServed });
  }
  return [...buckets.values()].sort((a, b) => compareUtf8(a.name, b.name));
}

/** The keys of one bucket of a served folder. */
export async function* servedKeys(
  { folder, isLoose, isServed }: ServedBucket,
  { after = "", onSkipped }: { readonly after?: string | undefined; readonly onSkipped: OnSkipped },
): AsyncGenerator<string> {
  yield* below("", { root: folder, after, onSkipped, isServed, filesOnly: isLoose });
}

async function sortedEntries(
  path: string,
  { root, onSkipped, isServed, filesOnly = false }: Omit<Walk, "after">,
): Promise<readonly Entry[]> {
  const entries: (Entry & { readonly bytes: Buffer })[] = [];
  for (const entry of await readdir(join(root, path), { withFileTypes: true, encoding: "buffer" })) {
    const bytes = unchecked<Buffer>(entry.name);
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
    entries.push(isFolder ? { name: `${name}/`, bytes: Buffer.from(`${name}/`), isFolder } : { name, bytes, isFolder });
  }
  return entries.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}
