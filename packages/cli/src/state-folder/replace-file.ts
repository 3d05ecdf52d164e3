import { constants } from "node:fs";
import { link, lstat, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandError } from "../command.ts";
import { makeFolder, type Owner, setOwner, syncFolder, temporaryName, writeTemporary } from "./files.ts";
import type { Lock } from "./lock.ts";

/**
 * Replaces a file of mode 0600 by a rename, so that readers and crashes see the old or the new text. The file keeps its owner. On a full disk
 * the text goes into the spare file beside it: a holder of a key who fills the disk must not prevent the revocation of the key.
 */
export async function replaceFile(path: string, text: string, lock: Lock): Promise<void> {
  const owner = await makeFolder(dirname(path));
  let temporary: string;
  try {
    temporary = await writeTemporary(path, text, await stat(path).catch(() => owner));
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOSPC", "EDQUOT"].includes(code)) throw error;
    if (await replaceBySpare(path, text, lock)) return;
    throw new CommandError(
      `there is no room beside ${path} (${code}), so nothing was changed. Free some space, and try again`,
    );
  }
  try {
    await renameOver(temporary, path, lock);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await refreshSpare(path, Buffer.byteLength(text));
}

async function renameOver(from: string, path: string, { expectHeld }: Lock): Promise<void> {
  // A process that takes the lock over removes temporary files before it reads. So the rename fails, or happens before that read.
  await expectHeld();
  try {
    await rename(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    // Writing into the mounted file would lose its content in a crash.
    throw new CommandError(`${path} is a mount point (EBUSY), so nothing was changed. Mount its folder instead`);
  }
  await syncFolder(dirname(path));
}

function spareOf(path: string): string {
  return `${path}.spare`;
}

const BLOCK_BYTES = 4096;

/** Reserves space for the next text in a spare file. Ignores errors, because the replacement is complete. */
async function refreshSpare(path: string, length: number): Promise<void> {
  const bytes = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
  const found = await lstat(spareOf(path)).catch(() => undefined);
  if (found?.isFile() && found.nlink === 1 && found.size >= bytes) return;
  try {
    const spare = await writeTemporary(path, " ".repeat(bytes), await stat(path));
    // Remove only this temporary file: the next holder of the lock may already write others.
    await rename(spare, spareOf(path)).catch(() => rm(spare, { force: true }));
  } catch {}
}

/**
 * Replaces the file without allocating space: the spare file gets the text, and the old file becomes the spare. `false` if there is no
 * spare, or the text is longer than one of the two files. Then the next spare could not hold the text either.
 */
async function replaceBySpare(path: string, text: string, lock: Lock): Promise<boolean> {
  const [spare, old] = [temporaryName(path), temporaryName(path)];
  await lock.expectHeld();
  try {
    if (!(await fillSpare(path, spare, text).catch(() => false))) return false;
    await link(path, old).catch(() => {});
    await renameOver(spare, path, lock);
    // The old file may hold a deleted secret.
    if (await overwrite(old, "").catch(() => false)) await rename(old, spareOf(path)).catch(() => {});
    return true;
  } finally {
    // A spare that was filled in part must not keep a secret.
    for (const left of [spare, old]) await rm(left, { force: true });
  }
}

/** Renames the spare to `to`, a name that no other process uses, and writes the text into it. */
async function fillSpare(path: string, to: string, text: string): Promise<boolean> {
  const [old, spare] = [await lstat(path), await lstat(spareOf(path))];
  if (!spare.isFile() || Buffer.byteLength(text) > Math.min(old.size, spare.size)) return false;
  await rename(spareOf(path), to);
  return overwrite(to, text, old);
}

/**
 * Overwrites a file with a text and trailing spaces, without changing its size. `false` if the text is longer, or the file has another
 * name: the folder's owner may have put a link in its place, and root must not write to the target of that link.
 */
async function overwrite(path: string, text: string, owner?: Owner): Promise<boolean> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    const bytes = Buffer.from(text);
    if (!stats.isFile() || bytes.length > stats.size || stats.nlink > 1) return false;
    await file.chmod(0o600);
    await file.writeFile(Buffer.concat([bytes, Buffer.alloc(stats.size - bytes.length, " ")]));
    // Only now: the old content of a file of root must not be readable for the folder's owner.
    if (owner !== undefined) await setOwner(file, owner);
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}
