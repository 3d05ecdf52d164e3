import { constants } from "node:fs";
import { link, lstat, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandError } from "../command.ts";
import { giveTo, makeFolder, type Owner, syncFolder, temporaryName, writeBeside } from "./files.ts";
import type { Lock } from "./lock.ts";

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
  await keepSpare(path, Buffer.byteLength(text));
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
  const message = `expected to replace ${path}, found that it is a mount point (EBUSY): mount its folder instead; nothing was changed`;
  return new CommandError(message);
}

function isForRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function noRoom(path: string, { code }: NodeJS.ErrnoException): CommandError {
  const message = `expected room beside ${path}, found none (${code}): free some space, and try again; nothing was changed`;
  return new CommandError(message);
}

function spareOf(path: string): string {
  return `${path}.spare`;
}

const BLOCK_BYTES = 4096;

/** Has room for the text ready, in whole blocks, where there is any. What was asked for is done by then, so that nothing here is an error. */
async function keepSpare(path: string, length: number): Promise<void> {
  const bytes = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
  const found = await lstat(spareOf(path)).catch(() => undefined);
  // Nothing is written into a link: see `fill`.
  if (found?.isFile() && found.nlink === 1 && found.size >= bytes) return;
  try {
    const spare = await writeBeside(path, " ".repeat(bytes), await stat(path));
    // Its own file alone: whoever has the lock by now may be writing another one here.
    await rename(spare, spareOf(path)).catch(() => rm(spare, { force: true }));
  } catch {}
}

/**
 * Needs no room; the file that was replaced is the next spare. `false` where there is none, or one of the two is too small: with a longer text
 * the next spare would not do for it, and a key that was made could not be revoked.
 */
async function replaceBySpare(path: string, text: string, lock: Lock): Promise<boolean> {
  const [spare, old] = [temporaryName(path), temporaryName(path)];
  await lock.expectHeld();
  try {
    if (!(await takeSpare(path, spare, text).catch(() => false))) return false;
    await link(path, old).catch(() => {});
    await renameOver(spare, path, lock);
    // It may hold a secret that was to be forgotten.
    if (await fill(old, "").catch(() => false)) await rename(old, spareOf(path)).catch(() => {});
    return true;
  } finally {
    // Also a spare file that took the text in part: no secret of a key stays where none is looked for.
    for (const left of [spare, old]) await rm(left, { force: true });
  }
}

/** Has the text in the spare file, under a name that nobody else writes to, not even whoever had the lock before. */
async function takeSpare(path: string, taken: string, text: string): Promise<boolean> {
  const [old, spare] = [await lstat(path), await lstat(spareOf(path))];
  if (!spare.isFile() || Buffer.byteLength(text) > Math.min(old.size, spare.size)) return false;
  await rename(spareOf(path), taken);
  return fill(taken, text, old);
}

/**
 * Writes a text into a file in the room that it has, filled up with spaces, and makes it private and its new owner's. `false` where the text is
 * longer, or the file has another name: what root writes here must not go where a link leads that the folder's owner has put in its place.
 */
async function fill(path: string, text: string, owner?: Owner): Promise<boolean> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    const bytes = Buffer.from(text);
    if (!stats.isFile() || bytes.length > stats.size || stats.nlink > 1) return false;
    await file.chmod(0o600);
    await file.writeFile(Buffer.concat([bytes, Buffer.alloc(stats.size - bytes.length, " ")]));
    // Not before: what root's file held is not for the folder's owner, who may have put it here.
    if (owner !== undefined) await giveTo(file, owner);
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}
