import cluster from "node:cluster";
import { closeSync, fstatSync, openSync, write } from "node:fs";

/** Accepts lines immediately, and writes them in the background in order. */
export interface LogFile {
  write(line: string): void;
  /** Writes the lines in memory and closes the file. Gives up if the reader of a pipe reads nothing, because the process must end. */
  close(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
/** The most for one write to a pipe: a blocking write reports no progress before its end. */
const PIECE_BYTES = 2 * CHUNK_BYTES;
const FLUSH_MS = 500;
const RETRY_MS = 50;
/** How long `close` waits for a reader that reads nothing. */
const PATIENCE_MS = 2000;
// Above this, lines are lost.
const MAX_BUFFERED = 64 * 1024 * 1024;
/** PIPE_BUF of Linux: a write up to this size is atomic among the writers of a pipe. */
const WHOLE_BYTES = 4096;
const LINE_END = 0x0a;

/** Opens a file or uses a descriptor. Per line, a write of 64 KB costs a tenth of SonicBoom's writes of 16 KB: a tenth of a small response. */
export function logFile(destination: number | string, patienceMs: number = PATIENCE_MS): LogFile {
  const fd = typeof destination === "number" ? destination : openSync(destination, "a", 0o640);
  // Workers share a pipe. A full pipe accepts a part of a long write, and lines of another worker would follow.
  const most = !isPipe(fd) ? Number.POSITIVE_INFINITY : cluster.isWorker ? WHOLE_BYTES : PIECE_BYTES;
  let lines = "";
  let writing: Buffer | undefined;
  let lost = 0;
  let fault: string | undefined;
  let endsWithin = false;
  let onIdle: (() => void) | undefined;
  /** How many writes have succeeded or finally failed. */
  let taken = 0;
  let gaveUp = false;

  const flush = (): void => {
    if (writing !== undefined || lines === "") return;
    const told = lost;
    const text = told === 0 ? lines : `${lines}${lossLine(told, fault)}`;
    writing = Buffer.from(endsWithin ? `\n${text}` : text);
    lost = 0;
    lines = "";
    writeOut(writing, told);
  };
  /** Writes bytes that end with a report of `told` lost lines. */
  const writeOut = (bytes: Buffer, told: number): void => {
    write(fd, bytes, 0, wholeLines(bytes, most), null, (error, written) => {
      if (gaveUp) return;
      // EAGAIN: the reader of the pipe is slow. Any other error must not end the server, and the disk may have space again later.
      if (error?.code === "EAGAIN") {
        setTimeout(() => {
          // After `close`, the descriptor may belong to another file.
          if (!gaveUp) writeOut(bytes, told);
        }, RETRY_MS);
        return;
      }
      taken += 1;
      if (error === null) {
        endsWithin = bytes[written - 1] !== LINE_END;
        if (told === 0 || written === bytes.length) fault = undefined;
      } else {
        lost += linesIn(bytes) + (told === 0 ? 0 : told - 1);
        fault = error.code;
      }
      const rest = bytes.subarray(error === null ? written : bytes.length);
      writing = rest.length > 0 ? rest : undefined;
      if (writing !== undefined) writeOut(writing, told);
      else if (onIdle !== undefined) onIdle();
      else if (lines.length >= CHUNK_BYTES) flush();
    });
  };
  const timer = setInterval(flush, FLUSH_MS).unref();

  return {
    write(line) {
      if (lines.length > MAX_BUFFERED) {
        lost += 1;
        return;
      }
      lines += line;
      if (lines.length >= CHUNK_BYTES) flush();
    },
    async close() {
      clearInterval(timer);
      let seen = taken;
      const watch = setInterval(() => {
        gaveUp = taken === seen;
        seen = taken;
        if (gaveUp) onIdle?.();
      }, patienceMs);
      while (!gaveUp && (writing !== undefined || lines !== "")) {
        const idle = new Promise<void>((resolve) => {
          onIdle = resolve;
        });
        flush();
        await idle;
      }
      clearInterval(watch);
      // During a write, the descriptor must stay open: the next file to use its number would receive the bytes.
      if (typeof destination === "string" && !gaveUp) closeSync(fd);
    },
  };
}

function lossLine(lost: number, fault: string | undefined): string {
  return fault === undefined
    ? `{"level":50,"lost":${lost},"msg":"the log was too slow, lines were lost"}\n`
    : `{"level":50,"lost":${lost},"error":"${fault}","msg":"the log could not be written, lines were lost"}\n`;
}

function isPipe(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

/** Returns the length of the whole lines that fit into one write; at least one line. */
function wholeLines(bytes: Buffer, most: number): number {
  if (bytes.length <= most) return bytes.length;
  const end = bytes.lastIndexOf(LINE_END, most - 1);
  return end >= 0 ? end + 1 : bytes.indexOf(LINE_END) + 1 || bytes.length;
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  // The first byte may be the end of the previous line.
  for (let at = bytes.indexOf(LINE_END, 1); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) count += 1;
  return count;
}
