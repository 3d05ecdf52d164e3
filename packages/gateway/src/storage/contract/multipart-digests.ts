/** ETag and checksum of a multipart object, from the digests of its parts. No byte is read again. */
import { createHash } from "node:crypto";
import { isCrc, runningChecksum } from "../../http/checksum.ts";
import { combineCrcs } from "../../http/crc.ts";
import type { CompletedUpload, UploadChecksum } from "./multipart.ts";
import { type ObjectPart, StorageError } from "./storage.ts";

/** What a driver knows about a stored part. */
export interface PartDigests {
  /** Bytes. */
  readonly size: number;
  /** The MD5 in hexadecimal. */
  readonly etag: string;
  /** Base64, by algorithm. */
  readonly checksum: { readonly algorithm: string; readonly value: string } | undefined;
}

/** `<MD5 of the MD5s>-<number of parts>`. */
export function etagOf(parts: readonly PartDigests[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(etag, "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}

export function checksumsOf(
  checksum: UploadChecksum | undefined,
  parts: readonly PartDigests[],
): Record<string, string> {
  if (checksum === undefined) return {};
  const { algorithm, type } = checksum;
  const values = parts.map((part) => ({ size: part.size, crc: Buffer.from(part.checksum?.value ?? "", "base64") }));
  if (type === "FULL_OBJECT" && isCrc(algorithm)) return { [algorithm]: base64(combineCrcs(algorithm, values)) };
  const running = runningChecksum(algorithm, createHash);
  for (const { crc } of values) running.update(crc);
  return { [algorithm]: `${base64(running.digest())}-${parts.length}` };
}

/** A checksum of checksums may be declared with and without the number of parts. @throws {StorageError} `CHECKSUM_MISMATCH` */
export function checkChecksum(
  checksum: UploadChecksum | undefined,
  { checksums }: CompletedUpload,
  declared: string | undefined,
): void {
  if (declared === undefined || checksum === undefined) return;
  const value = checksums[checksum.algorithm] ?? "";
  if (declared === value || declared === value.replace(/-.*/, "")) return;
  throw new StorageError("CHECKSUM_MISMATCH", "the checksum of the parts is not the declared one", {
    digest: checksum.algorithm,
  });
}

export function objectPart({ size, checksum }: PartDigests, whole: UploadChecksum | undefined): ObjectPart {
  return checksum === undefined || checksum.algorithm !== whole?.algorithm
    ? { size }
    : { size, checksum: checksum.value };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
