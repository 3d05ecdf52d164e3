import { open, stat } from "node:fs/promises";
import { isObject } from "daypass/schemes";
import { CommandError } from "../command.ts";

/** The results of an interrupted run in the output file. */
export interface ExistingResults {
  /** The number of complete lines. */
  readonly lines: number;
  /** The end of the complete lines. An incomplete line may follow. */
  readonly bytes: number;
  /** The beginning of the incomplete line. Empty if all lines are complete. */
  readonly incomplete: string;
  readonly firstLine: string;
  readonly lastLine: string;
}

/** The format of results, to distinguish them from other text. */
export interface ResultFormat {
  /** The header line, if there is one. */
  readonly header?: string | undefined;
  /** The possible beginnings of a JSON result. */
  readonly begins: readonly string[];
  /** The member names of which a JSON result has at least one. */
  readonly names: readonly string[];
}

/** Refuses a file with other content, because resuming would truncate it and append results. */
export function expectResults(path: string, existing: ExistingResults, format: ResultFormat): void {
  const { firstLine, lines, incomplete } = existing;
  const { header, begins } = format;
  const isFirst = lines === 0 || (header === undefined ? isResult(firstLine, format) : firstLine === header);
  const canBegin = (begin: string): boolean => begin.startsWith(incomplete) || incomplete.startsWith(begin);
  // A CSV record after the header may begin with any text.
  const isLast = header === undefined ? begins.some(canBegin) : lines > 0 || `${header}\n`.startsWith(incomplete);
  if (isFirst && isLast) return;
  throw new CommandError(`${path} has other text than answers of this batch. Choose another --out`);
}

function isResult(line: string, { begins, names }: ResultFormat): boolean {
  if (!begins.some((begin) => line.startsWith(begin))) return false;
  // The line was read in part.
  if (line.length >= MAX_LINE_BYTES / 4) return true;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && names.some((name) => Object.hasOwn(value, name));
  } catch {
    return false;
  }
}

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 10;
// A file of another program may have lines of any length.
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const INCOMPLETE_BYTES = 256;

const NONE: ExistingResults = { lines: 0, bytes: 0, incomplete: "", firstLine: "", lastLine: "" };

/** Counts the complete lines of a file. None if the file does not exist, or is a pipe or a device. */
export async function existingResults(path: string): Promise<ExistingResults> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  // Reading from a pipe or a terminal would wait forever.
  if (found === undefined || !(found.isFile() || found.isDirectory())) return NONE;
  const handle = await open(path);
  const textAt = async (start: number, end: number): Promise<string> => {
    const bytes = Buffer.alloc(Math.min(MAX_LINE_BYTES, Math.max(0, end - start)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.toString("utf8", 0, bytesRead);
  };
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let lines = 0;
    let read = 0;
    // The ends of the first line, the line before the last, and the last line.
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
      incomplete: await textAt(last, Math.min(read, last + INCOMPLETE_BYTES)),
      firstLine: await textAt(0, first - 1),
      lastLine: await textAt(previous, last - 1),
    };
  } finally {
    await handle.close();
  }
}
