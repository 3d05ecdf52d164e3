/**
 * A file takes a key, in the order that survives a crash at any point: bytes and flush → row → rename → flush of the folder.
 * Before the rename the old object is whole, after it the new one is. Each has its row.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, linkSync, openSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { matches, preconditionFailed } from "../../contract/preconditions.ts";
import { type ObjectRef, type PutOptions, StorageError } from "../../contract/storage.ts";
import type { ClaimIntent, ClaimOutcome, DiskIndex, IndexRow } from "../database/contract.ts";
import { errnoOf, noSuchBucket, unavailable } from "../errors.ts";
import { syncFolder } from "../flush.ts";
import type { Folders } from "../folders.ts";
import type { Layout, Places } from "../layout.ts";
import type { ObjectFinder } from "./find-object.ts";
import { tempName } from "./key-path.ts";
import { liesAt, lstatOrAbsent } from "./open-file.ts";

export interface Temp {
  readonly path: string;
  readonly fd: number;
}

export type Preconditions = Pick<PutOptions, "ifMatch" | "ifNoneMatch">;

export interface Placing {
  readonly row: IndexRow;
  readonly places: Places;
  readonly conditions: Preconditions;
  /** The multipart upload that the object completes. */
  readonly ends?: Extract<ClaimIntent, { kind: "put" }>["ends"];
}

export interface ObjectPlacer {
  /** The places of a key. @throws {StorageError} `NO_SUCH_BUCKET`, `KEY_NOT_STORABLE` */
  placesOf(ref: ObjectRef): Places;
  /** Checked again at the commit. An early check spares the transfer. */
  checkPreconditions(ref: ObjectRef, conditions: Preconditions): Promise<void>;
  /** Runs a step on a temp file in the folder of the target. The temp file is gone afterwards. */
  withTemp<T>(places: Places, step: (temp: Temp) => Promise<T>): Promise<T>;
  /** Makes the folder of the key's file, and returns it. @throws {StorageError} `NO_SUCH_BUCKET` */
  folderFor(places: Places): Promise<string>;
  /** Gives a flushed file the key. Its name is moved, or linked if the object must be new. */
  commit(path: string, placing: Placing): Promise<void>;
}

/** Another program may remove folders as fast as they are made. */
const MAX_ATTEMPTS = 5;

const NOT_PLAIN = new Set(["EISDIR", "ENOTDIR", "ENOENT", "ENOTEMPTY", "EINVAL", "EILSEQ"]);

