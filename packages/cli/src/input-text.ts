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

type Fault = readonly [what: string, remedy: string];

const FOUND: Readonly<Record<string, Fault>> = {
  ENOENT: ["nothing", "check the spelling, and the folder that the command runs in"],
  ENOTDIR: ["a file in place of a folder", "check the spelling"],
  EISDIR: ["a folder", "name a file in it"],
  EACCES: ["one that this user may not read", "change its mode, or run as its owner"],
  EPERM: ["one that this user may not read", "change its mode, or run as its owner"],
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
  return new CommandError(`expected ${expected}, ${foundAt(path, error, FOUND)}`);
}

const FOUND_TO_WRITE: Readonly<Record<string, Fault>> = {
  ENOENT: ["no folder to put it in", "check the spelling, or create the folder"],
  ENOTDIR: ["a file in place of a folder", "check the spelling"],
  EEXIST: ["a file in place of a folder", "check the spelling"],
  EISDIR: ["a folder", "name a file in it"],
  EACCES: ["one that this user may not write", "change its mode, or name another file"],
  EPERM: ["one that this user may not write", "change its mode, or name another file"],
};

/** What to say of a file that cannot be written. */
export function unwritable(option: string, path: string, error: unknown): CommandError {
  return new CommandError(`expected ${option} to name a file, ${foundAt(path, error, FOUND_TO_WRITE)}`);
}

function foundAt(path: string, error: unknown, faults: Readonly<Record<string, Fault>>): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const fault = faults[code];
  return fault === undefined ? `found at ${path} ${message}` : `found ${fault[0]} at ${path}: ${fault[1]}`;
}

/** Standard input can be read once. */
export function refuseTwoInputs(options: Readonly<Record<string, string | undefined>>): void {
  const names = Object.entries(options).flatMap(([name, path]) => (path === "-" ? [name] : []));
  if (names.length > 1) throw new UsageError(`expected one of ${names.join(" and ")} on standard input, found both`);
}
