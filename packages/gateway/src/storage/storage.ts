/**
 * The contract between the operations and whatever keeps the objects: a folder, a bucket of a cloud, a test double.
 *
 * A driver implements `Storage`; it may declare optional parts (such as `getCached`) that a caller must test for.
 * A missing object is `undefined`; everything else that goes wrong is a `StorageError` with a code.
 * @module
 */
import type { Readable } from "node:stream";
import type { ChecksumAlgorithm } from "../http/checksum.ts";
import type { Buckets } from "./buckets.ts";
import type { Listing } from "./listing.ts";
import type { MultipartStorage } from "./multipart.ts";

export type { ChecksumAlgorithm } from "../http/checksum.ts";

/** Names one object. Both parts are decoded text, exactly as the client meant them; no driver decodes again. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

/** Response headers that an uploader may set and every later reader gets back. */
export interface StoredHeaders {
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
}

/**
 * What is known about an object without reading it. While an object does not change a driver may hand out the very same
 * `ObjectInfo`, so a caller may memoise on its identity; it is never mutated.
 */
export interface ObjectInfo {
  /** Bytes. */
  readonly size: number;
  /** Without quotes. Holds a `-` when it is not the MD5 of the bytes. */
  readonly etag: string;
  /** When the object was stored. */
  readonly lastModified: Date;
  /** As it was given at the upload, or derived from the key. */
  readonly contentType: string;
  readonly headers: StoredHeaders;
  /** User metadata, names in lower case and without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * The checksum that the object was stored with: algorithm → base64, e.g. `sha256`; one at most. It is that of all bytes; one
   * that ends in `-` and a number is the checksum of the checksums of so many parts.
   */
  readonly checksums: Readonly<Record<string, string>>;
  /** Tags, in the order in which they were set. Left out where there are none. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Given where the caller has asked for it and the object came in parts: these follow each other. */
  readonly parts?: readonly ObjectPart[] | undefined;
}

/** A part of an object that came in parts. Their numbers count from 1, whatever numbers the uploader gave them. */
export interface ObjectPart {
  /** Bytes. */
  readonly size: number;
  /** Base64, by the algorithm of the object's checksum. */
  readonly checksum?: string | undefined;
}

/** A part of an object; both ends are inclusive and lie within the object. */
export interface ByteRange {
  /** Offset of the first byte, from 0. */
  readonly start: number;
  /** Offset of the last byte. */
  readonly end: number;
}

/** Bytes that are in memory. They are shared: never write into them. */
export interface BytesBody {
  readonly kind: "bytes";
  /** All of them. */
  readonly bytes: Uint8Array;
}

/** A part of an open file. The receiver owns `fd` and calls `close()` exactly once, also after an error. */
export interface FileBody {
  readonly kind: "file";
  /** The descriptor of the open file. */
  readonly fd: number;
  /** Offset of the first byte, from 0. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** Whether the bytes are still those that the object was opened with, as far as can be told. Asked before the last of them are sent. */
  isUnchanged?(): boolean;
  /** Gives the descriptor back. */
  close(): void;
}

/** A Node stream. The receiver consumes or destroys it. */
export interface StreamBody {
  readonly kind: "stream";
  readonly stream: Readable;
  /** Bytes, where they are known. */
  readonly length: number | undefined;
  /** What an error of the stream is, for the log; the error itself if left out. */
  meaningOf?(error: Error): Error;
}

/** The bytes are to be fetched elsewhere by the client itself. */
export interface RedirectBody {
  readonly kind: "redirect";
  /** Signs a URL for this one GET. */
  url(options: RedirectOptions): string;
  /** The same bytes through the gateway, for whoever must not be sent on. */
  bytes(): StreamBody;
}

/** What a URL that a client is sent to has to keep. */
export interface RedirectOptions {
  /** Seconds for which the URL may be good at most. */
  readonly maxLife: number;
  /** Response headers that the other place has to send instead of its own. */
  readonly response: { readonly [name in keyof StoredHeaders | "contentType"]?: string | undefined };
}

/** The bytes of an object, in the form in which the driver has them at hand. */
export type Body = BytesBody | FileBody | StreamBody | RedirectBody;

/**
 * An object opened for reading. What it holds open has exactly one owner: `body()` hands it to the caller of `body()`,
 * and `close()` then does nothing; without `body()` the holder must call `close()`. `body()` is called at most once.
 */
export interface OpenObject {
  readonly info: ObjectInfo;
  /** The bytes of the whole, or of a range. It is not compared with the size: the caller has made it fit. */
  body(range?: ByteRange): Body;
  /** Gives up what is held open. Does nothing after `body()`. */
  close(): void;
}

