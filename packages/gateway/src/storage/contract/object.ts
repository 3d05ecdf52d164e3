/**
 * Objects in the storage contract: their names, what is known about them, and what is stored with them.
 * @module
 */
import type { ChecksumAlgorithm } from "../../http/checksum.ts";

export type { ChecksumAlgorithm } from "../../http/checksum.ts";

/** Names one object. Both parts are decoded text, exactly as the client meant them; no driver decodes again. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

/** Response headers that an uploader may set; every later reader gets them back. */
export interface StoredHeaders {
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
}

/**
 * What is known about an object without reading it. As long as an object does not change, a driver may return the very same
 * `ObjectInfo`, so a caller may memoise by its identity. It is never mutated.
 */
export interface ObjectInfo {
  /** Bytes. */
  readonly size: number;
  /** Without quotes. Contains a `-` if it is not the MD5 of the bytes. */
  readonly etag: string;
  /** When the object was stored. */
  readonly lastModified: Date;
  /** As set by the upload, or derived from the key. */
  readonly contentType: string;
  readonly headers: StoredHeaders;
  /** User metadata, names in lower case and without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * The checksum that the object was stored with: algorithm → base64, e.g. `sha256`; at most one. It covers all bytes,
   * unless it ends in `-` and a number: then it is the checksum of the checksums of that many parts.
   */
  readonly checksums: Readonly<Record<string, string>>;
  /** Tags, in the order in which they were set. Omitted if there are none. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Set if the caller asked for it and the object was uploaded in parts: the parts, in the order of their bytes. */
  readonly parts?: readonly ObjectPart[] | undefined;
}

/** A part of an object that was uploaded in parts. They are numbered from 1, whatever numbers the uploader used. */
export interface ObjectPart {
  /** Bytes. */
  readonly size: number;
  /** Base64, with the algorithm of the object's checksum. */
  readonly checksum?: string | undefined;
}

/** A part of an object; both ends are inclusive and lie within the object. */
export interface ByteRange {
  /** Offset of the first byte, from 0. */
  readonly start: number;
  /** Offset of the last byte. */
  readonly end: number;
}

/** Digests that the client declared, as raw bytes. The driver refuses a body with different ones. */
export interface DeclaredDigests {
  /** 16 bytes. */
  readonly md5?: Uint8Array | undefined;
  /** 32 bytes. */
  readonly sha256?: Uint8Array | undefined;
}

/** A checksum that the driver computes over the body and stores with it. */
export interface ChecksumRequest {
  readonly algorithm: ChecksumAlgorithm;
  /**
   * Base64; a body with a different checksum is refused with `CHECKSUM_MISMATCH`. A function is called after the last byte, for
   * a value that follows the body (a trailer). Without a value, the checksum is computed and stored, but not compared.
   */
  readonly expected?: string | (() => string | undefined) | undefined;
}

/** What is stored with an object, and the conditions for its body. */
export interface PutOptions {
  /** If omitted, the driver derives one from the key's extension. */
  readonly contentType?: string | undefined;
  readonly headers?: StoredHeaders | undefined;
  /** User metadata, names in lower case and without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Bytes that the client announced. A body of another length is `INCOMPLETE_BODY`. */
  readonly contentLength?: number | undefined;
  /** A longer body is `TOO_LARGE`. */
  readonly maxBytes?: number | undefined;
  /** A shorter body is `TOO_SMALL`. */
  readonly minBytes?: number | undefined;
  /** Create only: refused with `PRECONDITION_FAILED` if the object exists at the moment of commit. */
  readonly ifNoneMatch?: "*" | undefined;
  /** Replace only the object with this ETag (without quotes), or any object (`*`). Checked at the moment of commit. */
  readonly ifMatch?: string | undefined;
  /** Compared with the body. A SHA-256 is also stored as the object's checksum, unless `checksum` is set. */
  readonly digests?: DeclaredDigests | undefined;
  readonly checksum?: ChecksumRequest | undefined;
  /** Values by name; none if omitted. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}
