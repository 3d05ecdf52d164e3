import cluster from "node:cluster";
import { closeSync, fstatSync, openSync, write } from "node:fs";

/** Takes lines at once and writes them in the background, in their order. */
export interface LogFile {
  write(line: string): void;
  /** Writes out what is in memory and closes what it has opened. A reader that takes nothing any more must not keep the process. */
  close(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
/** Given to a pipe in one piece: where it makes its writer wait a write tells of nothing before all of it was taken. */
const PIECE_BYTES = 2 * CHUNK_BYTES;
const FLUSH_MS = 500;
const RETRY_MS = 50;
/** How long a log that is closed waits for a reader that takes nothing. */
const PATIENCE_MS = 2000;
// Where the log cannot be written as fast as it grows, lines are lost rather than memory.
const MAX_BUFFERED = 64 * 1024 * 1024;
/** PIPE_BUF of Linux: what a pipe takes in one piece or not at all, whoever else writes to it. */
const WHOLE_BYTES = 4096;
const LINE_END = 0x0a;

/**
 * Opens a file, or takes a descriptor, for lines. A write of 64 KB costs a tenth of what SonicBoom's writes of 16 KB cost for
 * each line, which is as much as a tenth of a small answer.
 */
export function logFile(destination: number | string, patienceMs: number = PATIENCE_MS): LogFile {
  const fd = typeof destination === "number" ? destination : openSync(destination, "a", 0o640);
  // Workers share a pipe, and one that is full takes a part of a write, behind which comes whatever another one writes.
  const most = !isPipe(fd) ? Number.POSITIVE_INFINITY : cluster.isWorker ? WHOLE_BYTES : PIECE_BYTES;
  let lines = "";
  let writing: Buffer | undefined;
  let lost = 0;
  let fault: string | undefined;
  let endsWithin = false;
  let onIdle: (() => void) | undefined;
  /** How often something was taken, or refused for good. */
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
  /** `told` lines are called lost at the end of these bytes. */
  const writeOut = (bytes: Buffer, told: number): void => {
    write(fd, bytes, 0, wholeLines(bytes, most), null, (error, written) => {
      if (gaveUp) return;
      // A pipe whose reader is behind. A log that fails otherwise must not end the server, and may be well again when its disk has room.
      if (error?.code === "EAGAIN") {
        setTimeout(() => {
          // Once the log is closed its descriptor may be another file's.
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
      // What is still being written would be written to whatever has the descriptor next.
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

/** How many bytes are as many lines as go out in one piece; at least one. */
function wholeLines(bytes: Buffer, most: number): number {
  if (bytes.length <= most) return bytes.length;
  const end = bytes.lastIndexOf(LINE_END, most - 1);
  return end >= 0 ? end + 1 : bytes.indexOf(LINE_END) + 1 || bytes.length;
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  // The first byte may only end the line before.
  for (let at = bytes.indexOf(LINE_END, 1); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) count += 1;
  return count;
}
