import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { hiddenPart } from "@daypass/gateway";
import { STATE_FOLDER } from "../../state-folder/state-folder.ts";

const MAX_HIDDEN = 10_000;

/** A line about hidden names that a link leaves out, or about a hidden file that it shares. */
export async function hiddenNote(path: string, isFolder: boolean): Promise<string | undefined> {
  if (!isFolder) {
    if (hiddenPart(basename(path)) === undefined) return undefined;
    return `${basename(path)} is a hidden file. The link shares it, because you named it.`;
  }
  return countNote(await hiddenBelow(path));
}

/**
 * The same for a target such as `files/holiday/`.
 *
 * @param root the folder that the gateway serves; without it, nothing is known about what is below a prefix
 */
export async function targetNote(target: string, root: string | undefined): Promise<string | undefined> {
  if (target.startsWith("route:")) return undefined;
  if (!target.endsWith("/")) return hiddenNote(target, false);
  if (root === undefined) return undefined;
  const [bucket = "", ...names] = target.split("/");
  const isLoose = bucket === "files" && !(await isDirectory(join(root, bucket)));
  if (!isLoose) return countNote(await hiddenBelow(join(root, bucket, ...names)));
  // Loose files are a bucket without folders.
  const entries = await entriesOf(root);
  return countNote(entries.filter((entry) => entry.isFile() && hiddenPart(entry.name) !== undefined).length);
}

function countNote(count: number): string | undefined {
  if (count === 0) return undefined;
  const found = count > MAX_HIDDEN ? `More than ${MAX_HIDDEN.toLocaleString("en")}` : String(count);
  return `${found} hidden files or folders are left out, such as .env and .git. To share them, too, add --hidden.`;
}

/** How many hidden names a folder has, not counting below them, and no further than one above the limit. Meanwhile, this process serves. */
async function hiddenBelow(root: string): Promise<number> {
  let count = 0;
  for (const folders = [root]; folders.length > 0; ) {
    const folder = folders.pop() ?? "";
    for (const entry of await entriesOf(folder)) {
      if (hiddenPart(entry.name) === undefined) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name));
      } else if (entry.name !== STATE_FOLDER) count += 1;
      if (count > MAX_HIDDEN) return count;
    }
  }
  return count;
}

/** What this user may not read, the gateway does not serve. */
function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