const TEMP_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function objectPlacer(
  { layout, run, writer }: DiskIndex,
  { folders, finder }: { readonly folders: Folders; readonly finder: ObjectFinder },
): ObjectPlacer {
  /** Runs a step that needs a folder. An empty folder may be removed at any time, alone or with its bucket: then tries again. */
  async function retryingFolders<T>({ bucket }: Places, step: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await step();
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") throw error;
        if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
        if (attempts === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** The folder of the target, or of the hashed place if a file is in the way. */
  async function folderFor(places: Places): Promise<string> {
    for (const target of [targetOf(layout, places), places.hashed]) {
      const folder = dirname(target);
      if (await folders.ensure(target === places.hashed ? layout.own : places.base, folder)) return folder;
    }
    throw unavailable("the folder for the upload vanished or became a link. Try again");
  }

  /** Opens a temp file in the folder of its target, so that the rename stays on one file system. */
  async function openTemp(places: Places): Promise<Temp> {
    for (let attempts = 0; attempts < 2; attempts++) {
      const path = join(await folderFor(places), tempName(run, randomBytes(8).toString("hex")));
      const fd = openSync(path, TEMP_FLAGS, 0o666);
      let kept = false;
      try {
        // False if a folder on the way has just become a symbolic link.
        kept = liesAt(fd, path);
        if (kept) return { path, fd };
      } finally {
        if (!kept) {
          closeSync(fd);
          unlinkIfThere(path);
        }
      }
    }
    throw unavailable("the folder for the upload vanished or became a link. Try again");
  }

  /** Under the claim, no other upload of this gateway comes between this check and the rename. */
  async function checkPreconditions(ref: ObjectRef, { ifMatch, ifNoneMatch }: Preconditions): Promise<void> {
    if (ifMatch === undefined && ifNoneMatch === undefined) return;
    const current = await finder.inspect(ref);
    if (ifNoneMatch !== undefined && current !== undefined) throw preconditionFailed();
    if (ifMatch !== undefined && !matches(ifMatch, current)) throw preconditionFailed();
  }

  /** The commit point. Returns the folder to flush. */
  async function place(path: string, placing: Placing): Promise<string> {
    const { places, conditions } = placing;
    const target = targetOf(layout, places);
    try {
      if (target !== places.hashed) return await moveToPlain(path, placing, target);
    } catch (error) {
      // The disk refuses the name, or since the upload began a folder took the name or its folder went.
      if (!NOT_PLAIN.has(errnoOf(error) ?? "")) throw error;
    }
    await folders.ensure(layout.own, dirname(places.hashed));
    return moveTo(path, places.hashed, conditions);
  }

  /**
   * Some file systems change the name of a new file, to lower case or to decomposed accents. That name is another key's, so the file
   * moves to its hashed place.
   */
  async function moveToPlain(path: string, { places, conditions }: Placing, target: string): Promise<string> {
    // Read before the move: a failure after it must not refuse a stored object.
    const device = lstatOrAbsent(dirname(target))?.dev ?? NaN;
    const folder = moveTo(path, target, conditions);
    if (keepsName(places.base, target, device)) return folder;
    try {
      await folders.ensure(layout.own, dirname(places.hashed));
      renameSync(target, places.hashed);
    } catch (error) {
      moveBack(target, path);
      throw error;
    }
    return dirname(places.hashed);
  }

  function keepsName(base: string, path: string, device: number): boolean {
    try {
      return layout.isSpelledSo(base, path, device);
    } catch {
      // An unreadable folder proves nothing about the file in it.
      return true;
    }
  }

  return {
    placesOf(ref) {
      if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
      const places = layout.places(ref);
      if (places !== undefined) return places;
      throw new StorageError(
        "KEY_NOT_STORABLE",
        "a key is text of at least one character, none of them NUL or half of a pair",
      );
    },
    checkPreconditions,
    folderFor: (places) => retryingFolders(places, () => folderFor(places)),
    async withTemp(places, step) {
      const temp = await retryingFolders(places, () => openTemp(places));
      try {
        return await step(temp);
      } finally {
        dropTemp(temp);
      }
    },
    async commit(path, { row, conditions, ends, places }) {
      const claim = await writer.claim(row.ref, { kind: "put", row, ...(ends === undefined ? {} : { ends }) });
      let outcome: ClaimOutcome = "abandoned";
      try {
        await checkPreconditions(row.ref, conditions);
        const folder = await place(path, { row, conditions, places });
        // From here on readers see the new object, even if the flush fails.
        outcome = "unknown";
        await syncFolder(folder);
        outcome = "stored";
      } finally {
        claim.finish(outcome);
      }
    },
  };
}

/** Where the object is; else its path, if free; else under its hash. */
function targetOf(layout: Layout, { base, plain, hashed }: Places): string {
  if (plain === undefined) return hashed;
  const nearest = nearestFolder(base, plain);
  if (nearest === undefined || isTooDeep(base, plain)) return hashed;
  const found = lstatOrAbsent(plain);
  if (found !== undefined) return found.isFile() && layout.isSpelledSo(base, plain, found.dev) ? plain : hashed;
  return lstatOrAbsent(hashed) === undefined && layout.isSpelledSo(base, nearest.path, nearest.device) ? plain : hashed;
}

/**
 * Nested folders that are made for a key. A key of 1024 bytes could have five hundred: each costs a flush and an inode, and a
 * listing of the bucket takes the square of their number.
 */
const MAX_DEPTH = 64;

function isTooDeep(base: string, path: string): boolean {
  const depth = path.slice(base.length + 1).split("/").length - 1;
  return depth > MAX_DEPTH && lstatOrAbsent(dirname(path)) === undefined;
}

/** The last existing folder on the way to a path; `undefined` if a file or a link is in the way. */
function nearestFolder(base: string, path: string): { readonly path: string; readonly device: number } | undefined {
  let nearest = { path: base, device: lstatOrAbsent(base)?.dev ?? NaN };
  for (let end = path.indexOf("/", base.length + 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end);
    const stats = lstatOrAbsent(folder);
    if (stats === undefined) return nearest;
    if (!stats.isDirectory()) return undefined;
    nearest = { path: folder, device: stats.dev };
  }
  return nearest;
}

/** `link` fails if the name exists, even if another program has just made it. `rename` replaces the file. */
function moveTo(path: string, target: string, { ifNoneMatch }: Preconditions): string {
  if (ifNoneMatch === undefined) renameSync(path, target);
  else linkNew(path, target);
  return dirname(target);
}

function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw preconditionFailed();
    // FAT and some network file systems have no links. The claim still excludes other uploads of this gateway.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(errnoOf(error) ?? "")) throw error;
    if (lstatOrAbsent(to) !== undefined) throw preconditionFailed();
    renameSync(from, to);
  }
}

/** Restores the former name of a moved file, which may be the only copy of an upload's parts. A linked file still has both names. */
function moveBack(target: string, path: string): void {
  try {
    if (lstatOrAbsent(path) === undefined) renameSync(target, path);
  } finally {
    unlinkIfThere(target);
  }
}

/** After a rename the name is gone. After a link, a failure or a lost race it still exists. */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
  }
}

/** A failure here must not hide the result of the step. The next start removes a temp file that stays. */
function dropTemp({ fd, path }: Temp): void {
  for (const step of [() => closeSync(fd), () => unlinkIfThere(path)]) {
    try {
      step();
    } catch {
      // See above.
    }
  }
}
