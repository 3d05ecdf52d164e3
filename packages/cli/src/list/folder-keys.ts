import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
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
  /** Whether only names are wanted that a gateway serves. */
  readonly isServed: boolean;
}

/**
 * The regular files below a folder as keys, sorted as a bucket would list them; symbolic links are not followed, and what a
 * gateway keeps for itself (`.daypass`) is left out. Holds the names of one folder on each level in memory.
 */
export async function* folderKeys(root: string, after = "", onSkipped: OnSkipped = () => {}): AsyncGenerator<string> {
  yield* below("", { root, after, onSkipped, isServed: false });
}

async function* below(path: string, walk: Walk): AsyncGenerator<string> {
  const { root, after } = walk;
  for (const { name, isFolder } of await sortedEntries(join(root, path), walk)) {
    const key = path + name;
    if (isFolder) {
      const isBehind = compareUtf8(key, after) > 0 || after.startsWith(key);
      if (isBehind) yield* below(key, walk);
    } else if (compareUtf8(key, after) > 0) yield key;
  }
}

/** The folders at the top of a served folder, its buckets, and whether loose files lie beside them. */
export async function servedBuckets(root: string, onSkipped: OnSkipped): Promise<readonly ServedBucket[]> {
  const entries = await sortedEntries(root, { onSkipped, isServed: true });
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name.slice(0, -1));
  const buckets = folders
    .filter((name) => !name.startsWith(".") && name !== "-")
    .map((name) => ({ name, folder: join(root, name), isLoose: false }));
  const hasLoose = entries.some(({ isFolder }) => !isFolder) && !folders.includes(LOOSE);
  return [...buckets, ...(hasLoose ? [{ name: LOOSE, folder: root, isLoose: true }] : [])].sort((a, b) =>
    compareUtf8(a.name, b.name),
  );
}

export interface ServedBucket {
  readonly name: string;
  readonly folder: string;
  /** The files of the folder itself and nothing below it. */
  readonly isLoose: boolean;
}

// "The files that lie loose in the root are the bucket files" (docs/drivers/disk.md).
const LOOSE = "files";

/** The keys of one bucket of a served folder. */
export async function* servedKeys(
  { folder, isLoose }: ServedBucket,
  { after = "", onSkipped }: { readonly after?: string | undefined; readonly onSkipped: OnSkipped },
): AsyncGenerator<string> {
  const walk = { root: folder, after, onSkipped, isServed: true };
  if (!isLoose) return yield* below("", walk);
  // What is skipped here has been told with the buckets.
  for (const { name, isFolder } of await sortedEntries(folder, { ...walk, onSkipped: () => {} })) {
    if (!isFolder && compareUtf8(name, after) > 0) yield name;
  }
}

// The rule of the gateway's disk driver: a name that is none of these it keeps elsewhere, and a file that has it is no object.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what it looks for
const NOT_SERVED = /[\\\x00-\x1f\x7f]/;

async function sortedEntries(
  folder: string,
  { onSkipped, isServed }: Pick<Walk, "onSkipped" | "isServed">,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
    const bytes = entry.name as unknown as Buffer;
    const isFolder = entry.isDirectory();
    if (!isFolder && !entry.isFile()) continue;
    const name = bytes.toString("utf8");
    if (!isUtf8(bytes)) {
      onSkipped(join(folder, name), "NAME_NOT_UTF8");
      continue;
    }
    if (isServed ? name.startsWith(".daypass") : name === ".daypass" || /^\.daypass-.*\.tmp$/.test(name)) continue;
    if (isServed && NOT_SERVED.test(name)) {
      onSkipped(join(folder, name), "NOT_SERVED");
      continue;
    }
    entries.push({ name: isFolder ? `${name}/` : name, isFolder });
  }
  return entries.sort((a, b) => compareUtf8(a.name, b.name));
}
