/** Helpers of the multipart contract. */
import { createHash } from "node:crypto";
import type { CompleteOptions, NamedPart, UploadChecksum, UploadRef } from "../storage/contract/multipart.ts";
import type { Storage } from "../storage/contract/storage.ts";
import { chunks, md5, readBody } from "./contract-tools.ts";

/** Only equality of sizes matters: no driver has its own minimum. */
export const PART = 100_000;
/** A completion without a minimum size. */
export const ANY_SIZE: CompleteOptions = { minPartSize: 0 };

/** Bytes that differ from part to part and from attempt to attempt. */
export function bytesOf(number: number, size: number = PART, attempt = 0): Buffer {
  return Buffer.alloc(size, createHash("sha256").update(`${number}/${attempt}`).digest());
}

/** Begins an upload. */
export async function begin(
  storage: Storage,
  bucket: string,
  key = "big.bin",
  checksum?: UploadChecksum,
): Promise<UploadRef> {
  return storage.createUpload({ bucket, key }, { checksum });
}

/** Stores a part, and names it as a completion does. */
export async function put(storage: Storage, upload: UploadRef, number: number, bytes: Buffer): Promise<NamedPart> {
  const part = await storage.putPart(upload, number, chunks(bytes), { contentLength: bytes.length });
  return { number, etag: part.etag };
}

/** The ETag of an object with these parts. */
export function etagOfParts(...parts: readonly Buffer[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(md5(part), "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}

/** The bytes of an object. */
export async function bytesAt(storage: Storage, bucket: string, key = "big.bin"): Promise<Buffer> {
  return readBody((await storage.get({ bucket, key }))?.body());
}
