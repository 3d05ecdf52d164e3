import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { hiddenPart } from "@daypass/gateway";
import type { AdminAnswer } from "../../admin/admin-client.ts";
import { type Context, print } from "../../command.ts";
import { STATE_FOLDER } from "../../state-folder/state-folder.ts";

type Link = AdminAnswer<"GET /links/{id}">;

const MAX_HIDDEN = 10_000;

/**
 * Prints lines about hidden files that a new link shares, and about hidden names that it leaves out.
 *
 * @param root the folder that the gateway serves; without it, nothing is known about what is below a prefix
 */
export async function printNotes(link: Link, root: string | undefined, { stderr }: Context): Promise<void> {
  if (link.hidden) return;
  const { target = "", targets = [target] } = link;
  for (const note of await targetNotes(targets, root)) await print(stderr, note);
}

async function targetNotes(targets: readonly string[], root: string | undefined): Promise<readonly string[]> {
  const stored = targets.filter((target) => !target.startsWith("route:"));
  const files = stored.filter((target) => !target.endsWith("/"));
  let count = 0;
  if (root !== undefined) for (const target of stored) if (target.endsWith("/")) count += await hiddenIn(root, target);
  return notes(files, count);
}

async function hiddenIn(root: string, target: string): Promise<number> {
  const [bucket = "", ...names] = target.split("/");
  const isLoose = bucket === "files" && !(await isDirectory(join(root, bucket)));
  if (!isLoose) return hiddenBelow(join(root, bucket, ...names));
  // Loose files are a bucket without folders.
  const entries = await entriesOf(root);
  return entries.filter((entry) => entry.isFile() && hiddenPart(entry.name) !== undefined).length;
}

function notes(files: readonly string[], count: number): readonly string[] {
  const hidden = files.map((file) => basename(file)).filter((name) => hiddenPart(name) !== undefined);
  return [...shownNote(hidden), ...countNote(count)];
}

function shownNote(hidden: readonly string[]): readonly string[] {
  if (hidden.length === 0) return [];
  if (hidden.length === 1) return [`${hidden[0]} is a hidden file. The link shares it, because you named it.`];
  return [`${hidden.join(", ")} are hidden files. The link shares them, because you named them.`];
}

function countNote(count: number): readonly string[] {
  if (count === 0) return [];
  const found = count > MAX_HIDDEN ? `More than ${MAX_HIDDEN.toLocaleString("en")}` : String(count);
  return [`${found} hidden files or folders are left out, such as .env and .git. To share them, too, add --hidden.`];
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
