import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";

/** The answers that stand in a file since a run that was interrupted. */
export interface StandingAnswers {
  /** Complete lines. */
  readonly lines: number;
  /** Where they end. What follows is the beginning of a line that was torn. */
  readonly bytes: number;
  /** Whether a torn line follows. */
  readonly isTorn: boolean;
  readonly firstLine: string;
  readonly lastLine: string;
}

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 10;

/** Counts the complete lines of a file; none where there is no file. */
export async function standingAnswers(path: string): Promise<StandingAnswers> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { lines: 0, bytes: 0, isTorn: false, firstLine: "", lastLine: "" };
  }
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let lines = 0;
    let read = 0;
    // Past the line feeds: of the first line, of the last but one, and of the last one.
    let first = 0;
    let previous = 0;
    let last = 0;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      const bytes = chunk.subarray(0, bytesRead);
      for (let feed = bytes.indexOf(LINE_FEED); feed >= 0; feed = bytes.indexOf(LINE_FEED, feed + 1)) {
        lines += 1;
        previous = last;
        last = read + feed + 1;
        first ||= last;
      }
      read += bytesRead;
    }
    return {
      lines,
      bytes: last,
      isTorn: read > last,
      firstLine: await textOf(handle, 0, first),
      lastLine: await textOf(handle, previous, last),
    };
  } finally {
    await handle.close();
  }
}

// A line of another program's file may be of any length.
const MAX_LINE_BYTES = 4 * 1024 * 1024;

async function textOf(handle: FileHandle, start: number, end: number): Promise<string> {
  const bytes = Buffer.alloc(Math.min(MAX_LINE_BYTES, Math.max(0, end - 1 - start)));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
  return bytes.toString("utf8", 0, bytesRead);
}

/**
 * Opens a file for answers, mode 0600 because a URL is a secret: anew, or behind what stands there. Rejects where there
 * can be no such file, so that no line is signed in vain.
 */
export async function outputFile(path: string, standing: StandingAnswers | undefined): Promise<Writable> {
  if (standing === undefined || standing.bytes === 0) return (await open(path, "w", 0o600)).createWriteStream();
  const handle = await open(path, "r+");
  await handle.truncate(standing.bytes);
  return handle.createWriteStream({ start: standing.bytes });
}
