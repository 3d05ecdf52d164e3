import { createReadStream } from "node:fs";
import { setTimeout } from "node:timers/promises";

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
// 28,000 connections. Those of a whole machine may be more, and are not worth the time.
const MOST_BYTES = 4 * 1024 * 1024;
/** Of a connection: what is sent and not acknowledged (hexadecimal), and the inode of its socket. */
const ROW = /^ *\d+: \S+ \S+ \S+ ([\dA-F]+):\S+ \S+ \S+ +\d+ +\d+ (\d+)/gm;

// The table of thousands takes some milliseconds, and whoever asks is in no hurry.
const GATHER_MS = 250;

let next: Promise<ReadonlyMap<number, number>> | undefined;

/**
 * Bytes that wait in the kernel for their acknowledgement, by the inode of the socket. Empty where the system does not tell: Linux does. One reading
 * is for all who ask before it begins.
 */
export function kernelQueues(): Promise<ReadonlyMap<number, number>> {
  next ??= setTimeout(GATHER_MS, undefined, { ref: false }).then(() => {
    next = undefined;
    return readQueues();
  });
  return next;
}

async function readQueues(): Promise<ReadonlyMap<number, number>> {
  const queues = new Map<number, number>();
  for (const table of TABLES) {
    for (const [, queued = "", inode] of (await textOf(table)).matchAll(ROW))
      queues.set(Number(inode), Number.parseInt(queued, 16));
  }
  return queues;
}

async function textOf(table: string): Promise<string> {
  let text = "";
  try {
    for await (const piece of createReadStream(table, { encoding: "latin1", end: MOST_BYTES })) text += piece;
  } catch {
    // No such system, or one without IPv6.
  }
  return text;
}
