/**
 * The part of the storage contract for multipart uploads.
 * @module
 */
import type {
  ByteRange,
  ChecksumAlgorithm,
  ChecksumRequest,
  DeclaredDigests,
  ObjectRef,
  PutOptions,
} from "./object.ts";

/** "Maximum number of parts per upload: 10,000". */
export const MAX_PARTS = 10_000;

/** Names an upload. An id belongs to one key; with another key, it names nothing. */
export interface UploadRef extends ObjectRef {
  readonly uploadId: string;
}

/** Whether the object's checksum will cover all bytes, or the checksums of the parts. @inline */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The checksum that a multipart upload will have. */
export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** SHA-1 and SHA-256 are `COMPOSITE`, because the hash of all bytes cannot be derived from the hashes of the parts. */
  readonly type: ChecksumType;
}

/** What is stored with the object that an upload creates. */
export interface CreateUploadOptions
  extends Pick<PutOptions, "contentType" | "headers" | "metadata" | "tags" | "signal"> {
  readonly checksum?: UploadChecksum | undefined;
}

/** An open upload. */
export interface UploadInfo extends UploadRef {
  /** When the upload began. */
  readonly created: Date;
  readonly checksum: UploadChecksum | undefined;
}

/** Conditions for the body of a part. */
export interface PutPartOptions extends Pick<PutOptions, "contentLength" | "maxBytes" | "signal"> {
  readonly digests?: DeclaredDigests | undefined;
  /** If the upload has a checksum, the driver computes that one, whether or not it is set here. */
  readonly checksum?: ChecksumRequest | undefined;
}

/** Which bytes of the source become a part, and in which of its states. */
export interface CopyPartOptions extends Pick<PutOptions, "signal"> {
  /** All bytes of the source if omitted. */
  readonly range?: ByteRange | undefined;
  /** The ETag (without quotes) that the source must have: its ETag when the copy was decided. */
  readonly sourceEtag: string;
}

/** A stored part. */
export interface PartInfo {
  /** 1 to 10,000. */
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** The MD5 of its bytes in hexadecimal. */
  readonly etag: string;
  /** When the part was stored. */
  readonly lastModified: Date;
  /** The checksum of its bytes, with the upload's algorithm or, if the upload has none, with the algorithm of the part's request. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/** Parts in the order of their numbers. */
export interface PartPage {
  readonly upload: UploadInfo;
  /** Those after the requested number. */
  readonly parts: readonly PartInfo[];
  /** Whether there are more after the last one. */
  readonly truncated: boolean;
}

/** Which uploads a page shows. */
export interface ListUploadsOptions {
  readonly prefix: string;
  /** Keys that contain it after the prefix are rolled up into one entry, which ends with it. */
  readonly delimiter?: string | undefined;
  /** After all uploads of a key, after one of them, or after all keys that begin with a prefix. */
  readonly after?:
    | { readonly key: string; readonly uploadId?: string | undefined }
    | { readonly prefix: string }
    | undefined;
  /** Entries of the page, at least 1. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** An upload, or keys that share everything up to a delimiter. */
export type UploadEntry =
  | { readonly kind: "upload"; readonly upload: UploadInfo }
  | { readonly kind: "prefix"; readonly prefix: string };

/** A page of open uploads. */
export interface UploadPage {
  /** Sorted by the UTF-8 bytes of their keys, and for one key by the time of their creation. */
  readonly entries: readonly UploadEntry[];
  /** Whether there are more after the last entry. */
  readonly truncated: boolean;
}

/** A part as the client lists it on completion. */
export interface NamedPart {
  /** 1 to 10,000. */
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  /** Base64. A part with a different checksum, or without one, is not the listed part. */
  readonly checksum?: string | undefined;
  /** The algorithm of `checksum`; the upload's if omitted. */
  readonly algorithm?: ChecksumAlgorithm | undefined;
}

/** Conditions for the whole upload to become an object. */
export interface CompleteOptions extends Pick<PutOptions, "ifMatch" | "ifNoneMatch" | "signal"> {
  /** Minimum bytes of every part except the last. */
  readonly minPartSize: number;
  /** Maximum bytes of all parts together. */
  readonly maxSize?: number | undefined;
  /** Bytes of the whole object, as declared by the client. */
  readonly size?: number | undefined;
  /** The checksum of the whole object in base64, of the upload's type and algorithm. */
  readonly checksum?: string | undefined;
}

/** The result of a completed upload. */
export interface CompletedUpload {
  /** `<MD5 of the MD5s of the parts>-<number of parts>`, without quotes. */
  readonly etag: string;
  /** As in `ObjectInfo`. */
  readonly checksums: Readonly<Record<string, string>>;
}

/**
 * Multipart uploads. Whatever was acknowledged survives the process, and every process sees it. All methods may reject with
 * `NO_SUCH_BUCKET`, and with `NO_SUCH_UPLOAD` if the id names no open upload of the key.
 */
export interface MultipartStorage {
  /** Creates an upload. The object is not visible before the upload is completed. @throws {StorageError} `KEY_NOT_STORABLE` */
  createUpload(ref: ObjectRef, options?: CreateUploadOptions): Promise<UploadInfo>;
  /** What is known about an upload. */
  getUpload(upload: UploadRef): Promise<UploadInfo>;
  /**
   * Stores a part, or replaces it atomically.
   * @throws {StorageError} the codes of `put` for a body
   */
  putPart(
    upload: UploadRef,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options?: PutPartOptions,
  ): Promise<PartInfo>;
  /** Creates a part from an object's bytes; `undefined` if the source does not exist. @throws {StorageError} `PRECONDITION_FAILED` */
  copyPart(
    upload: UploadRef,
    number: number,
    source: ObjectRef,
    options: CopyPartOptions,
  ): Promise<PartInfo | undefined>;
  /** At most `limit` parts whose numbers are above `after`. */
  listParts(upload: UploadRef, options: { readonly after: number; readonly limit: number }): Promise<PartPage>;
  /** The open uploads of a bucket. */
  listUploads(bucket: string, options: ListUploadsOptions): Promise<UploadPage>;
  /**
   * Joins the parts, in the order of their numbers, into an object, atomically. If the very same call is repeated, it returns
   * the result of the first one.
   * @throws {StorageError} `INVALID_PART`, `PART_TOO_SMALL`, `SIZE_MISMATCH`, `CHECKSUM_MISMATCH`, `PRECONDITION_FAILED`,
   *   `DISK_FULL`
   */
  completeUpload(upload: UploadRef, parts: readonly NamedPart[], options: CompleteOptions): Promise<CompletedUpload>;
  /** Ends an upload and discards its parts. */
  abortUpload(upload: UploadRef): Promise<void>;
}
