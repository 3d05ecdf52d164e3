/**
 * The contract between the operations and a storage driver: a folder, a cloud bucket, a test double.
 *
 * A driver implements `Storage`. Some methods are optional (such as `getCached`): a caller must check whether they exist.
 * A missing object is `undefined`; every other failure is a `StorageError` with a code.
 * @module
 */
import type { Readable } from "node:stream";
import type { Buckets } from "./buckets.ts";
import type { Listing } from "./listing.ts";
import type { MultipartStorage } from "./multipart.ts";
import type { ByteRange, ChecksumAlgorithm, ObjectInfo, ObjectRef, PutOptions, StoredHeaders } from "./object.ts";

export type * from "./object.ts";

/** Bytes in memory. They are shared: never write to them. */
export interface BytesBody {
  readonly kind: "bytes";
  /** All of them. */
  readonly bytes: Uint8Array;
}

/** A range of an open file. The receiver owns `fd` and must call `close()` exactly once, even after an error. */
export interface FileBody {
  readonly kind: "file";
  /** The descriptor of the open file. */
  readonly fd: number;
  /** Offset of the first byte, from 0. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** Whether the bytes are unchanged since the object was opened, as far as the driver can know. Called before the last bytes are sent. */
  isUnchanged?(): boolean;
  /** Closes the descriptor. */
  close(): void;
}

/** A Node stream. The receiver consumes or destroys it. */
export interface StreamBody {
  readonly kind: "stream";
  readonly stream: Readable;
  /** Bytes, if known. */
  readonly length: number | undefined;
  /** Translates an error of the stream, for the log. If omitted, the error itself is logged. */
  meaningOf?(error: Error): Error;
}

/** The client must fetch the bytes elsewhere itself. */
export interface RedirectBody {
  readonly kind: "redirect";
  /** Signs a URL for this one GET. */
  url(options: RedirectOptions): string;
  /** The same bytes through the gateway, for clients that must not be redirected. */
  bytes(): StreamBody;
}

/** Limits for the URL to which a client is redirected. */
export interface RedirectOptions {
  /** Longest lifetime of the URL, in seconds. */
  readonly maxLife: number;
  /** Response headers that the target must send, in place of those it has. */
  readonly response: { readonly [name in keyof StoredHeaders | "contentType"]?: string | undefined };
}

/** The bytes of an object, in the form in which the driver can provide them. */
export type Body = BytesBody | FileBody | StreamBody | RedirectBody;

/**
 * An object opened for reading. Its open resources have exactly one owner: `body()` passes them to its caller, after which
 * `close()` does nothing. If `body()` is not called, the holder must call `close()`. `body()` is called at most once.
 */
export interface OpenObject {
  readonly info: ObjectInfo;
  /** The bytes of the whole object, or of a range. The range is not checked against the size: the caller has done that. */
  body(range?: ByteRange): Body;
  /** Releases the open resources. Does nothing after `body()`. */
  close(): void;
}

