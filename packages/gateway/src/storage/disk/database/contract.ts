/** What the disk driver needs of its index: a reader in every process, and one writer for all of them. */
import type { ObjectInfo, ObjectRef } from "../../contract/storage.ts";
import type { Layout } from "../layout.ts";
import type { FileThread } from "../listing/file-thread.ts";
import type { NamesReader } from "./names-table.ts";
import type { Ending, PartRow, UploadRow, UploadsReader } from "./uploads-table.ts";

/** The index of a folder, open in the one process that owns it. The driver also uses it in workers. */
export interface DiskIndex {
  /** @internal */
  readonly layout: Layout;
  /** The name of this run of the gateway, which its temp files contain. @internal */
  readonly run: string;
  /** @internal */
  readonly reader: IndexReader;
  /** What `serveIndexWriter` provides to a worker. */
  readonly writer: IndexWriter;
  /** @internal */
  readonly thread: FileThread;
  /** Releases the folder for another owner. Workers that still write fail. */
  close(): void;
}

/** The metadata of an uploaded file. Size and time are the file's own. Plain data, because it crosses processes. */
export interface IndexRow extends Omit<ObjectInfo, "size" | "lastModified"> {
  readonly ref: ObjectRef;
  /** The `fingerprintOf` the file. */
  readonly fingerprint: string;
}

export interface IndexReader {
  readonly names: NamesReader;
  readonly uploads: UploadsReader;
  /** The row of a key for exactly this file; `undefined` if the file was not uploaded. `parts` are read only on request. */
  find(ref: ObjectRef, fingerprint: string, options?: { readonly parts?: boolean | undefined }): IndexRow | undefined;
  close(): void;
}

/** Why a key is claimed. A put has the row of the file that is about to take the key, and the upload that it completes. */
export type ClaimIntent =
  | {
      readonly kind: "put";
      readonly row: IndexRow;
      readonly ends?: { readonly id: string; readonly ending: Ending };
      /** It only removes something from the row, so it may use the reserved space. */
      readonly removes?: boolean;
    }
  | { readonly kind: "delete" };

/**
 * How a claim ended. `stored`: the key's file is the claimed row's, and every other row of the key is out of date.
 * `abandoned`: the claimed row's file never took the key. `deleted`: the key has no file.
 * `unknown`: the holder died; its rows stay unsettled for the next start.
 */
export type ClaimOutcome = "stored" | "abandoned" | "deleted" | "unknown";

/** The right to change a key's file. At any time, one process holds it. */
export interface Claim {
  /** Releases the key at once. The rows follow with a later commit. */
  finish(outcome: ClaimOutcome): void;
}

/** A part that is about to be written. */
export interface PartRequest {
  readonly uploadId: string;
  readonly ref: ObjectRef;
  readonly number: number;
  /** Bytes, if known. */
  readonly size: number | undefined;
}

/** The right to write a part. */
export interface PartClaim {
  /** The position in the common file that is reserved for the part; `undefined`: write its own file. */
  readonly position: number | undefined;
  /**
   * Adds the part to the upload, durably. Without a part, releases the position. Resolves to the file of the replaced part.
   * @throws {StorageError} `NO_SUCH_UPLOAD` if the upload has ended meanwhile
   */
  finish(part: PartRow | undefined): Promise<string | undefined>;
}

/** The right to end an upload. At any time, one is held. Parts that begin meanwhile do not touch the common file. */
export interface UploadClaim {
  /** Whether a part is being written into the common file. */
  readonly busy: boolean;
  /**
   * Resolves when the end is on disk. On a full disk, the row of an aborted upload is removed later: without its folder, the next
   * start ends it.
   */
  finish(outcome: "completed" | "aborted" | "kept"): Promise<void>;
}

export interface UploadsIndexWriter {
  createUpload(row: Pick<UploadRow, "id" | "ref" | "fields">): Promise<void>;
  /** @throws {StorageError} `NO_SUCH_UPLOAD` */
  openPart(request: PartRequest): Promise<PartClaim>;
  /** Waits for its turn. Does not check whether the upload exists. */
  closeUpload(uploadId: string): Promise<UploadClaim>;
}

/**
 * Writes the index of a folder, in the process that owns it or through a {@link Channel} to that process. Just pass it
 * on: only the disk driver calls it.
 */
export interface IndexWriter extends NamesIndexWriter, UploadsIndexWriter {
  /**
   * Waits for the key, then resolves when the intent is on disk, so that a crash from here on can be cleaned up. On a full disk a
   * deletion proceeds without: a row without its file has no effect.
   */
  claim(ref: ObjectRef, intent: ClaimIntent): Promise<Claim>;
  /** Records, durably, that temp files may lie in this folder. */
  addFolder(path: string): Promise<void>;
  /** The location of the index that this writer writes. */
  indexPath(): Promise<string>;
}

/** The part of the writer for names and buckets. */
export interface NamesIndexWriter {
  /** Brings the names in changed folders of a bucket (by prefix) into the index; see `FolderReader`. */
  refresh(bucket: string, prefixes: readonly string[]): Promise<void>;
  /** Removes names whose file a listing did not find, unless the file exists now or an upload is about to make it. */
  forget(bucket: string, keys: readonly string[]): Promise<void>;
  /** @throws {StorageError} `BUCKET_EXISTS`, `BUCKET_NAME_TAKEN` */
  createBucket(bucket: string): Promise<void>;
  /** @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY` */
  removeBucket(bucket: string): Promise<void>;
  /** Sets a bucket's settings, durably; `null` removes them. @throws {StorageError} `NO_SUCH_BUCKET` */
  setForBucket(bucket: string, name: string, value: string | null): Promise<void>;
}
