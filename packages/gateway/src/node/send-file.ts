import { read } from "node:fs";
import type { ServerResponse } from "node:http";
import type { FileBody } from "../storage/contract/storage.ts";
import type { WaitingBytes } from "./slow-client.ts";

const LEAST_BYTES = 64 * 1024;
/** A small file needs few reads, and a client that accepts nothing holds little. */
const FIRST_BYTES = 512 * 1024;
/** Each piece is a trip through the thread pool: this size halved the CPU time of a gigabyte. */
const MOST_BYTES = 2 * 1024 * 1024;
const PIECE_SECONDS = 0.1;
/** Pieces above the least are for a process in which less than this waits. */
const SHARED_BYTES = 64 * 1024 * 1024;

/** Buffers kept for reuse, by size: allocating one costs as much as sending it. */
const SPARE_BYTES = 4 * 1024 * 1024;
const spare = new Map<number, Buffer[]>();

const REPLACE = "To replace a served file, rename a new one to its name";

/** How many bytes of a body have been handed to the socket so far. */
export interface BodyProgress {
  bytes: number;
}

export interface SendFileOptions {
  readonly progress: BodyProgress;
  readonly waiting: WaitingBytes;
}

/**
 * Sends a part of a file and always closes it. While the kernel accepts one piece, the next is read: this sent 1.9 GB/s where
 * `createReadStream` sent 0.8, in a third of the memory. Returns early if the client disconnects.
 *
 * @throws {Error} if the file has become shorter or was written to since it was opened. The caller must cut the connection: the client must
 * not take a part, or parts of two versions, for the whole
 */
export async function sendFile(response: ServerResponse, body: FileBody, options: SendFileOptions): Promise<void> {
  const { progress, waiting } = options;
  const end = body.start + body.length;
  let position = body.start;
  let perSecond = Number.POSITIVE_INFINITY;
  let written: Promise<void> = Promise.resolve();
  try {
    while (position < end && !response.destroyed) {
      const left = end - position;
      const size = pieceSize({ sent: progress.bytes, left, perSecond, waiting: waiting.total });
      const piece = spare.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
      waiting.hold(response, Math.min(2 * size, left));
      const length = await readAt(body.fd, piece, { position, length: Math.min(size, left) });
      await written;
      if (length === 0 || response.destroyed) break;
      // Checked before the last bytes: after them, the response would be complete.
      if (position + length === end && body.isUnchanged?.() === false)
        throw new Error(`the file was written to while it was sent. ${REPLACE}`);
      const startedAt = performance.now();
      written = write(response, piece.subarray(0, length)).then(() => {
        perSecond = (length * 1000) / (performance.now() - startedAt);
        // The socket of a cut connection may still hold the piece.
        if (!response.destroyed) keep(piece);
      });
      position += length;
      progress.bytes = position - body.start;
    }
    await written;
    if (position < end && !response.destroyed) throw new Error(`the file was truncated while it was sent. ${REPLACE}`);
    if (!response.destroyed) response.end();
  } finally {
    body.close();
  }
}

/** Keeps a piece for the next transfer. Each piece at most once, or two transfers would fill it. */
function keep(piece: Buffer): void {
  const kept = spare.get(piece.length) ?? [];
  spare.set(piece.length, kept);
  if ((kept.length + 1) * piece.length <= SPARE_BYTES) kept.push(piece);
}

/** How a transfer has gone so far. */
export interface Pace {
  /** Bytes that were handed to the socket. */
  readonly sent: number;
  /** Bytes that are still to be sent. */
  readonly left: number;
  /** Bytes per second that the client accepted of the last piece. */
  readonly perSecond: number;
  /** Response bytes that wait in the process. */
  readonly waiting: number;
}

/** Returns the size of the next piece, a power of two. Large pieces are for fast clients in a process with few downloads. */
export function pieceSize({ sent, left, perSecond, waiting }: Pace): number {
  const earned = Math.max(FIRST_BYTES, sent / 4);
  const wanted = Math.min(earned, perSecond * PIECE_SECONDS, (SHARED_BYTES - waiting) / 8, MOST_BYTES);
  const enough = 2 ** Math.ceil(Math.log2(Math.min(left, MOST_BYTES)));
  return Math.max(LEAST_BYTES, Math.min(2 ** Math.floor(Math.log2(Math.max(wanted, 1))), enough));
}

function readAt(fd: number, buffer: Buffer, part: { position: number; length: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, part.length, part.position, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    );
  });
}

/** Resolves when the socket no longer needs the bytes, also when it has failed: callers check `destroyed`. */
export function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off("close", settle);
      resolve();
    };
    response.once("close", settle);
    response.write(bytes, settle);
  });
}
