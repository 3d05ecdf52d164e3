/**
 * Uploads in parts. The bytes of a part lie below `.daypass/uploads/<id>/`, in the common file `data` where the part has a place
 * in it (`index/uploads-writer.ts`), else in a file of its own.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, renameSync, truncateSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { contentTypeOf } from "../../http/content-type.ts";
import { behindPrefix, compareUtf8 } from "../listing.ts";
import type {
  CreateUploadOptions,
  ListUploadsOptions,
  PartInfo,
  PutPartOptions,
  UploadEntry,
  UploadInfo,
  UploadPage,
  UploadRef,
} from "../multipart.ts";
import type { ChecksumAlgorithm, ObjectRef } from "../storage.ts";
import { noSuchUpload } from "../upload-refusals.ts";
import { syncFile, syncFolder } from "./durable.ts";
import { errnoOf } from "./faults.ts";
import type { IndexReader, IndexWriter, PartClaim } from "./index/contract.ts";
import type { PartRow, UploadRow } from "./index/uploads-db.ts";
import type { Layout } from "./layout.ts";
import { type ObjectPlacer, unlinkIfThere } from "./place-object.ts";
import { noSuchBucket } from "./refusals.ts";
import { someTags } from "./store-object.ts";
import type { UploadWriter } from "./upload.ts";

export interface PartReceiverOptions {
  readonly layout: Layout;
  readonly reader: IndexReader;
  readonly writer: IndexWriter;
  readonly placer: ObjectPlacer;
  readonly uploads: UploadWriter;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The part of `MultipartStorage` that ends no upload. */
export interface PartReceiver {
  create(ref: ObjectRef, options: CreateUploadOptions): Promise<UploadInfo>;
  /** @throws {StorageError} `NO_SUCH_UPLOAD` */
  find(upload: UploadRef): UploadRow;
  putPart(
    upload: UploadRef,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options: PutPartOptions,
  ): Promise<PartInfo>;
  list(bucket: string, options: ListUploadsOptions): UploadPage;
  abort(upload: UploadRef): Promise<void>;
}

