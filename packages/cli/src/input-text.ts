import { CommandError, type Context, UsageError } from "./command.ts";
import { readText } from "./state/files.ts";
import { decoded, readTextFile } from "./text-file.ts";

const MAX_BYTES = 1024 * 1024;

/** The text of a file that an option names, or of standard input for `-`. */
export async function inputText(option: string, path: string, { stdin }: Pick<Context, "stdin">): Promise<string> {
  if (path !== "-") {
    try {
      return await readTextFile(path);
    } catch (error) {
      throw unreadable(`${option} to name a file`, path, error);
    }
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new CommandError(`expected ${option} on standard input as at most 1 MB`);
  }
  return decoded(Buffer.concat(chunks));
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: "nothing: look at its spelling, and at the folder that the command runs in",
  ENOTDIR: "a file in the place of a folder: look at its spelling",
  EISDIR: "a folder: name a file in it",
  EACCES: "one that this user may not read: change its mode, or run as its owner",
  EPERM: "one that this user may not read: change its mode, or run as its owner",
};

/** A file cannot be read that somebody has named on purpose: a command that can do without must not pass over it. */
export class NamedFileError extends CommandError {}

/** The text of a file that an option or a variable names; `undefined` where there is none. Docker makes a folder of a file to mount that is not there. */
export function namedText(name: string, path: string): Promise<string | undefined> {
  return readText(path).catch((error: unknown) => {
    throw new NamedFileError(unreadable(`${name} to name a file`, path, error).message);
  });
}

/** What to say of a file that cannot be read. */
export function unreadable(expected: string, path: string, error: unknown): CommandError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new CommandError(`expected ${expected}, found at ${path} ${FOUND[code] ?? message}`);
}

const FOUND_TO_WRITE: Readonly<Record<string, string>> = {
  ENOENT: "no folder to put it in: look at its spelling, or make the folder",
  ENOTDIR: "a file in the place of a folder: look at its spelling",
  EEXIST: "a file in the place of a folder: look at its spelling",
  EISDIR: "a folder: name a file in it",
  EACCES: "what this user may not write: change its mode, or name another file",
  EPERM: "what this user may not write: change its mode, or name another file",
};

/** What to say of a file that cannot be written. */
export function unwritable(option: string, path: string, error: unknown): CommandError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new CommandError(`expected ${option} to name a file, found at ${path} ${FOUND_TO_WRITE[code] ?? message}`);
}

/** Standard input can be read once. */
export function refuseTwoInputs(options: Readonly<Record<string, string | undefined>>): void {
  const names = Object.entries(options).flatMap(([name, path]) => (path === "-" ? [name] : []));
  if (names.length > 1) throw new UsageError(`expected one of ${names.join(" and ")} on standard input, found both`);
}
