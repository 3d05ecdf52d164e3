import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readTextFile } from "../text-file.ts";

/** The text of a file, or `undefined` where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whose a file is. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Removes what a crash has left of the writing of a file. To be called where nobody else writes it. What cannot be removed stays: it must not keep a
 * key from being revoked.
 */
export async function sweepBeside(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = basename(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(begin) && TEMPORARY.test(name.slice(begin.length)))
      await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

/** Creates a file with mode 0600 and its whole text at once, for whoever runs this. `false` where it is there already. */
export async function createFile(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return linkNew(path, text);
}

/** The same for a file that belongs to the folder it lies in, and so to the owner of that. `false` where it is there already. */
export async function createStateFile(path: string, text: string): Promise<boolean> {
  return linkNew(path, text, await makeFolder(dirname(path)));
}

async function linkNew(path: string, text: string, owner?: Owner): Promise<boolean> {
  const temporary = await writeBeside(path, text, owner);
  try {
    // Of two first starts at the same time one must win, and the other must read what the first one wrote.
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
}

/** Rejects where {@link createFile} would, for want of a folder, of the right to write there, or of room. */
export async function expectRoom(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(await writeBeside(path, ""), { force: true });
}

/**
 * Makes a folder of mode 0700, where there is none, and returns whose it is. What root makes is that of the owner of the folder it lies in:
 * root manages the keys of a gateway that runs as another user.
 */
export async function makeFolder(path: string): Promise<Owner> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return stat(path);
  const parent = dirname(resolve(first));
  const owner = await stat(parent);
  for (let made = resolve(path); made !== parent; made = dirname(made)) {
    // Not by its name: whoever may write there could have put something else in its place.
    const folder = await open(made, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await giveTo(folder, owner);
    } finally {
      await folder.close();
    }
  }
  return owner;
}

/** As root. Anybody else can give nothing away, and not every file system knows owners. */
export async function giveTo(file: FileHandle, { uid, gid }: Owner): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await file.chown(uid, gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPERM" && error.code !== "EINVAL") throw error;
  });
}

// No name that somebody may have given to a copy of his.
const TEMPORARY = /^\.[0-9a-f]{12}\.tmp$/;

/** A name that {@link sweepBeside} knows. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

/** Writes a whole text to the disk under a name of its own, with mode 0600, and returns its path. Leaves nothing where it rejects. */
export async function writeBeside(path: string, text: string, owner?: Owner): Promise<string> {
  const temporary = temporaryName(path);
  const file = await open(temporary, "wx", 0o600);
  try {
    if (owner !== undefined) await giveTo(file, owner);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

/** After this a crash takes no name back. Windows flushes no folder. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } finally {
    await folder?.close();
  }
}
