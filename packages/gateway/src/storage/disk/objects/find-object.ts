/** From a key to its open file and the metadata that belongs to exactly that file. */
import { type BigIntStats, closeSync } from "node:fs";
import { contentTypeOf } from "../../../http/content-type.ts";
import { type ObjectInfo, type ObjectRef, StorageError } from "../../contract/storage.ts";
import type { IndexReader, IndexRow } from "../database/contract.ts";
import type { Layout } from "../layout.ts";
import { fingerprintOf, foreignEtag, identityOf, isSameFile, modifiedAt } from "./fingerprint.ts";
import { lstatOrAbsent, type OpenedFile, openRegular, openRegularLater } from "./open-file.ts";

export interface FoundObject extends OpenedFile {
  readonly path: string;
  /** The bucket's folder, where the file lies outside of it: with the folder the object is gone. */
  readonly tiedTo: string | undefined;
  readonly info: ObjectInfo;
}

export interface FindOptions {
  /** Fill in the parts. */
  readonly parts?: boolean | undefined;
}

export interface ObjectFinder {
  /** Opens the object; the caller owns the descriptor. */
  find(ref: ObjectRef, options?: FindOptions): Promise<FoundObject | undefined>;
  /** The same without keeping it open. */
  inspect(ref: ObjectRef, options?: FindOptions): Promise<ObjectInfo | undefined>;
}

export interface ObjectFinderOptions {
  readonly layout: Layout;
  readonly reader: IndexReader;
  /** Files longer than this are opened without holding up the loop. */
  readonly smallBytes: number;
}

/** A file that is replaced more often than this while one request opens it is not going to hold still. */
const ATTEMPTS = 20;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

export function objectFinder({ layout, reader, smallBytes }: ObjectFinderOptions): ObjectFinder {
  async function openAt(base: string, path: string): Promise<OpenedFile | undefined> {
    const seen = lstatOrAbsent(path);
    // Looked at before it is opened: to open a device can already set it going.
    if (seen?.isFile() !== true) return undefined;
    const opened = seen.size <= smallBytes ? openRegular(path) : await openRegularLater(path);
    if (opened === undefined) return undefined;
    let kept = false;
    try {
      kept = layout.isSpelledSo(base, path, seen.dev);
      return kept ? opened : undefined;
    } finally {
      if (!kept) closeSync(opened.fd);
    }
  }

  /**
   * `"again"` when an upload took the key while it was being opened, and the row of the old file is gone with it. Owns the descriptor, and
   * gives it away with the object.
   */
  function describe(
    { ref, ...options }: { readonly ref: ObjectRef } & FindOptions,
    { path, opened, tiedTo }: { readonly path: string; readonly opened: OpenedFile; readonly tiedTo?: string },
  ): FoundObject | "again" {
    let kept = false;
    try {
      const fingerprint = fingerprintOf(opened.stats);
      const row = reader.find(ref, fingerprint, options);
      if (row === undefined) {
        const now = lstatOrAbsent(path);
        if (now === undefined || !isSameFile(identityOf(opened.stats), now)) return "again";
      }
      const info = row === undefined ? foreignInfo(ref, fingerprint, opened.stats) : infoOf(row, opened.stats);
      kept = true;
      return { ...opened, path, tiedTo, info };
    } finally {
      // A descriptor that nobody has any more would keep a replaced file on the disk.
      if (!kept) closeSync(opened.fd);
    }
  }

  async function attempt(ref: ObjectRef, options: FindOptions): Promise<FoundObject | undefined | "again"> {
    const places = layout.places(ref);
    if (places === undefined) return undefined;
    const { base, plain } = places;
    const atPlain = plain === undefined ? undefined : await openAt(base, plain);
    if (plain !== undefined && atPlain !== undefined)
      return describe({ ref, ...options }, { path: plain, opened: atPlain });
    // Its folder may have been taken away by hand, which leaves what lies elsewhere.
    if (!layout.hasBucket(ref.bucket)) return undefined;
    const atHashed = await openAt(layout.own, places.hashed);
    return atHashed === undefined
      ? undefined
      : describe({ ref, ...options }, { path: places.hashed, opened: atHashed, tiedTo: base });
  }

  async function find(ref: ObjectRef, options: FindOptions = {}): Promise<FoundObject | undefined> {
    for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
      const found = await attempt(ref, options);
      if (found !== "again") return found;
    }
    throw new StorageError("UNAVAILABLE", "the object changed each time it was opened");
  }

  return {
    find,
    async inspect(ref, options) {
      const found = await find(ref, options);
      if (found !== undefined) closeSync(found.fd);
      return found?.info;
    },
  };
}

export function infoOf(row: IndexRow, stats: BigIntStats): ObjectInfo {
  const { etag, contentType, headers, metadata, checksums, tags, parts } = row;
  return {
    size: Number(stats.size),
    etag,
    lastModified: modifiedAt(stats.mtimeNs),
    contentType,
    headers,
    metadata,
    checksums,
    tags,
    parts,
  };
}

/** A file that lay there before the gateway, or that somebody else has put there. */
function foreignInfo(ref: ObjectRef, fingerprint: string, stats: BigIntStats): ObjectInfo {
  return {
    size: Number(stats.size),
    etag: foreignEtag(fingerprint),
    lastModified: modifiedAt(stats.mtimeNs),
    contentType: contentTypeOf(ref.key),
    headers: NONE,
    metadata: NONE,
    checksums: NONE,
  };
}
