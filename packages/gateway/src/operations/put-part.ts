import type { PermittedObject } from "../permit.ts";
import { Refusal } from "../pipeline/refusal.ts";
import type { PartInfo } from "../storage/contract/multipart.ts";
import type { ChecksumRequest, DeclaredDigests } from "../storage/contract/storage.ts";
import type { OperationContext } from "./operation-context.ts";

export interface PutPart {
  readonly operation: "put-part";
  readonly object: PermittedObject;
  readonly uploadId: string;
  readonly number: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly contentLength: number | undefined;
  readonly maxBytes: number;
  readonly digests: DeclaredDigests;
  readonly checksum: ChecksumRequest | undefined;
}

export interface StoredPart {
  readonly kind: "part-stored";
  readonly part: PartInfo;
}

/**
 * Stores a part of an upload.
 * @throws {Refusal} `TOO_LARGE`, `CHECKSUM_ALGORITHM` for a checksum that is not that of the upload
 * @throws {StorageError} `NO_SUCH_UPLOAD` and the codes of `Storage.putPart`
 */
export async function putPart(request: PutPart, { storage, signal }: OperationContext): Promise<StoredPart> {
  const { object, uploadId, number, contentLength, maxBytes, checksum } = request;
  if (contentLength !== undefined && contentLength > maxBytes) {
    throw new Refusal("TOO_LARGE", `expected a part of at most ${maxBytes} bytes, found ${contentLength}: send less`, {
      size: contentLength,
      limit: maxBytes,
    });
  }
  const upload = { ...object, uploadId };
  const { checksum: wanted } = await storage.getUpload(upload);
  const found = checksum?.algorithm;
  // Of all bytes the storage computes a checksum by itself; one of checksums has to come from the client, part for part.
  if (wanted !== undefined && found !== wanted.algorithm && (found !== undefined || wanted.type === "COMPOSITE")) {
    throw new Refusal("CHECKSUM_ALGORITHM", `expected a checksum by ${wanted.algorithm}, found another or none`, {
      expected: wanted.algorithm,
      found: found ?? "null",
    });
  }
  const { body, digests } = request;
  const part = await storage.putPart(upload, number, body, { contentLength, maxBytes, digests, checksum, signal });
  return { kind: "part-stored", part };
}
