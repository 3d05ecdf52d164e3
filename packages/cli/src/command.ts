import type { Readable, Writable } from "node:stream";

/** A stream that may be a terminal. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** Width of a terminal in characters. */
  readonly columns?: number;
}

/** The parts of the process that a command may use. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** One command of the program. */
export interface Command {
  /** The whole text of `--help`. */
  readonly help: string;
  /** Runs with the arguments after the command's name and resolves to the exit status. */
  run(args: readonly string[], context: Context): Promise<ExitStatus>;
}

/** 0 success, 1 refused or failed, 2 wrong usage. */
export type ExitStatus = 0 | 1 | 2;

/** The command line is wrong. Exit status 2, with a hint to `--help`. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command failed. Exit status 1. The message states what is wrong, where, and the remedy. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** For programs, printed with `--json`. The code of the server if a server refused. */
  readonly code: string;

  constructor(message: string, code = "FAILED") {
    super(message);
    this.code = code;
  }
}

/** Writes a text and waits if the reader is slower. */
export async function print(stream: Writable, text: string): Promise<void> {
  if (stream.write(`${text}\n`)) return;
  await drained(stream);
}

/** Resolves when a stream is drained or closed. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    if (stream.destroyed || !stream.writableNeedDrain) done();
  });
}
