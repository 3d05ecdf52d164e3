/**
 * The end of an upload in parts. Where the parts lie at their final places the common file becomes the object by one rename, like
 * any upload; else they are copied into a temp file first.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, ftruncateSync, futimesSync, openSync, statSync } from "node:fs";
import {
  type CompletedUpload,
  type CompleteOptions,
  MAX_PARTS,
  type NamedPart,
  type UploadRef,
} from "../../contract/multipart.ts";
import { checkSizes, noSuchPart, noSuchUpload } from "../../contract/upload-refusals.ts";
import type { IndexReader, IndexRow, IndexWriter } from "../database/contract.ts";
import type { Ending, PartRow, UploadRow } from "../database/uploads-table.ts";
import { errnoOf } from "../errors.ts";
import type { Layout, Places } from "../layout.ts";
import { syncFile } from "../flush.ts";
import type { ObjectFinder } from "../objects/find-object.ts";
import { fingerprintOf } from "../objects/fingerprint.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";
import type { ObjectPlacer } from "../objects/place-object.ts";
import { noSuchBucket } from "../refusals.ts";
import { expectWhole, fillPlaces, joinParts, sizeOf } from "./join-parts.ts";
import { dataPath, hasLeft, removeUpload, uploadFolder } from "./upload-folder.ts";
import { checkChecksum, checksumsOf, etagOf, objectPart } from "../../contract/multipart-digests.ts";

export type CompleteUpload = (
  upload: UploadRef,
  parts: readonly NamedPart[],
  options: CompleteOptions,
) => Promise<CompletedUpload>;

export interface UploadCompleterOptions {
  readonly layout: Layout;
  readonly reader: IndexReader;
  readonly writer: IndexWriter;
  readonly finder: ObjectFinder;
  readonly placer: ObjectPlacer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The file that the parts make. */
interface Made {
  readonly fd: number;
  readonly path: string;
  /** Whether it is the common file of the parts, which the object takes away. */
  readonly inPlace: boolean;
}

/** How an upload is to end. */
interface End {
  /** A digest of the list of parts. */
  readonly list: string;
  /** Whether somebody writes into the common file. */
  readonly busy: boolean;
  readonly conditions: CompleteOptions;
}

/** Somebody who replaces parts as fast as they are read is not going to hold still. */
const ATTEMPTS = 5;

