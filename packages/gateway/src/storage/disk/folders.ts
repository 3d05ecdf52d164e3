/** Folders for uploads: made as they are needed, durable before anything in them is acknowledged, and known to the sweep. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { IndexWriter } from "./database/contract.ts";
import { errnoOf } from "./errors.ts";
import { syncFolder } from "./flush.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";

/** Folders whose state this process remembers; past it all is checked again. */
const REMEMBERED = 10_000;

export interface Folders {
  /**
   * Makes a folder below `base`, which exists. Resolves to false when something else is in the way: a file, or a symbolic
   * link, which is never followed. Or when the file system takes no such name.
   */
  ensure(base: string, folder: string): Promise<boolean>;
}

export function folders(writer: IndexWriter): Folders {
  // Another process may have made a folder and not flushed it yet. So each process flushes, once, every folder it relies on;
  // the inode tells when it is another folder of the same name.
  const durable = new Map<string, number>();
  const ready = new Map<string, number>();

  async function ensureOne(path: string, base: string): Promise<number | undefined> {
    const made = path !== base && make(path);
    const stats = lstatOrAbsent(path);
    if (stats === undefined || !stats.isDirectory()) return undefined;
    if (path !== base && (made || durable.get(path) !== stats.ino)) {
      await syncFolder(dirname(path));
      remember(durable, path, stats.ino);
    }
    return stats.ino;
  }

  return {
    async ensure(base, folder) {
      const known = ready.get(folder);
      if (known !== undefined && lstatOrAbsent(folder)?.ino === known) return true;
      let inode: number | undefined;
      for (const path of chain(base, folder)) {
        inode = await ensureOne(path, base);
        if (inode === undefined) return false;
      }
      await writer.addFolder(folder);
      if (inode !== undefined) remember(ready, folder, inode);
      return true;
    },
  };
}

/** `base`, and each folder below it down to `folder`. */
function chain(base: string, folder: string): string[] {
  const paths = [base];
  for (const name of folder.slice(base.length).split("/").filter(Boolean)) paths.push(`${paths.at(-1)}/${name}`);
  return paths;
}

function make(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (!["EEXIST", "EINVAL", "EILSEQ"].includes(errnoOf(error) ?? "")) throw error;
    return false;
  }
}

function remember(map: Map<string, number>, path: string, inode: number): void {
  if (map.size >= REMEMBERED) map.clear();
  map.set(path, inode);
}
