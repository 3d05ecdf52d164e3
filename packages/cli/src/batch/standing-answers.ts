import { type FileHandle, open, stat } from "node:fs/promises";
import { isObject } from "daypass/schemes";
import { CommandError } from "../command.ts";

/** The answers that stand in a file since a run that was interrupted. */
export interface StandingAnswers {
  /** Complete lines. */
  readonly lines: number;
  /** Where they end. What follows is the beginning of a line that was torn. */
  readonly bytes: number;
  /** How the torn line begins; empty where there is none. */
  readonly torn: string;
  readonly firstLine: string;
  readonly lastLine: string;
}

/** How the answers of a batch can be told from other text. */
export interface AnswerForm {
  /** The line that stands before all answers, where there is one. */
  readonly header?: string | undefined;
  /** What an answer in JSON can begin with. */
  readonly begins: readonly string[];
  /** Names of which an answer in JSON has one. */
  readonly names: readonly string[];
}

/**
 * Refuses a file that holds something else than answers of this form. It would be cut where its last line feed is, and other answers
 * written behind.
 */
export function expectAnswers(path: string, { firstLine, lines, torn }: StandingAnswers, form: AnswerForm): void {
  const { header, begins } = form;
  const isWhole = lines === 0 || (header === undefined ? isAnswer(firstLine, form) : firstLine === header);
  const canBegin = (begin: string): boolean => begin.startsWith(torn) || torn.startsWith(begin);
  // Behind a header row a record may begin with anything.
  const isTornSo = header === undefined ? begins.some(canBegin) : lines > 0 || `${header}\n`.startsWith(torn);
  if (isWhole && isTornSo) return;
  throw new CommandError(`expected in ${path} answers of this batch, found another text: choose another --out`);
}

function isAnswer(line: string, { begins, names }: AnswerForm): boolean {
  if (!begins.some((begin) => line.startsWith(begin))) return false;
  // Only the beginning of a longer one was read.
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

const NONE: StandingAnswers = { lines: 0, bytes: 0, torn: "", firstLine: "", lastLine: "" };

/** Counts the complete lines of a file; none where there is no file, or something that keeps nothing. */
export async function standingAnswers(path: string): Promise<StandingAnswers> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  // Of a pipe and a terminal the reading alone would wait, for ever.
  if (found === undefined || !(found.isFile() || found.isDirectory())) return NONE;
  const handle: FileHandle = await open(path);
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
      torn: await textOf(handle, last, Math.min(read, last + TORN_BYTES)),
      firstLine: await textOf(handle, 0, first - 1),
      lastLine: await textOf(handle, previous, last - 1),
    };
  } finally {
    await handle.close();
  }
}

// A line of another program's file may be of any length.
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const TORN_BYTES = 256;

async function textOf(handle: FileHandle, start: number, end: number): Promise<string> {
  const bytes = Buffer.alloc(Math.min(MAX_LINE_BYTES, Math.max(0, end - start)));
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
  return bytes.toString("utf8", 0, bytesRead);
}
