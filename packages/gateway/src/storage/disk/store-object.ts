/**
 * An upload, in the order that survives a crash at any point: temp file → bytes → flush → row → rename → flush of the folder.
 * Before the rename the old object is whole, after it the new one is; each has its row.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, linkSync, openSync, renameSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ObjectInfo, type ObjectRef, type PutOptions, StorageError } from "../storage.ts";
import { contentTypeOf } from "./content-type.ts";
import { syncFile, syncFolder } from "./durable.ts";
import { errnoOf } from "./faults.ts";
import { infoOf, type ObjectFinder } from "./find-object.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Folders } from "./folders.ts";
import type { ClaimOutcome, IndexRow, IndexWriter } from "./index-contract.ts";
import { tempName } from "./key-path.ts";
import type { Layout, Places } from "./layout.ts";
import { liesAt, lstatOrAbsent } from "./open-file.ts";
import { matches, noSuchBucket, preconditionFailed } from "./refusals.ts";
import { keptChecksum, type Uploaded, type UploadWriter } from "./upload.ts";

export interface ObjectStoreOptions {
  readonly layout: Layout;
  readonly run: string;
  readonly writer: IndexWriter;
  readonly folders: Folders;
  readonly uploads: UploadWriter;
  readonly finder: ObjectFinder;
}

export type StoreObject = (ref: ObjectRef, body: AsyncIterable<Uint8Array>, options: PutOptions) => Promise<ObjectInfo>;

interface Temp {
  readonly path: string;
  readonly fd: number;
}

const NAME_TAKEN = new Set(["EISDIR", "ENOTDIR", "ENOENT", "ENOTEMPTY"]);

const TEMP_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function objectStore({ layout, run, writer, folders, uploads, finder }: ObjectStoreOptions): StoreObject {
  /** Opens a temp file in the folder of its target, so that the rename never crosses a file system. */
  async function openTemp(places: Places): Promise<Temp> {
    for (const target of [targetOf(layout, places), places.hashed]) {
      const folder = dirname(target);
      if (!(await folders.ensure(target === places.hashed ? layout.own : places.base, folder))) continue;
      const path = join(folder, tempName(run, randomBytes(8).toString("hex")));
      const fd = openSync(path, TEMP_FLAGS, 0o666);
      if (liesAt(fd, path)) return { path, fd };
      // A folder on the way became a symbolic link in this moment.
      closeSync(fd);
      unlinkIfThere(path);
    }
    throw new StorageError("UNAVAILABLE", "found no folder for the upload");
  }

  /** Checked under the claim, so no other upload of this gateway comes between the check and the rename. */
  async function checkPreconditions(ref: ObjectRef, options: PutOptions): Promise<void> {
    if (options.ifMatch === undefined && options.ifNoneMatch === undefined) return;
    const current = await finder.inspect(ref);
    if (options.ifNoneMatch !== undefined && current !== undefined) throw preconditionFailed();
    if (options.ifMatch !== undefined && !matches(options.ifMatch, current)) throw preconditionFailed();
  }

  /** The commit point. Returns the folder to flush. */
  async function place(temp: Temp, places: Places, options: PutOptions): Promise<string> {
    const target = targetOf(layout, places);
    try {
      if (target !== places.hashed) return moveTo(temp, target, options);
    } catch (error) {
      // Since the upload began a folder took the name, or its folder went: the name is left to whoever has it now.
      if (!NAME_TAKEN.has(errnoOf(error) ?? "")) throw error;
    }
    await folders.ensure(layout.own, dirname(places.hashed));
    return moveTo(temp, places.hashed, options);
  }

  async function commit(temp: Temp, row: IndexRow, places: Places, options: PutOptions): Promise<void> {
    const claim = await writer.claim(row.ref, { kind: "put", row });
    let outcome: ClaimOutcome = "abandoned";
    try {
      await checkPreconditions(row.ref, options);
      const folder = await place(temp, places, options);
      // From here on readers see the new object, whatever becomes of the flush.
      outcome = "unknown";
      await syncFolder(folder);
      outcome = "stored";
    } finally {
      claim.finish(outcome);
    }
  }

  return async (ref, body, options) => {
    if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
    const places = layout.places(ref);
    if (places === undefined)
      throw new StorageError(
        "KEY_NOT_STORABLE",
        "a key is text of at least one character, none of them NUL or half of a pair",
      );
    // Asked again at the commit; here it spares the transfer.
    await checkPreconditions(ref, options);
    const temp = await openTemp(places);
    try {
      const uploaded = await uploads.write({ fd: temp.fd, position: 0 }, body, options);
      await syncFile(temp.fd);
      const stats = fstatSync(temp.fd, { bigint: true });
      const row = rowOf(ref, fingerprintOf(stats), uploaded, options);
      await commit(temp, row, places, options);
      return infoOf(row, stats);
    } finally {
      closeSync(temp.fd);
      unlinkIfThere(temp.path);
    }
  };
}

/** Where an upload goes: where the object is; else to its path if that is free; else under its hash. */
function targetOf(layout: Layout, { base, plain, hashed }: Places): string {
  if (plain === undefined || !isFreeWay(base, plain)) return hashed;
  const there = lstatOrAbsent(plain);
  if (there !== undefined) return there.isFile() && layout.isSpelledSo(base, plain) ? plain : hashed;
  return lstatOrAbsent(hashed) === undefined ? plain : hashed;
}

/** Whether nothing but folders, or nothing at all, lies on the way to a path. */
function isFreeWay(base: string, path: string): boolean {
  for (let end = path.indexOf("/", base.length + 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const stats = lstatOrAbsent(path.slice(0, end));
    if (stats === undefined) return true;
    if (!stats.isDirectory()) return false;
  }
  return true;
}

/** `link` fails when the name exists, also for a file that somebody else puts there in this moment; `rename` replaces it. */
function moveTo(temp: Temp, target: string, options: PutOptions): string {
  if (options.ifNoneMatch === undefined) renameSync(temp.path, target);
  else linkNew(temp.path, target);
  return dirname(target);
}

function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw preconditionFailed();
    // FAT and some network file systems have no links. The claim still keeps every upload of this gateway out.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(errnoOf(error) ?? "")) throw error;
    if (lstatOrAbsent(to) !== undefined) throw preconditionFailed();
    renameSync(from, to);
  }
}

function rowOf(ref: ObjectRef, fingerprint: string, uploaded: Uploaded, options: PutOptions): IndexRow {
  return {
    ref,
    fingerprint,
    etag: Buffer.from(uploaded.digests.md5).toString("hex"),
    contentType: options.contentType ?? contentTypeOf(ref.key),
    headers: options.headers ?? {},
    metadata: options.metadata ?? {},
    checksums: keptChecksum(options, uploaded.digests),
  };
}

/** After a rename the name is gone; after a link, a failure or a lost race it is there. */
function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
  }
}
