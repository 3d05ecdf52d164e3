/** Rows of uploads and parts as the contract has them. */
import type { PartInfo, UploadInfo } from "../../contract/multipart.ts";
import type { ChecksumAlgorithm } from "../../contract/storage.ts";
import type { PartRow, UploadRow } from "../database/uploads-table.ts";

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
