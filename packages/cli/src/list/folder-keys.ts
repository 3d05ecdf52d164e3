import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command.ts";
import { compareUtf8 } from "./utf8-order.ts";

interface Entry {
  /** With a slash at its end where it is a folder, so that sorting gives the order of whole keys. */
  readonly name: string;
  readonly isFolder: boolean;
}

/**
 * The regular files below a folder as keys, sorted as a bucket would list them; symbolic links are not followed, and what a
 * gateway keeps for itself (`.daypass`) is left out. Holds the names of one folder on each level in memory.
 */
export async function* folderKeys(root: string, after = ""): AsyncGenerator<string> {
  yield* below(root, "", after);
}

async function* below(root: string, path: string, after: string): AsyncGenerator<string> {
  for (const { name, isFolder } of await sortedEntries(join(root, path))) {
    const key = path + name;
    if (isFolder) {
      const isBehind = compareUtf8(key, after) > 0 || after.startsWith(key);
      if (isBehind) yield* below(root, key, after);
    } else if (compareUtf8(key, after) > 0) yield key;
  }
}

/** The folders at the top of a served folder, its buckets, and whether loose files lie beside them. */
export async function servedBuckets(root: string): Promise<readonly ServedBucket[]> {
  const entries = await sortedEntries(root);
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name.slice(0, -1));
  const buckets = folders
    .filter((name) => !name.startsWith("."))
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
export async function* servedKeys({ folder, isLoose }: ServedBucket, after = ""): AsyncGenerator<string> {
  if (!isLoose) return yield* folderKeys(folder, after);
  for (const { name, isFolder } of await sortedEntries(folder)) {
    if (!isFolder && compareUtf8(name, after) > 0) yield name;
  }
}

async function sortedEntries(folder: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
    const bytes = entry.name as unknown as Buffer;
    const isFolder = entry.isDirectory();
    if (!isFolder && !entry.isFile()) continue;
    if (!isUtf8(bytes))
      throw new CommandError(`expected file names in UTF-8, found another in ${folder}: rename it`, "NAME_NOT_UTF8");
    const name = bytes.toString("utf8");
    if (name === ".daypass" || /^\.daypass-.*\.tmp$/.test(name)) continue;
    entries.push({ name: isFolder ? `${name}/` : name, isFolder });
  }
  return entries.sort((a, b) => compareUtf8(a.name, b.name));
}
