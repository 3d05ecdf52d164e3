import type { Readable, Writable } from "node:stream";

/** A stream that a person may be looking at. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** Width of a terminal in characters. */
  readonly columns?: number;
}

/** What a command may touch of the process it runs in. */
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

/** 0 done, 1 refused or failed, 2 wrong usage. */
export type ExitStatus = 0 | 1 | 2;

/** The command line itself is wrong: exit status 2 and a pointer to `--help`. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command was understood and could not be done: exit status 1. The text says expected, found, what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** For programs, with `--json`; a server's own code where it was the server that refused. */
  readonly code: string;

  constructor(message: string, code = "FAILED") {
    super(message);
    this.code = code;
  }
}

/** Writes lines and waits where the reader is slower than we are. */
export async function print(stream: Writable, text: string): Promise<void> {
  if (stream.write(`${text}\n`)) return;
  await drained(stream);
}

/** Resolves when a stream has room again, and also when it has been closed: nobody is left to wait for. */
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
