/** Folders for uploads: made on demand, durable before an upload is acknowledged, and known to the sweep. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { IndexWriter } from "./database/contract.ts";
import { errnoOf } from "./errors.ts";
import { syncFolder } from "./flush.ts";
import { lstatOrAbsent } from "./objects/open-file.ts";

/** Folders whose state this process remembers. Past it, all are checked again. */
const REMEMBERED = 10_000;

export interface Folders {
  /**
   * Makes a folder below `base`, which exists. Resolves to false if a file or a symbolic link is in the way, or if the file system
   * refuses the name.
   */
  ensure(base: string, folder: string): Promise<boolean>;
}

export function folders(writer: IndexWriter): Folders {
  // Another process may have made a folder without flushing it, so each process flushes every folder once. The inode detects a
  // new folder of the same name.
  const durable = new Map<string, number>();
  const ready = new Map<string, number>();

  async function ensureOne(path: string, base: string): Promise<number | undefined> {
    const made = path !== base && make(path);
    const stats = lstatOrAbsent(path);
    if (stats?.isDirectory() !== true) return undefined;
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
      let path = base;
      let inode = await ensureOne(base, base);
      for (const name of folder.slice(base.length).split("/").filter(Boolean)) {
        if (inode === undefined) return false;
        path = `${path}/${name}`;
        inode = await ensureOne(path, base);
      }
      if (inode === undefined) return false;
      await writer.addFolder(folder);
      remember(ready, folder, inode);
      return true;
    },
  };
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
