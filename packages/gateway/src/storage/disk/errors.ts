/** The errors of the driver: what the file system and SQLite throw, as `StorageError`. */
import { isSqliteFull } from "../../sqlite/database.ts";
import { StorageError, type StorageErrorCode } from "../contract/storage.ts";

const CODES: Readonly<Record<string, StorageErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EROFS: "READ_ONLY",
  EACCES: "STORAGE_DENIED",
  EPERM: "STORAGE_DENIED",
  EFBIG: "TOO_LARGE",
  ENAMETOOLONG: "KEY_NOT_STORABLE",
  // The disk of the bucket cannot hold the name, and the file cannot move to `.daypass/`, which is on another disk.
  EXDEV: "KEY_NOT_STORABLE",
};

/** The `code` of a system error, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Translates errors of the file system and of SQLite. Other errors pass unchanged, such as an error of the uploaded body.
 * The path stays in `cause`, for the operator.
 * @param doing the failed step, e.g. `store the object`
 */
export function translated(error: unknown, doing: string): unknown {
  if (!(error instanceof Error)) return error;
  const sqlite = "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined;
  if (sqlite === undefined && !("syscall" in error)) return error;
  const errno = errnoOf(error);
  const code = isSqliteFull(error) ? "DISK_FULL" : (CODES[errno ?? ""] ?? "UNAVAILABLE");
  return new StorageError(code, `could not ${doing}${errno === undefined ? "" : ` (${errno})`}`, { cause: error });
}

/** Runs a step and translates what it throws. */
export async function translating<T>(doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw translated(error, doing);
  }
}

export function noSuchBucket(bucket: string): StorageError {
  return new StorageError("NO_SUCH_BUCKET", `there is no bucket ${JSON.stringify(bucket)}`);
}

export function unavailable(message: string, cause?: unknown): StorageError {
  return new StorageError("UNAVAILABLE", message, { cause });
}