/** What a caller wants of an object that is there. */
export interface GetOptions {
  /** Fill in `ObjectInfo.parts`. */
  readonly parts?: boolean | undefined;
  /** For `get`: perhaps only a part is wanted, or nothing. A driver that would begin to send the whole waits for `body()`. */
  readonly partial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Digests that the client declared; the driver refuses a body that has others. Raw bytes (16 and 32). */
export interface DeclaredDigests {
  /** 16 bytes. */
  readonly md5?: Uint8Array | undefined;
  /** 32 bytes. */
  readonly sha256?: Uint8Array | undefined;
}

/** A checksum that the driver computes over the body and keeps with it. */
export interface ChecksumRequest {
  readonly algorithm: ChecksumAlgorithm;
  /**
   * Base64; a body that has another is refused with `CHECKSUM_MISMATCH`. A function is asked after the last byte, for a value
   * that comes behind the body (a trailer). Where there is no value the checksum is computed and kept, and nothing compared.
   */
  readonly expected?: string | (() => string | undefined) | undefined;
}

/** What is stored with an object, and what its body has to be. */
export interface PutOptions {
  /** Without it the driver derives one from the key's extension. */
  readonly contentType?: string | undefined;
  readonly headers?: StoredHeaders | undefined;
  /** User metadata, names in lower case and without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Bytes the client announced. A body of another length is `INCOMPLETE_BODY`. */
  readonly contentLength?: number | undefined;
  /** A longer body is `TOO_LARGE`. */
  readonly maxBytes?: number | undefined;
  /** A shorter body is `TOO_SMALL`. */
  readonly minBytes?: number | undefined;
  /** Create only: refused with `PRECONDITION_FAILED` when the object exists at the moment of commit. */
  readonly ifNoneMatch?: "*" | undefined;
  /** Replace only the object with this ETag (without quotes), or any object (`*`). Checked at the moment of commit. */
  readonly ifMatch?: string | undefined;
  /** Compared, and a SHA-256 kept as the object's checksum where `checksum` names none. */
  readonly digests?: DeclaredDigests | undefined;
  readonly checksum?: ChecksumRequest | undefined;
  /** By their names; none if left out. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How tags are set. */
export interface SetTagsOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a copy takes from the caller instead of from its source. */
export interface CopyOptions extends Pick<PutOptions, "ifNoneMatch" | "ifMatch" | "signal"> {
  /** The ETag (without quotes) that the source has to have: the one on which the copy was decided. */
  readonly sourceEtag: string;
  /** Type, headers and user metadata; those of the source if left out. */
  readonly replace?: Pick<PutOptions, "contentType" | "headers" | "metadata"> | undefined;
  /** Those of the source if left out. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** By which the copy has its checksum; that of the source if left out. */
  readonly checksum?: ChecksumAlgorithm | undefined;
}

/** Under which condition an object is deleted. */
export interface DeleteOptions {
  /** Delete only the object with this ETag (without quotes), or any (`*`). */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps objects. Every method may reject with a `StorageError`; `NO_SUCH_BUCKET` from all that name
 * a bucket but `hasBucket` and `corsRules`, `UNAVAILABLE` from all, `READ_ONLY` from all that change something. Writes are durable and visible to every reader before their promise resolves.
 */
export interface Storage extends Listing, Buckets, MultipartStorage {
  /** For logs and metrics, e.g. `disk`. */
  readonly name: string;
  /** Opens an object, or `undefined` when there is none. */
  get(ref: ObjectRef, options?: GetOptions): Promise<OpenObject | undefined>;
  /**
   * Optional: the answer of `get`, when it can be given at once and is as fresh as `get`'s would be. `undefined` says
   * nothing about the object: ask `get`.
   */
  getCached?(ref: ObjectRef): OpenObject | undefined;
  /** What is known about an object, or `undefined` when there is none. Opens nothing. */
  head(ref: ObjectRef, options?: GetOptions): Promise<ObjectInfo | undefined>;
  /**
   * Stores a whole object or nothing: a reader sees the old one or the new one. An error that `body` throws is passed on
   * unless it is a broken connection, which becomes `INCOMPLETE_BODY`.
   * @throws {StorageError} `PRECONDITION_FAILED`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`, `TOO_LARGE`, `TOO_SMALL`,
   *   `INCOMPLETE_BODY`, `KEY_NOT_STORABLE`, `DISK_FULL`
   */
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /**
   * Stores the bytes of one object as another, or as the same one anew; `undefined` when there is no source. The ETag is the MD5
   * of all bytes and the checksum one of all bytes, however the source came.
   * @throws {StorageError} `PRECONDITION_FAILED`, for source and target; `KEY_NOT_STORABLE`, `DISK_FULL`
   */
  copy(source: ObjectRef, target: ObjectRef, options: CopyOptions): Promise<ObjectInfo | undefined>;
  /** Replaces all tags, and leaves everything else of the object as it is. Resolves to whether there is an object. */
  setTags(ref: ObjectRef, tags: Readonly<Record<string, string>>, options?: SetTagsOptions): Promise<boolean>;
  /** Resolves to whether there was an object. @throws {StorageError} `PRECONDITION_FAILED` */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /**
   * Optional: whether there is anything to serve, for probes. It asks no other machine, so a driver without it is taken to be available.
   */
  isAvailable?(): boolean;
  /** Waits for writes under way and frees everything. Nothing may be called afterwards. */
  close(): Promise<void>;
}

/** Why storage refused or failed: the part of a {@link StorageError} that callers may depend on. */
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
  | "UNAVAILABLE";

/** Facts beside the code. */
export interface StorageErrorOptions extends ErrorOptions {
  /** Which digest did not match, for `DIGEST_MISMATCH` and `CHECKSUM_MISMATCH`. */
  readonly digest?: ChecksumAlgorithm;
  /** Facts that the client may see, such as the number of a part. */
  readonly details?: Readonly<Record<string, string | number>>;
}

// A registered symbol, like that of DaypassError: two copies of this package recognise each other's errors.
const BRAND = Symbol.for("daypass.storage-error");

/**
 * What a driver throws. `code` is the contract; the text is for the operator and names no path of the machine but one that an
 * option has named.
 *
 * @example
 * ```ts
 * import { StorageError } from "@daypass/gateway";
 *
 * export const full = () => new StorageError("DISK_FULL", "expected room for the upload, found none: free some");
 * ```
 */
export class StorageError extends Error {
  /** What went wrong: the part that programs may depend on. */
  readonly code: StorageErrorCode;
  /** The algorithm of a digest or checksum that does not fit. */
  readonly digest: ChecksumAlgorithm | undefined;
  /** Facts that the client may see; empty where there are none. */
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
 * Tells whether a thrown value is a `StorageError`, also across duplicated copies of the package.
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
