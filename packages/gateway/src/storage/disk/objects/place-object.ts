/**
 * A file takes a key, in the order that survives a crash at any point: bytes and flush → row → rename → flush of the folder.
 * Before the rename the old object is whole, after it the new one is; each has its row.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { matches, preconditionFailed } from "../../contract/preconditions.ts";
import { type ObjectRef, type PutOptions, StorageError } from "../../contract/storage.ts";
import type { ClaimIntent, ClaimOutcome, IndexRow, IndexWriter } from "../database/contract.ts";
import { errnoOf } from "../errors.ts";
import type { Folders } from "../folders.ts";
import type { Layout, Places } from "../layout.ts";
import { noSuchBucket } from "../refusals.ts";
import { syncFolder } from "../flush.ts";
import type { ObjectFinder } from "./find-object.ts";
import { tempName } from "./key-path.ts";
import { giveBack, moveTo, unlinkIfThere } from "./move-file.ts";
import { targetOf } from "./object-target.ts";
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
  /** The upload in parts that ends with it. */
  readonly ends?: Extract<ClaimIntent, { kind: "put" }>["ends"];
}

export interface ObjectPlacer {
  /** The places of a key. @throws {StorageError} `NO_SUCH_BUCKET`, `KEY_NOT_STORABLE` */
  placesOf(ref: ObjectRef): Places;
  /** Asked again at the commit; asked first it spares the transfer. */
  checkPreconditions(ref: ObjectRef, conditions: Preconditions): Promise<void>;
  /** Runs a step on a temp file in the folder of the target. Whatever becomes of it, the temp file is gone afterwards. */
  withTemp<T>(places: Places, step: (temp: Temp) => Promise<T>): Promise<T>;
  /** The folder in which the key's file will be, made if it is not there. @throws {StorageError} `NO_SUCH_BUCKET` */
  folderFor(places: Places): Promise<string>;
  /** Gives a file that is flushed the key. Its name is moved, or linked where the object has to be new. */
  commit(path: string, placing: Placing): Promise<void>;
}

export interface ObjectPlacerOptions {
  readonly layout: Layout;
  readonly run: string;
  readonly writer: IndexWriter;
  readonly folders: Folders;
  readonly finder: ObjectFinder;
}

/** Somebody who removes folders as fast as they are made has to be stopped by somebody else. */
const MAX_ATTEMPTS = 5;

const NOT_PLAIN = new Set(["EISDIR", "ENOTDIR", "ENOENT", "ENOTEMPTY", "EINVAL", "EILSEQ"]);

const TEMP_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function objectPlacer({ layout, run, writer, folders, finder }: ObjectPlacerOptions): ObjectPlacer {
  /**
   * Runs a step that needs a folder. While it is empty it may go, by itself or with its bucket: then the step is tried again, and
   * where the bucket went the request came too late, which is no fault of the disk.
   */
  async function whileFoldersGo<T>({ bucket }: Places, step: () => Promise<T>): Promise<T> {
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

  /** The folder of the target, or that of the hashed place where the way to it is taken. */
  async function folderFor(places: Places): Promise<string> {
    for (const target of [targetOf(layout, places), places.hashed]) {
      const folder = dirname(target);
      if (await folders.ensure(target === places.hashed ? layout.own : places.base, folder)) return folder;
    }
    throw noFolder();
  }

  /** Opens a temp file in the folder of its target, so that the rename never crosses a file system. */
  async function openTemp(places: Places): Promise<Temp> {
    for (let attempts = 0; attempts < 2; attempts++) {
      const path = join(await folderFor(places), tempName(run, randomBytes(8).toString("hex")));
      const fd = openSync(path, TEMP_FLAGS, 0o666);
      let kept = false;
      try {
        kept = liesAt(fd, path);
        if (kept) return { path, fd };
        // A folder on the way became a symbolic link in this moment.
      } finally {
        if (!kept) {
          closeSync(fd);
          unlinkIfThere(path);
        }
      }
    }
    throw noFolder();
  }

  /** Checked under the claim, so no other upload of this gateway comes between the check and the rename. */
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
    let isName = true;
    try {
      if (target !== places.hashed) return await moveToPlain(path, placing, target);
    } catch (error) {
      // Since the upload began a folder took the name, or its folder went: the name is left to whoever has it now. Or the disk of a bucket cannot
      // hold such a name.
      if (!NOT_PLAIN.has(errnoOf(error) ?? "")) throw error;
      isName = errnoOf(error) !== "EINVAL" && errnoOf(error) !== "EILSEQ";
    }
    await folders.ensure(layout.own, dirname(places.hashed));
    try {
      return moveTo(path, places.hashed, conditions);
    } catch (error) {
      throw !isName && errnoOf(error) === "EXDEV" ? notHeld() : error;
    }
  }

  /**
   * Some file systems give a file another name than they were told, in small letters or with accents apart. There it would be another key's, and
   * this one without its object.
   */
  async function moveToPlain(path: string, { places, conditions }: Placing, target: string): Promise<string> {
    // Before, as whatever fails behind the move must not refuse what has its name.
    const device = lstatOrAbsent(dirname(target))?.dev ?? NaN;
    const folder = moveTo(path, target, conditions);
    if (keepsName(places.base, target, device)) return folder;
    try {
      await folders.ensure(layout.own, dirname(places.hashed));
      renameSync(target, places.hashed);
    } catch (error) {
      giveBack(target, path);
      throw errnoOf(error) === "EXDEV" ? respelled() : error;
    }
    return dirname(places.hashed);
  }

  function keepsName(base: string, path: string, device: number): boolean {
    try {
      return layout.isSpelledSo(base, path, device);
    } catch {
      // A folder that cannot be read in this moment says nothing of the file in it.
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
    folderFor: (places) => whileFoldersGo(places, () => folderFor(places)),
    async withTemp(places, step) {
      const temp = await whileFoldersGo(places, () => openTemp(places));
      try {
        return await step(temp);
      } finally {
        dropTemp(temp);
      }
    },
    async commit(path, placing) {
      const { row, conditions, ends } = placing;
      const claim = await writer.claim(row.ref, { kind: "put", row, ...(ends === undefined ? {} : { ends }) });
      let outcome: ClaimOutcome = "abandoned";
      try {
        await checkPreconditions(row.ref, conditions);
        await layout.settle(row.ref.bucket);
        const folder = await place(path, placing);
        // From here on readers see the new object, whatever becomes of the flush.
        outcome = "unknown";
        await syncFolder(folder);
        outcome = "stored";
      } finally {
        claim.finish(outcome);
      }
    },
  };
}

function noFolder(): StorageError {
  return new StorageError("UNAVAILABLE", "found no folder for the upload");
}

function respelled(): StorageError {
  return new StorageError(
    "KEY_NOT_STORABLE",
    "expected the disk of the bucket to keep the name of a file, found one that changes it: use names in small ASCII letters there",
  );
}

function notHeld(): StorageError {
  return new StorageError(
    "KEY_NOT_STORABLE",
    'expected a name that the disk of the bucket can hold, found another: leave out <>:"|?*, letters newer than the disk, and blanks or dots at the end of a name',
  );
}

/**
 * Whatever fails here, what was stored is stored, and what failed before says why. A name that stays is swept by the next start.
 */
function dropTemp({ fd, path }: Temp): void {
  for (const step of [() => closeSync(fd), () => unlinkIfThere(path)]) {
    try {
      step();
    } catch {
      // See above.
    }
  }
}
