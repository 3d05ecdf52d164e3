/**
 * Writes the body of an upload to an open file: in large pieces, within its limits, with its digests. Memory is two pieces,
 * whatever the length: while one is written and hashed, the other fills. Many uploads at once get small pieces.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { runningChecksum } from "../../../http/checksum.ts";
import { releaseOf } from "../../../http/releasable-body.ts";
import { type BodyOptions, checkDigests, checkedBody, refuseAnnounced } from "../../contract/checked-body.ts";
import type { ChecksumAlgorithm } from "../../contract/storage.ts";
import { syncEarly } from "../flush.ts";
import type { DigestJob, DigestPool, Digests, SharedPiece } from "./digest-pool.ts";
import { writeAt } from "./file-bytes.ts";

/** Writes of 1 MB reach 1.5 times the throughput of the 16 KB that a socket delivers. */
const PIECE = 1024 * 1024;
/** Above this many pieces in use, an upload gets small ones: a thousand stalled uploads would otherwise hold 2 GB. */
const LARGE_PIECES = 128;
const SMALL_PIECE = 128 * 1024;
/** Up to here, digests on the event loop take under a millisecond, less than the way to a thread and back. */
const LOOP_LIMIT = 128 * 1024;
/** Up to here, a write into the page cache is cheaper than a trip to the thread pool. */
const SYNC_WRITE_LIMIT = 64 * 1024;
/** A flush begins after so many bytes, so that the last one is short. */
const SYNC_EVERY = 32 * PIECE;
/** Pieces kept for the next upload. */
const SPARE_PIECES = 16;

export interface WrittenBody {
  readonly size: number;
  readonly digests: Digests;
}

/** A position in an open file. */
export interface BodyTarget {
  readonly fd: number;
  readonly position: number;
}

export interface BodyWriter {
  /**
   * @throws {StorageError} `TOO_LARGE`, `TOO_SMALL`, `INCOMPLETE_BODY`, `DIGEST_MISMATCH`, `CHECKSUM_MISMATCH`
   */
  write(target: BodyTarget, body: AsyncIterable<Uint8Array>, options: BodyOptions): Promise<WrittenBody>;
}

type Write = BodyWriter["write"];

export function bodyWriter(pool: DigestPool): BodyWriter {
  const spare: SharedPiece[] = [];
  let inUse = 0;
  const takePiece = (): SharedPiece => {
    inUse += 1;
    return inUse > LARGE_PIECES ? newPiece(SMALL_PIECE) : (spare.pop() ?? newPiece(PIECE));
  };
  const returnPiece = (piece: SharedPiece): void => {
    inUse -= 1;
    if (piece.length === PIECE && spare.length < SPARE_PIECES) spare.push(piece);
  };

  /** A body that fits one small buffer. */
  const gather: Write = async (target, body, options) => {
    const bytes = Buffer.allocUnsafe(options.contentLength ?? 0);
    const release = releaseOf(body);
    let size = 0;
    for await (const chunk of checkedBody(body, options)) {
      bytes.set(chunk, size);
      size += chunk.length;
      release(chunk);
    }
    return writeSmall(target, bytes, options);
  };

  const stream: Write = async (target, body, options) => {
    const release = releaseOf(body);
    let piece = takePiece();
    let other: SharedPiece | undefined;
    let filled = 0;
    let size = 0;
    let job: DigestJob | undefined;
    let running: Promise<void> = Promise.resolve();
    let synced = 0;
    const early = syncEarly(target.fd);

    async function flush(): Promise<DigestJob> {
      await running;
      if (size - synced >= SYNC_EVERY && early.start()) synced = size;
      const digest = job ?? pool.start(wantedDigests(options));
      job = digest;
      running = settled(
        digest.update(piece, filled),
        writeFully(target.fd, piece.subarray(0, filled), target.position + size),
      );
      // Awaited before the next piece. Until then a failure must not count as unhandled.
      running.catch(() => {});
      size += filled;
      filled = 0;
      [piece, other] = [other ?? takePiece(), piece];
      return digest;
    }

    try {
      for await (const chunk of checkedBody(body, options)) {
        for (let offset = 0; offset < chunk.length; ) {
          // A full piece is flushed when the next byte arrives, so the last piece is never empty.
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
      await running;
      await early.end();
      return { size, digests: await digest.finish() };
    } finally {
      job?.drop();
      await running.catch(() => {});
      await early.end().catch(() => {});
      returnPiece(piece);
      if (other !== undefined) returnPiece(other);
    }
  };

  return {
    async write(target, body, options) {
      refuseAnnounced(options);
      const small = options.contentLength !== undefined && options.contentLength <= LOOP_LIMIT;
      const written = await (small ? gather : stream)(target, body, options);
      checkDigests(options, written.digests);
      return written;
    },
  };
}

function newPiece(size: number): SharedPiece {
  return Buffer.from(new SharedArrayBuffer(size)) as SharedPiece;
}

/** The digests in addition to MD5, which every object has for its ETag. */
function wantedDigests({ digests, checksum }: BodyOptions): readonly ChecksumAlgorithm[] {
  const wanted: ChecksumAlgorithm[] = [];
  if (digests?.sha256 !== undefined) wanted.push("sha256");
  if (checksum !== undefined && !wanted.includes(checksum.algorithm)) wanted.push(checksum.algorithm);
  return wanted;
}

/** Waits for all steps, even if one fails: memory and descriptor are in use until then. */
async function settled(...steps: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) {
    if (result.status === "rejected") throw result.reason;
  }
}

async function writeSmall({ fd, position }: BodyTarget, bytes: Buffer, options: BodyOptions): Promise<WrittenBody> {
  if (bytes.length <= SYNC_WRITE_LIMIT) {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    }
  } else {
    await writeFully(fd, bytes, position);
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

async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += await writeAt(fd, bytes.subarray(done), position + done);
}

/** The checksum that is stored with the object, in the form of `ObjectInfo.checksums`. */
export function keptChecksum({ checksum }: Pick<BodyOptions, "checksum">, digests: Digests): Record<string, string> {
  if (checksum !== undefined) return { [checksum.algorithm]: base64(digests[checksum.algorithm]) };
  return digests.sha256 === undefined ? {} : { sha256: base64(digests.sha256) };
}

function base64(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("base64");
}
