/** From a key to its open file, the metadata of exactly that file, and its bytes. */
import { type BigIntStats, closeSync, readSync } from "node:fs";
import { contentTypeOf } from "../../../http/content-type.ts";
import type { BytesBody, GetOptions, ObjectInfo, ObjectRef, OpenObject } from "../../contract/storage.ts";
import type { DiskIndex, IndexRow } from "../database/contract.ts";
import { noSuchBucket, unavailable } from "../errors.ts";
import {
  fingerprintOf,
  foreignEtag,
  identityOf,
  isSameFile,
  isUnchanged,
  lstatOrAbsent,
  modifiedAt,
  type OpenedFile,
  openRegular,
  openRegularLater,
} from "./open-file.ts";

export interface FoundObject extends OpenedFile {
  readonly path: string;
  /** The bucket's folder, if the file lies outside of it. Without the folder there is no object. */
  readonly tiedTo: string | undefined;
  readonly info: ObjectInfo;
}

type FindOptions = Pick<GetOptions, "parts">;

export interface ObjectFinder {
  /** Opens the object. The caller owns the descriptor. */
  find(ref: ObjectRef, options?: FindOptions): Promise<FoundObject | undefined>;
  /** The same, without keeping the file open. */
  inspect(ref: ObjectRef, options?: FindOptions): Promise<ObjectInfo | undefined>;
  /** Runs a step on the opened object, then closes it; `undefined` if absent. @throws {StorageError} `NO_SUCH_BUCKET` */
  using<T>(ref: ObjectRef, step: (found: FoundObject) => Promise<T>, options?: FindOptions): Promise<T | undefined>;
}

/** A file that is replaced more often than this during one request does not become stable. */
const ATTEMPTS = 20;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** Files above `smallBytes` are opened in a thread. */
export function objectFinder({ layout, reader }: DiskIndex, smallBytes: number): ObjectFinder {
  async function openAt(base: string, path: string): Promise<OpenedFile | undefined> {
    const seen = lstatOrAbsent(path);
    // Checked before the file is opened, because opening a device can start it.
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
   * Adds the metadata to an opened file, or closes it. `"again"` if an upload took the key meanwhile: the row of the old file is gone.
   */
  function describe(ref: ObjectRef, file: OpenedFile & Omit<FoundObject, "info">, options: FindOptions) {
    const { path, stats } = file;
    let kept = false;
    try {
      const fingerprint = fingerprintOf(stats);
      const row = reader.find(ref, fingerprint, options);
      if (row === undefined) {
        const now = lstatOrAbsent(path);
        if (now === undefined || !isSameFile(identityOf(stats), now)) return "again";
      }
      kept = true;
      return { ...file, info: row === undefined ? foreignInfo(ref, fingerprint, stats) : infoOf(row, stats) };
    } finally {
      // A leaked descriptor would keep a replaced file on the disk.
      if (!kept) closeSync(file.fd);
    }
  }

  async function attempt(ref: ObjectRef, options: FindOptions): Promise<FoundObject | undefined | "again"> {
    const places = layout.places(ref);
    if (places === undefined) return undefined;
    const { base, plain } = places;
    const atPlain = plain === undefined ? undefined : await openAt(base, plain);
    if (plain !== undefined && atPlain !== undefined)
      return describe(ref, { ...atPlain, path: plain, tiedTo: undefined }, options);
    // A removed bucket folder leaves the files that lie elsewhere.
    if (!layout.hasBucket(ref.bucket)) return undefined;
    const path = places.hashed;
    const atHashed = await openAt(layout.own, path);
    return atHashed && describe(ref, { ...atHashed, path, tiedTo: base }, options);
  }

  async function find(ref: ObjectRef, options: FindOptions = {}): Promise<FoundObject | undefined> {
    for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
      const found = await attempt(ref, options);
      if (found !== "again") return found;
    }
    throw unavailable("the object changed each time it was opened");
  }

  return {
    find,
    async inspect(ref, options) {
      const found = await find(ref, options);
      if (found !== undefined) closeSync(found.fd);
      return found?.info;
    },
    async using(ref, step, options) {
      const found = await find(ref, options);
      if (found === undefined) {
        if (!layout.hasBucket(ref.bucket)) throw noSuchBucket(ref.bucket);
        return undefined;
      }
      try {
        return await step(found);
      } finally {
        closeSync(found.fd);
      }
    },
  };
}

export function infoOf(row: IndexRow, stats: BigIntStats): ObjectInfo {
  const { ref: _, fingerprint: __, ...info } = row;
  return { size: Number(stats.size), lastModified: modifiedAt(stats.mtimeNs), ...info };
}

/** A file that was not uploaded. */
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

/** Reads a small file and closes it; `undefined` if another process has written into it since it was opened. */
export function readWhole(found: FoundObject): Uint8Array | undefined {
  const { fd, info } = found;
  try {
    const bytes = Buffer.allocUnsafeSlow(info.size);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(fd, bytes, done, bytes.length - done, done);
      if (read === 0) return undefined;
      done += read;
    }
    return isUnchanged(found) ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Needs no closing, so many requests may share it. */
export function bytesObject(info: ObjectInfo, bytes: Uint8Array): OpenObject {
  const whole: BytesBody = { kind: "bytes", bytes };
  return {
    info,
    body: (range) =>
      range === undefined ? whole : { kind: "bytes", bytes: bytes.subarray(range.start, range.end + 1) },
    close() {},
  };
}

/** Owns the descriptor until `body` passes it on. */
export function fileObject({ fd, info, stats }: FoundObject): OpenObject {
  let owned = true;
  return {
    info,
    body(range) {
      if (!owned) throw new TypeError("body() was called a second time, or after close()");
      owned = false;
      const start = range?.start ?? 0;
      return {
        kind: "file",
        fd,
        start,
        length: range === undefined ? info.size : range.end + 1 - start,
        isUnchanged: () => isUnchanged({ fd, stats }),
        close: closeOnce(fd),
      };
    },
    close() {
      if (!owned) return;
      owned = false;
      closeSync(fd);
    },
  };
}

/** A second `close` could close another file, because the kernel reuses numbers. */
function closeOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    closeSync(fd);
  };
}
