/** What the disk driver asks of its index: a reader in every process, and one writer for all of them. */
import type { ObjectInfo, ObjectRef } from "../../contract/storage.ts";
import type { NamesReader } from "./names-table.ts";
import type { Ending, PartRow, UploadRow, UploadsReader } from "./uploads-table.ts";

/** What an upload leaves in the index beside its file, which tells size and time itself. Plain data: it travels between processes. */
export interface IndexRow extends Omit<ObjectInfo, "size" | "lastModified"> {
  readonly ref: ObjectRef;
  /** Of the file it belongs to (`fingerprintOf`). */
  readonly fingerprint: string;
}

export interface IndexReader {
  readonly names: NamesReader;
  readonly uploads: UploadsReader;
  /** The row of a key for exactly this file; without one the file is foreign. `parts` are read where they are asked for. */
  find(ref: ObjectRef, fingerprint: string, options?: { readonly parts?: boolean | undefined }): IndexRow | undefined;
  close(): void;
}

/** Why a key is claimed. A put brings the row of the file that is about to take the key, and the upload that it ends. */
export type ClaimIntent =
  | {
      readonly kind: "put";
      readonly row: IndexRow;
      readonly ends?: { readonly id: string; readonly ending: Ending };
      /** It only takes something away from the row that is there, so it may use the room that is kept for that. */
      readonly removes?: boolean;
    }
  | { readonly kind: "delete" };

/**
 * How a claim ended. `stored`: the key's file is the claimed row's, and every other row of the key is out of date.
 * `abandoned`: the claimed row's file never took the key. `deleted`: the key has no file.
 * `unknown`: the holder died; its rows stay unsettled for the next start.
 */
export type ClaimOutcome = "stored" | "abandoned" | "deleted" | "unknown";

/** The right to change a key's file. Exactly one is held for a key at any time, among all processes. */
export interface Claim {
  /** Gives the key free at once; the rows follow with a later commit. */
  finish(outcome: ClaimOutcome): void;
}

/** What a part needs to know before its bytes come. */
export interface PartRequest {
  readonly uploadId: string;
  readonly ref: ObjectRef;
  readonly number: number;
  /** Bytes, where they are known. */
  readonly size: number | undefined;
}

/** The right to write a part. */
export interface PartClaim {
  /** Where it may write in the common file, with nobody else; `undefined`: into a file of its own. */
  readonly position: number | undefined;
  /**
   * Makes the part one of the upload's, durably, or gives the place free. Resolves to the file of the part that it replaces.
   * @throws {StorageError} `NO_SUCH_UPLOAD` when the upload has ended meanwhile
   */
  finish(part: PartRow | undefined): Promise<string | undefined>;
}

/** The right to end an upload. One is held at any time, and parts that begin meanwhile do not touch the common file. */
export interface UploadClaim {
  /** Whether somebody writes into the common file. */
  readonly busy: boolean;
  /**
   * Resolves when the end is on disk. On a disk without any room that of an upload that was aborted follows when there is some: its folder
   * is gone, and that ends it at the next start.
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
   * Waits for the key, then resolves when the intent is on disk, so that a crash from here on can be cleaned up. On a disk without any
   * room a deletion does without: a row whose file is gone counts for nothing.
   */
  claim(ref: ObjectRef, intent: ClaimIntent): Promise<Claim>;
  /** Notes, durably, that temp files may lie in this folder. */
  addFolder(path: string): Promise<void>;
  /** The location of the index that this writer writes. */
  indexPath(): Promise<string>;
}

/** The part of the writer that keeps names and buckets. */
export interface NamesIndexWriter {
  /** Brings the names in folders of a bucket (by prefix) that have changed into the index; see `FolderReader`. */
  refresh(bucket: string, prefixes: readonly string[]): Promise<void>;
  /** Takes names out of the index that a listing found without a file, unless one is there now or about to be. */
  forget(bucket: string, keys: readonly string[]): Promise<void>;
  /** @throws {StorageError} `BUCKET_EXISTS`, `BUCKET_NAME_TAKEN` */
  createBucket(bucket: string): Promise<void>;
  /** @throws {StorageError} `NO_SUCH_BUCKET`, `BUCKET_NOT_EMPTY` */
  removeBucket(bucket: string): Promise<void>;
  /** Sets a bucket's settings, durably; `null` removes them. @throws {StorageError} `NO_SUCH_BUCKET` */
  setForBucket(bucket: string, name: string, value: string | null): Promise<void>;
}
