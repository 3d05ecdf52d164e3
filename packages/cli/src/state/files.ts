import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CommandError } from "../command.ts";
import { readTextFile } from "../text-file.ts";
import type { Lock } from "./lock.ts";

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
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces a file with mode 0600, always by a rename: a reader, and whoever comes after a crash, finds the old text or the new one. It stays its
 * owner's. On a full disk the text goes into the spare file that lies beside it: whoever has filled the disk with a key must not keep it from being
 * revoked.
 */
export async function replaceFile(path: string, text: string, lock: Lock): Promise<void> {
  const owner = await makeFolder(dirname(path));
  let temporary: string;
  try {
    temporary = await writeBeside(path, text, await stat(path).catch(() => owner));
  } catch (error) {
    if (!isForRoom(error)) throw error;
    if (await replaceBySpare(path, text, lock)) return;
    throw noRoom(path, error as NodeJS.ErrnoException);
  }
  try {
    await renameOver(temporary, path, lock);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await keepSpare(path, text.length);
}

async function renameOver(from: string, path: string, { expectHeld }: Lock): Promise<void> {
  // Whoever has taken the lock over meanwhile removes the temporary file before he reads, so that this fails or comes first.
  await expectHeld();
  try {
    await rename(from, path);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EBUSY" ? mounted(path) : error;
  }
  await syncFolder(dirname(path));
}

/** To write into it would be the only way, and a crash in the middle would lose what is there. */
function mounted(path: string): CommandError {
  const message = `expected to put another file in the place of ${path}, found that it is a mount of its own (EBUSY): mount its folder instead; nothing was changed`;
  return new CommandError(message);
}

function noRoom(path: string, { code }: NodeJS.ErrnoException): CommandError {
  const message = `expected room beside ${path}, found none (${code}): make some, and try again; nothing was changed`;
  return new CommandError(message);
}

function spareOf(path: string): string {
  return `${path}.spare`;
}

const BLOCK_BYTES = 4096;

/** Has room for the text ready, in whole blocks, where there is any. What was asked for is done by then, so that nothing here is an error. */
async function keepSpare(path: string, length: number): Promise<void> {
  const bytes = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
  const found = await stat(spareOf(path)).catch(() => undefined);
  if (found !== undefined && found.size >= bytes) return;
  try {
    const spare = await writeBeside(path, " ".repeat(bytes), await stat(path));
    await rename(spare, spareOf(path));
  } catch {
    await sweepBeside(path).catch(() => {});
  }
}

/**
 * Needs no room; the file that was replaced is the next spare. `false` where there is none, or one of the two is too small: with a longer text
 * the next spare would not do for it, and a key that was made could not be revoked.
 */
async function replaceBySpare(path: string, text: string, lock: Lock): Promise<boolean> {
  const [spare, old] = [temporaryName(path), temporaryName(path)];
  await lock.expectHeld();
  const { size } = await lstat(path);
  if (Buffer.byteLength(text) > size) return false;
  // Nobody else writes into it from here on, not even whoever had the lock before.
  try {
    await rename(spareOf(path), spare);
  } catch {
    return false;
  }
  if (!(await fill(spare, text).catch(() => false))) {
    await rename(spare, spareOf(path));
    return false;
  }
  try {
    await link(path, old).catch(() => {});
    await renameOver(spare, path, lock);
    // It may hold a secret that was to be forgotten.
    if (await fill(old, "").catch(() => false)) await rename(old, spareOf(path)).catch(() => {});
    return true;
  } finally {
    for (const left of [spare, old]) await rm(left, { force: true });
  }
}

/**
 * Writes a text into a file in the room that it has, filled up with spaces. `false` where the text is longer, or the file has another
 * name: what root writes here must not go where a link leads that the folder's owner has put in its place.
 */
async function fill(path: string, text: string): Promise<boolean> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    const bytes = Buffer.from(text);
    if (!stats.isFile() || bytes.length > stats.size || stats.nlink > 1) return false;
    await file.writeFile(Buffer.concat([bytes, Buffer.alloc(stats.size - bytes.length, " ")]));
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
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

function isForRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** The same for a file that belongs to the folder it lies in, and so to the owner of that. `false` where it is there already. */
export async function createStateFile(path: string, text: string): Promise<boolean> {
  return linkNew(path, text, await makeFolder(dirname(path)));
}

/** Creates a file with mode 0600 and its whole text at once, for whoever runs this. `false` where it is there already. */
export async function createFile(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return linkNew(path, text);
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
async function giveTo(file: FileHandle, { uid, gid }: Owner): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await file.chown(uid, gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPERM" && error.code !== "EINVAL") throw error;
  });
}

// No name that somebody may have given to a copy of his.
const TEMPORARY = /^\.[0-9a-f]{12}\.tmp$/;

function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

async function writeBeside(path: string, text: string, owner?: Owner): Promise<string> {
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

async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } finally {
    await folder?.close();
  }
}
