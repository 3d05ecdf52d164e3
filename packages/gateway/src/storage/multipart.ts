/**
 * The part of the storage contract for objects that come in parts.
 * @module
 */
import type {
  ByteRange,
  ChecksumAlgorithm,
  ChecksumRequest,
  DeclaredDigests,
  ObjectRef,
  PutOptions,
} from "./storage.ts";

/** Names an upload. An id belongs to one key: with another it names nothing. */
export interface UploadRef extends ObjectRef {
  readonly uploadId: string;
}

/** Whether the checksum of the whole will be that of all bytes, or that of the checksums of the parts. @inline */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The checksum that an upload in parts will have. */
export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** A hash of all bytes does not follow from those of the parts, so SHA-1 and SHA-256 are `COMPOSITE`. */
  readonly type: ChecksumType;
}

/** What is stored with the object that an upload becomes. */
export interface CreateUploadOptions
  extends Pick<PutOptions, "contentType" | "headers" | "metadata" | "tags" | "signal"> {
  readonly checksum?: UploadChecksum | undefined;
}

/** An upload that is open. */
export interface UploadInfo extends UploadRef {
  /** When the upload began. */
  readonly created: Date;
  readonly checksum: UploadChecksum | undefined;
}

/** What the body of a part has to be. */
export interface PutPartOptions extends Pick<PutOptions, "contentLength" | "maxBytes" | "signal"> {
  readonly digests?: DeclaredDigests | undefined;
  /** Where the upload has a checksum the driver computes that one, whether or not it is given here. */
  readonly checksum?: ChecksumRequest | undefined;
}

/** Which bytes become a part, and of which state of the source. */
export interface CopyPartOptions extends Pick<PutOptions, "signal"> {
  /** All bytes of the source if left out. */
  readonly range?: ByteRange | undefined;
  /** The ETag (without quotes) that the source has to have: the one on which the copy was decided. */
  readonly sourceEtag: string;
}

/** A part that is stored. */
export interface PartInfo {
  /** 1 to 10,000. */
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** The MD5 of its bytes in hexadecimal. */
  readonly etag: string;
  /** When the part was stored. */
  readonly lastModified: Date;
  /** Of its bytes, by the algorithm of the upload or, where that has none, by the one that the part came with. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/** Parts in the order of their numbers. */
export interface PartPage {
  readonly upload: UploadInfo;
  /** Those behind the number that was asked for. */
  readonly parts: readonly PartInfo[];
  /** Whether there are more behind the last one. */
  readonly truncated: boolean;
}

/** Which uploads a page shows. */
export interface ListUploadsOptions {
  readonly prefix: string;
  /** Keys that have it behind the prefix are one entry, which ends with it. */
  readonly delimiter?: string | undefined;
  /** Behind all uploads of a key, behind one of them, or behind all keys that begin with a prefix. */
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

/** Uploads that are open. */
export interface UploadPage {
  /** By key in the order of UTF-8, those of one key in the order in which they began. */
  readonly entries: readonly UploadEntry[];
  /** Whether there is more behind the last entry. */
  readonly truncated: boolean;
}

/** A part as the client names it at the end. */
export interface NamedPart {
  /** 1 to 10,000. */
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  /** Base64. A part that has another, or none, is not the one that is named. */
  readonly checksum?: string | undefined;
  /** Of `checksum`; the upload's if left out. */
  readonly algorithm?: ChecksumAlgorithm | undefined;
}

/** What the whole has to be, and under which condition it becomes an object. */
export interface CompleteOptions extends Pick<PutOptions, "ifMatch" | "ifNoneMatch" | "signal"> {
  /** What every part but the last has at least. */
  readonly minPartSize: number;
  /** What all parts together may have. */
  readonly maxSize?: number | undefined;
  /** Bytes of the whole, as the client has counted them. */
  readonly size?: number | undefined;
  /** The checksum of the whole in base64, of the upload's type and algorithm. */
  readonly checksum?: string | undefined;
}

/** What an upload became. */
export interface CompletedUpload {
  /** `<MD5 of the MD5s of the parts>-<number of parts>`, without quotes. */
  readonly etag: string;
  /** As in `ObjectInfo`. */
  readonly checksums: Readonly<Record<string, string>>;
}

/**
 * Uploads in parts. What was acknowledged outlives the process, and every process sees it. All reject with `NO_SUCH_UPLOAD`
 * where the id names no upload of the key that is still open, and with `NO_SUCH_BUCKET`.
 */
export interface MultipartStorage {
  /** Begins an upload. Nobody sees an object before it is completed. @throws {StorageError} `KEY_NOT_STORABLE` */
  createUpload(ref: ObjectRef, options?: CreateUploadOptions): Promise<UploadInfo>;
  /** What is known about an upload. */
  getUpload(upload: UploadRef): Promise<UploadInfo>;
  /**
   * Stores a part, or replaces it as a whole.
   * @throws {StorageError} the codes of `put` for a body
   */
  putPart(
    upload: UploadRef,
    number: number,
    body: AsyncIterable<Uint8Array>,
    options?: PutPartOptions,
  ): Promise<PartInfo>;
  /** Makes a part of an object's bytes; `undefined` when there is no source. @throws {StorageError} `PRECONDITION_FAILED` */
  copyPart(
    upload: UploadRef,
    number: number,
    source: ObjectRef,
    options: CopyPartOptions,
  ): Promise<PartInfo | undefined>;
  /** At most `limit` parts whose numbers are above `after`. */
  listParts(upload: UploadRef, options: { readonly after: number; readonly limit: number }): Promise<PartPage>;
  /** The uploads of a bucket that are open. */
  listUploads(bucket: string, options: ListUploadsOptions): Promise<UploadPage>;
  /**
   * Makes an object of the parts, in the order of their numbers, whole or not at all. The very same call again finds what the
   * first one made.
   * @throws {StorageError} `INVALID_PART`, `PART_TOO_SMALL`, `SIZE_MISMATCH`, `CHECKSUM_MISMATCH`, `PRECONDITION_FAILED`,
   *   `DISK_FULL`
   */
  completeUpload(upload: UploadRef, parts: readonly NamedPart[], options: CompleteOptions): Promise<CompletedUpload>;
  /** Ends an upload and forgets its parts. */
  abortUpload(upload: UploadRef): Promise<void>;
}
