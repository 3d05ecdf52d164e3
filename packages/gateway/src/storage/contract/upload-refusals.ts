/** The errors of multipart uploads, for all drivers. */
import type { CompleteOptions, NamedPart, PartInfo } from "./multipart.ts";
import { StorageError } from "./storage.ts";

export function noSuchUpload(): StorageError {
  return new StorageError("NO_SUCH_UPLOAD", "there is no open upload of this id for this key");
}

export function noSuchPart({ number, etag }: NamedPart): StorageError {
  return new StorageError("INVALID_PART", `there is no part ${number} of this ETag and checksum`, {
    details: { part: number, etag },
  });
}

/**
 * Checks the parts of a completion, in the order of their numbers.
 * @throws {StorageError} `PART_TOO_SMALL`, `TOO_LARGE`, `SIZE_MISMATCH`
 */
export function checkSizes(
  parts: readonly Pick<PartInfo, "number" | "size" | "etag">[],
  { minPartSize, maxSize = Number.POSITIVE_INFINITY, size: expected }: CompleteOptions,
): void {
  for (const { number, size, etag } of parts.slice(0, -1)) {
    if (size >= minPartSize) continue;
    throw new StorageError("PART_TOO_SMALL", `part ${number} has ${size} bytes and is not the last`, {
      details: { part: number, size, limit: minPartSize, etag },
    });
  }
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  if (total > maxSize) {
    throw new StorageError("TOO_LARGE", `the parts have ${total} bytes, of at most ${maxSize}`, {
      details: { size: total, limit: maxSize },
    });
  }
  if (expected !== undefined && expected !== total) {
    const message = `the parts have ${total} bytes, and the request announces ${expected}. Send the right size`;
    throw new StorageError("SIZE_MISMATCH", message, { details: { expected, found: total } });
  }
}