export function uploadCompleter(options: UploadCompleterOptions): CompleteUpload {
  const { layout, reader, writer, finder, placer, clock } = options;

  /** Whether the file of an ending that was begun has taken the key: then it only was not written down. */
  async function hasTaken({ id, ref, ending }: UploadRow): Promise<boolean> {
    if (ending === undefined) return false;
    if (hasLeft(ending, uploadFolder(layout, id))) return true;
    const found = await finder.find(ref);
    if (found === undefined) return false;
    closeSync(found.fd);
    return fingerprintOf(found.stats) === ending.fingerprint;
  }

  /** Makes the object of the parts. */
  async function make(upload: UploadRow, parts: readonly PartRow[], end: End): Promise<CompletedUpload> {
    const { id, ref, fields } = upload;
    const { list, busy, conditions } = end;
    const result = { etag: etagOf(parts), checksums: checksumsOf(fields.checksum, parts) };
    checkChecksum(fields.checksum, result, conditions.checksum);
    const places = placer.placesOf(ref);
    await placer.checkPreconditions(ref, conditions);

    async function commit({ fd, path, inPlace }: Made): Promise<void> {
      await syncFile(fd);
      const fingerprint = fingerprintOf(fstatSync(fd, { bigint: true }));
      const { contentType, headers, metadata, tags } = fields;
      const row: IndexRow = {
        ref,
        fingerprint,
        contentType,
        headers,
        metadata,
        tags,
        ...result,
        parts: parts.map((part) => objectPart(part, fields.checksum)),
      };
      const ending: Ending = { fingerprint, inPlace, list, ...result };
      await placer.commit(path, { row, places, conditions, ends: { id, ending } });
    }

    const folder = uploadFolder(layout, id);

    /** False where the common file cannot leave its folder for the object's. */
    async function moved(): Promise<boolean> {
      const path = dataPath(folder);
      const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
      try {
        expectWhole(fd, parts);
        await fillPlaces(folder, parts, { fd, slotSize: upload.slotSize ?? 0 });
        ftruncateSync(fd, sizeOf(parts));
        const now = clock() / 1000;
        futimesSync(fd, now, now);
        await commit({ fd, path, inPlace: true });
        return true;
      } catch (error) {
        // A folder of the same disk that is mounted in the bucket's place (of a container, say) has the number of that disk, and takes no file from beside it.
        if (errnoOf(error) !== "EXDEV") throw error;
        return false;
      } finally {
        closeSync(fd);
      }
    }

    if (busy || !(await isInPlace(upload, parts, places)) || !(await moved())) {
      await placer.withTemp(places, async (temp) => {
        await joinParts(folder, parts, temp.fd);
        await commit({ fd: temp.fd, path: temp.path, inPlace: false });
      });
    }
    return result;
  }

  /** A part that is sent once more meanwhile takes the file of the one before away. What has come then is the one that is named, or is not. */
  async function makeOf(named: readonly NamedPart[], upload: UploadRow, end: End): Promise<CompletedUpload> {
    for (let attempts = 1; ; attempts++) {
      const rows = reader.uploads.parts(upload.id, { after: 0, limit: MAX_PARTS });
      try {
        return await make(upload, findParts(named, rows, end.conditions), end);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT" || attempts === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Whether the common file, with little besides, is the object: parts 1 to n in places of one size, nothing behind them that
   * was acknowledged, and a file system that can give the file its name.
   */
  async function isInPlace({ id, slotSize }: UploadRow, parts: readonly PartRow[], places: Places): Promise<boolean> {
    if (slotSize === undefined) return false;
    let there = 0;
    for (const [i, { number, size, place }] of parts.entries()) {
      const isLast = i === parts.length - 1;
      if (number !== i + 1 || (isLast ? size > slotSize : size !== slotSize)) return false;
      if ("position" in place) there += size;
    }
    // Where none of them lies in it there may be no such file.
    if (there === 0 || there * 2 < sizeOf(parts)) return false;
    const behind = reader.uploads.parts(id, { after: parts.length, limit: MAX_PARTS });
    if (behind.some(({ place }) => "position" in place)) return false;
    const target = await placer.folderFor(places);
    return statSync(target).dev === statSync(uploadFolder(layout, id)).dev;
  }

  return async (upload, named, conditions) => {
    const { bucket, key, uploadId } = upload;
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const list = digestOf(named);
    const claim = await writer.closeUpload(uploadId);
    try {
      const row = reader.uploads.upload(uploadId);
      if (row === undefined || row.ref.bucket !== bucket || row.ref.key !== key) throw noSuchUpload();
      if (row.ended || (await hasTaken(row))) {
        if (!row.ended) {
          await claim.finish("completed");
          await removeUpload(layout, uploadId);
        }
        // A client asks twice when the first answer was lost.
        if (row.ending?.list !== list) throw noSuchUpload();
        return { etag: row.ending.etag, checksums: row.ending.checksums };
      }
      // Somebody aborted it, and the disk failed before that was written down.
      if (lstatOrAbsent(uploadFolder(layout, uploadId)) === undefined) throw noSuchUpload();
      const result = await makeOf(named, row, { list, busy: claim.busy, conditions });
      await claim.finish("completed");
      await removeUpload(layout, uploadId);
      return result;
    } finally {
      // Does nothing after the upload has ended. Where the writer is gone, so is the claim.
      await claim.finish("kept").catch(() => {});
    }
  };
}

/** The rows of the named parts. */
function findParts(
  named: readonly NamedPart[],
  rows: readonly PartRow[],
  options: CompleteOptions,
): readonly PartRow[] {
  const known = new Map(rows.map((row) => [row.number, row]));
  const parts = named.map((part) => {
    const row = known.get(part.number);
    if (row?.etag === part.etag && (part.checksum === undefined || part.checksum === row.checksum?.value)) return row;
    throw noSuchPart(part);
  });
  checkSizes(parts, options);
  return parts;
}

function digestOf(parts: readonly NamedPart[]): string {
  return createHash("sha256")
    .update(JSON.stringify(parts.map(({ number, etag }) => [number, etag])))
    .digest("base64");
}