/** What a caller wants from an object. */
export interface GetOptions {
  /** Fill in `ObjectInfo.parts`. */
  readonly parts?: boolean | undefined;
  /** For `get`: the caller may need only a part, or nothing. A driver that would otherwise fetch the whole object at once must wait for `body()`. */
  readonly partial?: boolean | undefined;
  /** For `get`: the object is one of many that are read once. A driver keeps it out of its cache, which would lose what is read often. */
  readonly once?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How tags are set. */
export interface SetTagsOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What the caller of a copy sets instead of taking it from the source. */
export interface CopyOptions extends Pick<PutOptions, "ifNoneMatch" | "ifMatch" | "signal"> {
  /** The ETag (without quotes) that the source must have: its ETag when the copy was decided. */
  readonly sourceEtag: string;
  /** Type, headers and user metadata; copied from the source if omitted. */
  readonly replace?: Pick<PutOptions, "contentType" | "headers" | "metadata"> | undefined;
  /** Copied from the source if omitted. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** The algorithm of the copy's checksum; the source's if omitted. */
  readonly checksum?: ChecksumAlgorithm | undefined;
}

/** The condition under which an object is deleted. */
export interface DeleteOptions {
  /** Delete only the object with this ETag (without quotes), or any (`*`). */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores objects. Every method may reject with a `StorageError`: `UNAVAILABLE` and `STORAGE_DENIED` from all, `READ_ONLY` from all that change
 * something, `NO_SUCH_BUCKET` from all that name a bucket except `hasBucket` and `corsRules`. Writes are durable and visible to
 * every reader before their promise resolves.
 */
export interface Storage extends Listing, Buckets, MultipartStorage {
  /** For logs and metrics, e.g. `disk`. */
  readonly name: string;
  /** Opens an object; `undefined` if it does not exist. */
  get(ref: ObjectRef, options?: GetOptions): Promise<OpenObject | undefined>;
  /**
   * Optional: the result of `get`, if it is available at once and equally fresh. `undefined` says nothing about the object: call
   * `get`.
   */
  getCached?(ref: ObjectRef): OpenObject | undefined;
  /**
   * Optional: the path of an object's file, relative to the folder that is served, for a front server that reads the same folder. The
   * object may be replaced before that server opens it. `undefined` if the object has no file that another user may read.
   */
  filePath?(ref: ObjectRef): string | undefined;
  /** What is known about an object; `undefined` if it does not exist. Opens nothing. */
  head(ref: ObjectRef, options?: GetOptions): Promise<ObjectInfo | undefined>;
  /**
   * Stores an object atomically: a reader sees the old one or the new one. An error thrown by `body` is passed on, except a
   * broken connection, which becomes `INCOMPLETE_BODY`.
   * @throws {StorageError} `PRECONDITION_FAILED`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`, `TOO_LARGE`, `TOO_SMALL`,
   *   `INCOMPLETE_BODY`, `KEY_NOT_STORABLE`, `DISK_FULL`
   */
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /**
   * Stores the bytes of one object as another, or as the same one again; `undefined` if the source does not exist. The ETag is
   * the MD5 of all bytes and the checksum covers all bytes, even if the source was uploaded in parts.
   * @throws {StorageError} `PRECONDITION_FAILED`, for source and target; `KEY_NOT_STORABLE`, `DISK_FULL`
   */
  copy(source: ObjectRef, target: ObjectRef, options: CopyOptions): Promise<ObjectInfo | undefined>;
  /** Replaces all tags and leaves the rest of the object unchanged. Resolves to whether the object exists. */
  setTags(ref: ObjectRef, tags: Readonly<Record<string, string>>, options?: SetTagsOptions): Promise<boolean>;
  /** Resolves to whether the object existed. @throws {StorageError} `PRECONDITION_FAILED` */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /**
   * Optional: whether the storage can be served, for probes. It must not contact another machine. A driver without it counts as available.
   */
  isAvailable?(): boolean;
  /** Waits for writes in progress, then releases everything. No method may be called afterwards. */
  close(): Promise<void>;
}

/** Why the storage refused or failed: the part of a {@link StorageError} that callers may depend on. */
export type StorageErrorCode =
  | "NO_SUCH_BUCKET"
  | "BUCKET_EXISTS"
  | "BUCKET_NAME_TAKEN"
  | "BUCKET_NOT_EMPTY"
  | "PRECONDITION_FAILED"
  | "DIGEST_MISMATCH"
  | "CHECKSUM_MISMATCH"
  | "TOO_LARGE"
  | "TOO_SMALL"
  | "INCOMPLETE_BODY"
  | "KEY_NOT_STORABLE"
  | "NO_SUCH_UPLOAD"
  | "INVALID_PART"
  | "PART_TOO_SMALL"
  | "SIZE_MISMATCH"
  | "DISK_FULL"
  | "READ_ONLY"
  | "STORAGE_DENIED"
  | "UNAVAILABLE";

/** Facts in addition to the code. */
export interface StorageErrorOptions extends ErrorOptions {
  /** Which digest did not match, for `DIGEST_MISMATCH` and `CHECKSUM_MISMATCH`. */
  readonly digest?: ChecksumAlgorithm;
  /** Facts that the client may see, such as the number of a part. */
  readonly details?: Readonly<Record<string, string | number>>;
}

// A registered symbol, as in DaypassError: two copies of this package recognise each other's errors.
const BRAND = Symbol.for("daypass.storage-error");

/**
 * What a driver throws. `code` is the contract. The text is for the operator, and names no path of the machine except those set
 * in options.
 *
 * @example
 * ```ts
 * import { StorageError } from "@daypass/gateway";
 *
 * export const full = () => new StorageError("DISK_FULL", "the disk is full. Free some space");
 * ```
 */
export class StorageError extends Error {
  /** What went wrong: the part that programs may depend on. */
  readonly code: StorageErrorCode;
  /** The algorithm of a digest or checksum that does not match. */
  readonly digest: ChecksumAlgorithm | undefined;
  /** Facts that the client may see; empty if there are none. */
  readonly details: Readonly<Record<string, string | number>>;

  /** The message is for the operator. `options.details` may be shown to the client. */
  constructor(code: StorageErrorCode, message: string, options: StorageErrorOptions = {}) {
    super(message, options);
    this.name = "StorageError";
    this.code = code;
    this.digest = options.digest;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Returns whether a thrown value is a `StorageError`, even one of another copy of the package.
 *
 * @param value whatever was caught
 * @example
 * ```ts
 * import { isStorageError } from "@daypass/gateway";
 *
 * export const isFull = (error: unknown) => isStorageError(error) && error.code === "DISK_FULL";
 * ```
 */
export function isStorageError(value: unknown): value is StorageError {
  return typeof value === "object" && value !== null && Reflect.get(value, BRAND) === true;
}