const DATA_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
const OWN_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function partReceiver({ layout, reader, writer, placer, uploads, clock }: PartReceiverOptions): PartReceiver {
  function find({ uploadId, bucket, key }: UploadRef): UploadRow {
    if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
    const row = reader.uploads.upload(uploadId);
    if (row === undefined || row.ended || row.ref.bucket !== bucket || row.ref.key !== key) throw noSuchUpload();
    return row;
  }

  async function writePart(
    { id, fields }: UploadRow,
    claim: PartClaim,
    part: { readonly number: number; readonly body: AsyncIterable<Uint8Array>; readonly options: PutPartOptions },
  ): Promise<PartRow> {
    const { number, body, options } = part;
    const folder = uploadFolder(layout, id);
    const { position } = claim;
    const place = position === undefined ? { file: `${number}-${randomBytes(8).toString("hex")}` } : { position };
    const path = "file" in place ? join(folder, place.file) : dataPath(folder);
    const fd = openIn(path, "file" in place ? OWN_FLAGS : DATA_FLAGS);
    try {
      const checksum = options.checksum ?? (fields.checksum && { algorithm: fields.checksum.algorithm });
      const { size, digests } = await uploads.write({ fd, position: position ?? 0 }, body, { ...options, checksum });
      await syncFile(fd);
      await syncFolder(folder);
      const value = checksum && Buffer.from(digests[checksum.algorithm] ?? []).toString("base64");
      return {
        number,
        size,
        etag: Buffer.from(digests.md5).toString("hex"),
        checksum: checksum && value !== undefined ? { algorithm: checksum.algorithm, value } : undefined,
        modified: clock(),
        place,
      };
    } catch (error) {
      if ("file" in place) unlinkIfThere(path);
      throw unlessEnded(error);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Gives back what a part that failed has written at the end of the common file, or it would keep a full disk full. While the upload
   * is held nobody gets a place there. Beside a part that is being written, or before one that is there, it stays until the same part
   * comes again or the upload ends.
   */
  async function cutBehindParts(id: string): Promise<void> {
    const hold = await writer.closeUpload(id);
    try {
      if (hold.busy || reader.uploads.upload(id)?.ended !== false) return;
      const parts = reader.uploads.parts(id, { after: 0, limit: Number.MAX_SAFE_INTEGER });
      const ends = parts.map(({ place, size }) => ("position" in place ? place.position + size : 0));
      // The end of an upload that is begun takes the file away: then there is none.
      truncateSync(dataPath(uploadFolder(layout, id)), Math.max(0, ...ends));
    } finally {
      await hold.finish("kept");
    }
  }

  function* entries(bucket: string, options: ListUploadsOptions): Generator<UploadEntry> {
    const { prefix, delimiter, limit } = options;
    const until = behindPrefix(prefix);
    // Of the rows of one read those behind a common prefix are read for nothing: a page of prefixes would read a page of rows for each.
    const first = delimiter === undefined ? limit + 1 : 1;
    let most = first;
    let from = startOf(options);
    while (from !== undefined) {
      const rows = reader.uploads.openUploads({ bucket, ...from, until, limit: most });
      most = Math.min(most * 2, limit + 1);
      from = undefined;
      for (const row of rows) {
        const common = commonPrefix(row.ref.key, prefix, delimiter);
        if (common === undefined) {
          yield { kind: "upload", upload: uploadInfo(row) };
          from = { key: row.ref.key, id: row.id };
        } else {
          yield { kind: "prefix", prefix: common };
          from = keyFrom(behindPrefix(common));
          most = first;
          break;
        }
      }
    }
  }

  return {
    find,
    async create(ref, options) {
      placer.placesOf(ref);
      const created = clock();
      const id = created.toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
      const row = {
        id,
        ref: { bucket: ref.bucket, key: ref.key },
        fields: {
          created,
          contentType: options.contentType ?? contentTypeOf(ref.key),
          headers: options.headers ?? {},
          metadata: options.metadata ?? {},
          tags: someTags(options.tags),
          checksum: options.checksum,
        },
      };
      mkdirSync(uploadFolder(layout, id));
      try {
        await syncFolder(uploadsFolder(layout));
        await writer.createUpload(row);
      } catch (error) {
        await removeUpload(layout, id);
        throw error;
      }
      return uploadInfo(row);
    },
    async putPart(upload, number, body, options) {
      const row = find(upload);
      const size = options.contentLength;
      const claim = await writer.openPart({ uploadId: row.id, ref: row.ref, number, size });
      let part: PartRow | undefined;
      try {
        part = await writePart(row, claim, { number, body, options });
        const replaced = await claim.finish(part);
        if (replaced !== undefined) unlinkIfThere(join(uploadFolder(layout, row.id), replaced));
        return partInfo(part);
      } catch (error) {
        if (part !== undefined && "file" in part.place)
          unlinkIfThere(join(uploadFolder(layout, row.id), part.place.file));
        // Where the writer is gone the claim is gone with it.
        await claim.finish(undefined).catch(() => {});
        if (claim.position !== undefined) await cutBehindParts(row.id).catch(() => {});
        throw error;
      }
    },
    list(bucket, options) {
      if (!layout.hasBucket(bucket)) throw noSuchBucket(bucket);
      const page: UploadEntry[] = [];
      for (const entry of entries(bucket, options)) {
        if (page.length === options.limit) return { entries: page, truncated: true };
        page.push(entry);
      }
      return { entries: page, truncated: false };
    },
    async abort(upload) {
      const { id } = find(upload);
      const claim = await writer.closeUpload(id);
      try {
        // Whoever had the turn before may have ended it.
        find(upload);
        await abandonUpload(layout, id);
        await claim.finish("aborted");
      } finally {
        await claim.finish("kept");
      }
    },
  };
}

/** A place in the order of keys and, within one, of ids: what is behind it follows. */
interface Start {
  readonly key: string;
  readonly id: string;
}

/** Text that is behind every id. */
const BEHIND_IDS = "~";

function startOf({ prefix, after }: ListUploadsOptions): Start | undefined {
  const first = { key: prefix, id: "" };
  if (after === undefined) return first;
  const start =
    "prefix" in after ? keyFrom(behindPrefix(after.prefix)) : { key: after.key, id: after.uploadId ?? BEHIND_IDS };
  return start !== undefined && compareUtf8(start.key, prefix) < 0 ? first : start;
}

function keyFrom(key: string | undefined): Start | undefined {
  return key === undefined ? undefined : { key, id: "" };
}

function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 || delimiter === undefined ? undefined : key.slice(0, end + delimiter.length);
}

export function uploadsFolder({ own }: Layout): string {
  return join(own, "uploads");
}

export function uploadFolder(layout: Layout, id: string): string {
  return join(uploadsFolder(layout), id);
}

/** The file in which parts lie at their final place. */
export function dataPath(folder: string): string {
  return join(folder, "data");
}

/** What is left over is removed by the next start. */
export async function removeUpload(layout: Layout, id: string): Promise<void> {
  await rm(uploadFolder(layout, id), { recursive: true, force: true }).catch(() => {});
}

/** Takes the folder of an open upload away, durably and in one step: the next start takes an upload without one for aborted. */
export async function abandonUpload(layout: Layout, id: string): Promise<void> {
  const removed = join(uploadsFolder(layout), `${id}-removed`);
  try {
    renameSync(uploadFolder(layout, id), removed);
    await syncFolder(uploadsFolder(layout));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  await rm(removed, { recursive: true, force: true }).catch(() => {});
}

function openIn(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    throw unlessEnded(error);
  }
}

/** The folder goes when the upload ends, so its absence says no more than that. */
function unlessEnded(error: unknown): unknown {
  return errnoOf(error) === "ENOENT" ? noSuchUpload() : error;
}

export function uploadInfo({ id, ref, fields }: Pick<UploadRow, "id" | "ref" | "fields">): UploadInfo {
  return { ...ref, uploadId: id, created: new Date(fields.created), checksum: fields.checksum };
}

export function partInfo({ number, size, etag, checksum, modified }: PartRow): PartInfo {
  return {
    number,
    size,
    etag,
    lastModified: new Date(modified),
    checksum: checksum && { algorithm: checksum.algorithm as ChecksumAlgorithm, value: checksum.value },
  };
}
