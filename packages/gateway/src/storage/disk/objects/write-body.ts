/**
 * Writes the body of an upload to an open temp file: in large pieces, within its limits, with its digests. Memory is two
 * pieces whatever the length: while one is written and hashed, the other fills. Where very many are under way, theirs are small.
 */
import { createHash } from "node:crypto";
import { write, writeSync } from "node:fs";
import { runningChecksum } from "../../../http/checksum.ts";
import { releaseOf } from "../../../http/releasable-body.ts";
import { type BodyOptions, checkDigests, checkedBody, refuseAnnounced } from "../../contract/checked-body.ts";
import type { ChecksumAlgorithm } from "../../contract/storage.ts";
import type { DigestJob, DigestPool, Digests, SharedPiece } from "./digest-pool.ts";
import { syncEarly } from "../flush.ts";

/** Writes of 1 MB reach 1.5 times the throughput of the 16 KB that a socket gives. */
const PIECE = 1024 * 1024;
/** With more pieces in use than this an upload gets small ones: a thousand that a sender keeps open would else hold 2 GB. */
const LARGE_PIECES = 128;
const SMALL_PIECE = 128 * 1024;
/** Up to here the digests take under a millisecond on the event loop, less than the way to a thread and back costs others. */
const LOOP_LIMIT = 128 * 1024;
/** Up to here a write into the page cache is cheaper than a trip to the thread pool. */
const SYNC_WRITE_LIMIT = 64 * 1024;
/** After so many bytes the disk is sent to work, so that little is left to wait for when the last one has come. */
const SYNC_EVERY = 32 * PIECE;
/** Pieces kept for the next upload. */
const SPARE_PIECES = 16;

export interface Uploaded {
  readonly size: number;
  readonly digests: Digests;
}

/** Where the bytes go: into an open file, from a position on. */
export interface UploadTarget {
  readonly fd: number;
  readonly position: number;
}

export interface UploadWriter {
  /**
   * @throws {StorageError} `TOO_LARGE`, `TOO_SMALL`, `INCOMPLETE_BODY`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`
   */
  write(target: UploadTarget, body: AsyncIterable<Uint8Array>, options: BodyOptions): Promise<Uploaded>;
}

export function uploadWriter(pool: DigestPool): UploadWriter {
  const spare: SharedPiece[] = [];
  let inUse = 0;
  const takePiece = (): SharedPiece => {
    inUse += 1;
    return inUse > LARGE_PIECES ? newPiece(SMALL_PIECE) : (spare.pop() ?? newPiece(PIECE));
  };
  const givePiece = (piece: SharedPiece): void => {
    inUse -= 1;
    if (piece.length === PIECE && spare.length < SPARE_PIECES) spare.push(piece);
  };

  /** A body that fits one small buffer. */
  async function gather(
    target: UploadTarget,
    body: AsyncIterable<Uint8Array>,
    options: BodyOptions,
  ): Promise<Uploaded> {
    const bytes = Buffer.allocUnsafe(options.contentLength ?? 0);
    const release = releaseOf(body);
    let size = 0;
    for await (const chunk of checkedBody(body, options)) {
      bytes.set(chunk, size);
      size += chunk.length;
      release(chunk);
    }
    return writeSmall(target, bytes, options);
  }

  async function stream(
    target: UploadTarget,
    body: AsyncIterable<Uint8Array>,
    options: BodyOptions,
  ): Promise<Uploaded> {
    const release = releaseOf(body);
    let piece = takePiece();
    let other: SharedPiece | undefined;
    let filled = 0;
    let size = 0;
    let job: DigestJob | undefined;
    let underWay: Promise<void> = Promise.resolve();
    let synced = 0;
    const early = syncEarly(target.fd);

    async function flush(): Promise<DigestJob> {
      await underWay;
      if (size - synced >= SYNC_EVERY && early.start()) synced = size;
      const digest = job ?? pool.start(wantedDigests(options));
      job = digest;
      underWay = settled(digest.update(piece, filled), writeFully(target, piece.subarray(0, filled), size));
      // It is awaited before the next piece; until then a failure must not count as unhandled.
      underWay.catch(() => {});
      size += filled;
      filled = 0;
      [piece, other] = [other ?? takePiece(), piece];
      return digest;
    }

    try {
      for await (const chunk of checkedBody(body, options)) {
        for (let offset = 0; offset < chunk.length; ) {
          // Only a full piece that has a successor is flushed here, so that the last one is never empty.
          if (filled === piece.length) await flush();
          const part = chunk.subarray(offset, offset + piece.length - filled);
          piece.set(part, filled);
          filled += part.length;
          offset += part.length;
        }
        release(chunk);
      }
      if (job === undefined && filled <= LOOP_LIMIT)
        return await writeSmall(target, piece.subarray(0, filled), options);
      const digest = await flush();
      await underWay;
      await early.end();
      return { size, digests: await digest.finish() };
    } finally {
      job?.drop();
      await underWay.catch(() => {});
      await early.end().catch(() => {});
      givePiece(piece);
      if (other !== undefined) givePiece(other);
    }
  }

  return {
    async write(target, body, options) {
      refuseAnnounced(options);
      const small = options.contentLength !== undefined && options.contentLength <= LOOP_LIMIT;
      const uploaded = await (small ? gather : stream)(target, body, options);
      checkDigests(options, uploaded.digests);
      return uploaded;
    },
  };
}

function newPiece(size: number): SharedPiece {
  return Buffer.from(new SharedArrayBuffer(size)) as SharedPiece;
}

/** What has to be computed besides MD5, which every object has for its ETag. */
function wantedDigests({ digests, checksum }: BodyOptions): readonly ChecksumAlgorithm[] {
  const wanted: ChecksumAlgorithm[] = [];
  if (digests?.sha256 !== undefined) wanted.push("sha256");
  if (checksum !== undefined && !wanted.includes(checksum.algorithm)) wanted.push(checksum.algorithm);
  return wanted;
}

/** Both, to their end: memory and descriptor are in use until then. */
async function settled(...steps: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === "rejected") throw result.reason;
  }
}

async function writeSmall(target: UploadTarget, bytes: Buffer, options: BodyOptions): Promise<Uploaded> {
  const { fd, position } = target;
  if (bytes.length <= SYNC_WRITE_LIMIT) {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    }
  } else {
    await writeFully(target, bytes, 0);
  }
  const digests: { [name in ChecksumAlgorithm]?: Uint8Array } & { md5: Uint8Array } = {
    md5: createHash("md5").update(bytes).digest(),
  };
  for (const name of wantedDigests(options)) {
    if (name === "md5") continue;
    const running = runningChecksum(name, createHash);
    running.update(bytes);
    digests[name] = running.digest();
  }
  return { size: bytes.length, digests };
}

/** `write(2)` may take less than it was given. */
async function writeFully({ fd, position }: UploadTarget, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, done, bytes.length - done, position + offset + done, (error, written) =>
        error === null ? resolve(written) : reject(error),
      );
    });
  }
}

/** The checksum that is kept with the object, in the form of `ObjectInfo.checksums`. */
export function keptChecksum({ checksum }: BodyOptions, { sha256, ...digests }: Digests): Record<string, string> {
  if (checksum === undefined) return sha256 === undefined ? {} : { sha256: base64(sha256) };
  return { [checksum.algorithm]: base64({ sha256, ...digests }[checksum.algorithm]) };
}

function base64(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("base64");
}
