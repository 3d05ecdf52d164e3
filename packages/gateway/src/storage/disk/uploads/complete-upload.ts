/**
 * Completing a multipart upload. If the parts lie at their final positions, the common file becomes the object by one rename.
 * Otherwise they are copied into a temp file first.
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
import { checkChecksum, checksumsOf, etagOf, objectPart } from "../../contract/multipart-digests.ts";
import { checkSizes, noSuchPart, noSuchUpload } from "../../contract/upload-refusals.ts";
import type { DiskIndex } from "../database/contract.ts";
import type { Ending, PartRow, UploadRow } from "../database/uploads-table.ts";
import { errnoOf, noSuchBucket } from "../errors.ts";
import { syncFile } from "../flush.ts";
import type { Places } from "../layout.ts";
import type { ObjectFinder } from "../objects/find-object.ts";
import { fingerprintOf, lstatOrAbsent } from "../objects/open-file.ts";
import type { ObjectPlacer } from "../objects/place-object.ts";
import {
  dataPath,
  expectWhole,
  fillPlaces,
  hasLeft,
  joinParts,
  removeUpload,
  sizeOf,
  uploadFolder,
} from "./upload-folder.ts";

export type CompleteUpload = (
  upload: UploadRef,
  parts: readonly NamedPart[],
  options: CompleteOptions,
) => Promise<CompletedUpload>;

export interface UploadCompleterOptions {
  readonly finder: ObjectFinder;
  readonly placer: ObjectPlacer;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The file of all parts. */
interface JoinedFile {
  readonly fd: number;
  readonly path: string;
  /** Whether it is the common file of the parts, which becomes the object. */
  readonly inPlace: boolean;
}

/** How an upload shall end. */
interface End {
  /** A digest of the list of parts. */
  readonly list: string;
  /** Whether a part is being written into the common file. */
  readonly busy: boolean;
  readonly conditions: CompleteOptions;
}

/** A client may replace parts as fast as they are read. */
const ATTEMPTS = 5;

export function uploadCompleter(
  { layout, reader, writer }: DiskIndex,
  { finder, placer, clock }: UploadCompleterOptions,
): CompleteUpload {
  /** Whether the object exists, so that only the record of the end is missing. */
  async function hasTaken({ id, ref, ending }: UploadRow): Promise<boolean> {
    if (ending === undefined) return false;
    if (hasLeft(ending, uploadFolder(layout, id))) return true;
    const found = await finder.find(ref);
    if (found === undefined) return false;
    closeSync(found.fd);
    return fingerprintOf(found.stats) === ending.fingerprint;
  }

  /** Stores the object that the parts make. */
  async function store(upload: UploadRow, parts: readonly PartRow[], end: End): Promise<CompletedUpload> {
    const { id, ref, fields } = upload;
    const { list, busy, conditions } = end;
    const result = { etag: etagOf(parts), checksums: checksumsOf(fields.checksum, parts) };
    checkChecksum(fields.checksum, result, conditions.checksum);
    const places = placer.placesOf(ref);
    await placer.checkPreconditions(ref, conditions);

    async function commit({ fd, path, inPlace }: JoinedFile): Promise<void> {
      await syncFile(fd);
      const fingerprint = fingerprintOf(fstatSync(fd, { bigint: true }));
      const { contentType, headers, metadata, tags } = fields;
      const described = { ref, fingerprint, contentType, headers, metadata, tags };
      const row = { ...described, ...result, parts: parts.map((part) => objectPart(part, fields.checksum)) };
      const ending: Ending = { fingerprint, inPlace, list, ...result };
      await placer.commit(path, { row, places, conditions, ends: { id, ending } });
    }

    const folder = uploadFolder(layout, id);

    /** False if the common file cannot move to the folder of the object. */
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
        // A bucket that is a bind mount of the same disk (as in a container) has its device number, but refuses the rename.
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

  /** A part that is sent again meanwhile removes the file of the old one. Then the new part is checked against the list. */
  async function storeNamed(named: readonly NamedPart[], upload: UploadRow, end: End): Promise<CompletedUpload> {
    for (let attempts = 1; ; attempts++) {
      const rows = reader.uploads.parts(upload.id, { after: 0, limit: MAX_PARTS });
      try {
        return await store(upload, findParts(named, rows, end.conditions), end);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT" || attempts === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Whether most of the object is in the common file: parts 1 to n at positions of one size, no acknowledged part after them, and
   * the object's folder on the same file system.
   */
  async function isInPlace({ id, slotSize }: UploadRow, parts: readonly PartRow[], places: Places): Promise<boolean> {
    if (slotSize === undefined) return false;
    let placed = 0;
    for (const [i, { number, size, place }] of parts.entries()) {
      const isLast = i === parts.length - 1;
      if (number !== i + 1 || (isLast ? size > slotSize : size !== slotSize)) return false;
      if ("position" in place) placed += size;
    }
    // Without any part, the common file may not exist.
    if (placed === 0 || placed * 2 < sizeOf(parts)) return false;
    const later = reader.uploads.parts(id, { after: parts.length, limit: MAX_PARTS });
    if (later.some(({ place }) => "position" in place)) return false;
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
        // A client repeats the request if the first response was lost.
        if (row.ending?.list !== list) throw noSuchUpload();
        return { etag: row.ending.etag, checksums: row.ending.checksums };
      }
      // The upload was aborted, but the disk failed before the record.
      if (lstatOrAbsent(uploadFolder(layout, uploadId)) === undefined) throw noSuchUpload();
      const result = await storeNamed(named, row, { list, busy: claim.busy, conditions });
      await claim.finish("completed");
      await removeUpload(layout, uploadId);
      return result;
    } finally {
      // Does nothing after the upload has ended. Without its writer, the claim is released already.
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
