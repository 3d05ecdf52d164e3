import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchownSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** The owner of a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Creates a file of mode 0600 with its whole text, owned by the current user. `false` if it exists. */
export async function createFile(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return createByLink(path, text);
}

/** The same, owned by the owner of its folder. `false` if it exists. */
export async function createStateFile(path: string, text: string): Promise<boolean> {
  return createByLink(path, text, await makeFolder(dirname(path)));
}

/** Replaces a file of mode 0600, owned by the owner of its folder, that only one process writes. A crash leaves the old or the new text. */
export async function writeStateFile(path: string, text: string): Promise<void> {
  const temporary = await writeTemporary(path, text, await makeFolder(dirname(path)));
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** The same at once, without a flush: what it replaces is written again by each start. */
export function replaceStateFile(path: string, text: string): void {
  const { uid, gid } = statSync(dirname(path));
  const temporary = temporaryName(path);
  const file = openSync(temporary, "wx", 0o600);
  try {
    if (process.getuid?.() === 0) fchownSync(file, uid, gid);
    writeFileSync(file, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * Continues as the owner of a state folder, if this process is root: what a database or a library creates then belongs to the gateway's user.
 * Stays root if the owner cannot reach the folder, because no gateway of that user can. The result makes it root again.
 */
export function becomeOwnerOf(folder: string): () => void {
  const { uid, gid } = statSync(folder);
  if (process.geteuid?.() !== 0 || uid === 0) return () => undefined;
  const back = (): void => {
    process.seteuid?.(0);
    process.setegid?.(0);
  };
  try {
    process.setegid?.(gid);
    process.seteuid?.(uid);
    readdirSync(folder);
  } catch {
    back();
  }
  return back;
}

/** Runs work as the owner of a state folder, if this process is root. */
export async function asOwnerOf<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const beRoot = becomeOwnerOf(folder);
  return work().finally(beRoot);
}

async function createByLink(path: string, text: string, owner?: Owner): Promise<boolean> {
  const temporary = await writeTemporary(path, text, owner);
  try {
    // link() fails if the file exists. If two processes start at once, one of them creates it and the other reads it.
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

/** Throws if {@link createFile} would, because of a missing folder, a missing permission or a full disk. */
export async function expectCreatable(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(await writeTemporary(path, ""), { force: true });
}

/**
 * Creates a folder of mode 0700 if it does not exist, and returns its owner. If root creates it, it gets the owner of its parent folder,
 * because root manages the keys of a gateway that runs as another user.
 */
export async function makeFolder(path: string): Promise<Owner> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return stat(path);
  const parent = dirname(resolve(first));
  const owner = await stat(parent);
  for (let made = resolve(path); made !== parent; made = dirname(made)) {
    // chown() by name would follow a link that another user put in place of the folder.
    const folder = await open(made, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await setOwner(folder, owner);
    } finally {
      await folder.close();
    }
  }
  return owner;
}

/** Changes the owner, as root only. Ignores file systems without owners. */
export async function setOwner(file: FileHandle, { uid, gid }: Owner): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await file.chown(uid, gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EPERM" && error.code !== "EINVAL") throw error;
  });
}

// A name that no user gives to a copy.
const TEMPORARY = /^\.[0-9a-f]{12}\.tmp$/;

/** A new name that {@link removeTemporaryFiles} recognises. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

/**
 * Removes temporary files that a crash left beside a file. Call only while no other process writes the file. Ignores errors, because they
 * must not prevent a key from being revoked.
 */
export async function removeTemporaryFiles(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = basename(path);
  for (const name of await readdir(folder)) {
    if (name.startsWith(begin) && TEMPORARY.test(name.slice(begin.length)))
      await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

/** Writes and flushes a text to a temporary file of mode 0600, and returns its path. Removes the file on errors. */
export async function writeTemporary(path: string, text: string, owner?: Owner): Promise<string> {
  const temporary = temporaryName(path);
  const file = await open(temporary, "wx", 0o600);
  try {
    if (owner !== undefined) await setOwner(file, owner);
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

/** Flushes the names in a folder, so that a crash does not undo a rename. Windows cannot flush folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
