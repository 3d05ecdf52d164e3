/** The beginning of a multipart upload, its parts, and its abort. */
import { randomBytes } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { contentTypeOf } from "../../../http/content-type.ts";
import type { CreateUploadOptions, PartInfo, PutPartOptions, UploadInfo, UploadRef } from "../../contract/multipart.ts";
import type { ChecksumAlgorithm, ObjectRef } from "../../contract/storage.ts";
import { noSuchUpload } from "../../contract/upload-refusals.ts";
import type { DiskIndex, PartClaim } from "../database/contract.ts";
import type { PartRow, UploadRow } from "../database/uploads-table.ts";
import { errnoOf, noSuchBucket } from "../errors.ts";
import { syncFile, syncFolder } from "../flush.ts";
import { type ObjectPlacer, unlinkIfThere } from "../objects/place-object.ts";
import { someTags } from "../objects/store-object.ts";
import type { BodyWriter } from "../objects/write-body.ts";
import { abandonUpload, dataPath, removeUpload, uploadFolder, uploadsFolder } from "./upload-folder.ts";

export interface PartReceiverOptions {
  readonly placer: ObjectPlacer;
  readonly bodies: BodyWriter;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Begins uploads, stores their parts, and aborts them. */
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
  abort(upload: UploadRef): Promise<void>;
}

const DATA_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
const OWN_FLAGS = DATA_FLAGS | constants.O_EXCL;

export function partReceiver(
  { layout, reader, writer }: DiskIndex,
  { placer, bodies, clock }: PartReceiverOptions,
): PartReceiver {
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
      const { size, digests } = await bodies.write({ fd, position: position ?? 0 }, body, { ...options, checksum });
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
   * Frees what a failed part has written at the end of the common file, or a full disk would stay full. The claim on the upload
   * excludes new parts there. Bytes before another part stay until the part is sent again or the upload ends.
   */
  async function truncateAfterParts(id: string): Promise<void> {
    const hold = await writer.closeUpload(id);
    try {
      const row = reader.uploads.upload(id);
      // Once an end has begun, the file may be the object.
      if (hold.busy || row?.ended !== false || row.ending !== undefined) return;
      const parts = reader.uploads.parts(id, { after: 0, limit: Number.MAX_SAFE_INTEGER });
      const ends = parts.map(({ place, size }) => ("position" in place ? place.position + size : 0));
      truncateSync(dataPath(uploadFolder(layout, id)), Math.max(0, ...ends));
    } finally {
      await hold.finish("kept");
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
      const folder = uploadFolder(layout, row.id);
      const size = options.contentLength;
      const claim = await writer.openPart({ uploadId: row.id, ref: row.ref, number, size });
      let part: PartRow | undefined;
      try {
        part = await writePart(row, claim, { number, body, options });
        const replaced = await claim.finish(part);
        if (replaced !== undefined) unlinkIfThere(join(folder, replaced));
        return partInfo(part);
      } catch (error) {
        if (part !== undefined && "file" in part.place) unlinkIfThere(join(folder, part.place.file));
        // Without its writer, the claim is released already.
        await claim.finish(undefined).catch(() => {});
        if (claim.position !== undefined) await truncateAfterParts(row.id).catch(() => {});
        throw error;
      }
    },
    async abort(upload) {
      const { id } = find(upload);
      const claim = await writer.closeUpload(id);
      try {
        // The previous holder of the claim may have ended the upload.
        find(upload);
        await abandonUpload(layout, id);
        await claim.finish("aborted");
      } finally {
        await claim.finish("kept");
      }
    },
  };
}

function openIn(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (error) {
    throw unlessEnded(error);
  }
}

/** The folder is removed when the upload ends. */
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
