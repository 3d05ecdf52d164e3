import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command.ts";
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
interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Replaces a file with mode 0600: a reader, and whoever comes after a crash, finds the old text or the new one. It stays its owner's. On a full disk
 * a text that is no longer takes the place of the old one: whoever has filled the disk with a key must not keep it from being revoked.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const owner = await makeFolder(dirname(path));
  let temporary: string;
  try {
    temporary = await writeBeside(path, text, await stat(path).catch(() => owner));
  } catch (error) {
    if (isForRoom(error) && (await overwrite(path, text).catch(() => false))) return;
    throw error;
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

function isForRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/**
 * In one write, filled up with spaces to the length that there was, which needs no room. `false` where the text is longer, or the file has another
 * name: what root writes here must not go where a link leads that the folder's owner has put in the place of his file.
 */
async function overwrite(path: string, text: string): Promise<boolean> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size, nlink } = await file.stat();
    const bytes = Buffer.from(text);
    if (bytes.length > size || nlink > 1) return false;
    await file.writeFile(Buffer.concat([bytes, Buffer.alloc(size - bytes.length, " ")]));
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
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
async function makeFolder(path: string): Promise<Owner> {
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

async function writeBeside(path: string, text: string, owner?: Owner): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
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

const LOCK_TRIES = 100;
const LOCK_WAIT_MS = 50;
const LOCK_STALE_MS = 30_000;

/** Runs work while no other process that asks for the same lock does. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await makeFolder(dirname(path));
  for (let tries = 0; ; tries += 1) {
    try {
      await (await open(path, "wx", 0o600)).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    // Whoever holds it writes one small file: a lock this old was left behind by a crash.
    // So was one of the future, before the clock was set back.
    if (Math.abs(Date.now() - mtimeMs) > LOCK_STALE_MS) await rm(path, { force: true });
    else if (tries >= LOCK_TRIES)
      throw new CommandError(`expected to change ${path} alone, found another process at it: try again`);
    else await sleep(LOCK_WAIT_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
