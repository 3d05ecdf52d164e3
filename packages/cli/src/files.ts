/** Files and standard input that options and variables name. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CommandError, type Context, UsageError } from "./command.ts";

/** Reads a text file. Windows' editors and PowerShell write a byte order mark, and may write UTF-16. */
export async function readTextFile(path: string): Promise<string> {
  return decodeText(await readFile(path));
}

/** The text of a file. `undefined` if there is no such file. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Decodes UTF-8, or UTF-16 with a byte order mark. Removes the mark. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(utf16ByMark(bytes) ?? "utf-8").decode(bytes);
}

/** The UTF-16 encoding that a byte order mark states, if any. */
export function utf16ByMark([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

/** Parses JSON that may hold a secret. `undefined` if it is invalid, because the parser's own message would quote the text. */
export function parseSecretJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MAX_INPUT_BYTES = 1024 * 1024;

/** The text of the file that an option names, or of standard input for `-`. */
export async function inputText(option: string, path: string, { stdin }: Pick<Context, "stdin">): Promise<string> {
  if (path !== "-") {
    try {
      return await readTextFile(path);
    } catch (error) {
      throw readError(option, path, error);
    }
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES)
      throw new CommandError(`standard input (${option}) is longer than 1 MB. Send a shorter text`);
  }
  return decodeText(Buffer.concat(chunks));
}

/** Refuses two options that read standard input. */
export function expectOneStdin(options: Readonly<Record<string, string | undefined>>): void {
  const names = Object.entries(options).flatMap(([name, path]) => (path === "-" ? [name] : []));
  if (names.length > 1)
    throw new UsageError(`${names.join(" and ")} both read standard input. Name a file in one of them`);
}

/** A file that the user named cannot be read. Commands that work without keys must not ignore this error. */
export class NamedFileError extends CommandError {}

/** The text of the file that an option or a variable names. A file that does not exist has no keys to ignore: a plain `CommandError`. */
export function readNamedFile(name: string, path: string): Promise<string> {
  return readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    const fault = readError(name, path, error);
    throw error.code === "ENOENT" ? fault : new NamedFileError(fault.message);
  });
}

// By the system's code, the end of the sentence, and the remedy.
const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist. Check its spelling and its folder",
  ENOTDIR: "lies below a file. Check the spelling",
  // Docker creates a folder if the file of a bind mount does not exist.
  EISDIR: "is a folder. Name a file in it",
  EACCES: "this user may not read. Change its mode, or run as its owner",
  EPERM: "this user may not read. Change its mode, or run as its owner",
};

/** The error for a file that cannot be read. `name` is the option or the variable that names it. */
export function readError(name: string, path: string, error: unknown): CommandError {
  return fileError(name, path, error, READ_FAULTS);
}

const WRITE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "has no folder. Check the spelling, or create the folder",
  ENOTDIR: "lies below a file. Check the spelling",
  EEXIST: "lies below a file. Check the spelling",
  EISDIR: "is a folder. Name a file in it",
  EACCES: "this user may not write. Change its mode, or name another file",
  EPERM: "this user may not write. Change its mode, or name another file",
};

/** The error for a file that cannot be written. */
export function writeError(option: string, path: string, error: unknown): CommandError {
  return fileError(option, path, error, WRITE_FAULTS);
}

function fileError(name: string, path: string, error: unknown, faults: typeof READ_FAULTS): CommandError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new CommandError(`${name} names ${path}, which ${faults[code] ?? `cannot be used (${message})`}`);
}

/**
 * A path in the user's home folder. `undefined` if there is no home: the system does not know the user, or HOME is empty. Otherwise the
 * path would be relative to the current folder, where a stranger may have put a `credential_process`.
 */
export function inHome(env: Context["env"], ...parts: readonly string[]): string | undefined {
  const home = (process.platform === "win32" ? undefined : env["HOME"]) ?? systemHome();
  return home === "" ? undefined : join(home, ...parts);
}

function systemHome(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
