import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommandError, UsageError } from "../command.ts";

/** The folder that a gateway keeps beside the files it serves. */
export const STATE_FOLDER = ".daypass";

/**
 * The state folder that a command shall use: what `--state` or `DAYPASS_STATE` names, else `.daypass` here. The folder
 * that is served may be named as well, because that is the name people know. A `keys.json` beside its `.daypass` is an object, which a
 * holder of a URL may have put there, unless it is the `.daypass` that does not belong: nobody but the operator knows.
 */
export function stateFolder(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  expectNamed(option);
  const named = option ?? env["DAYPASS_STATE"];
  if (!named) return STATE_FOLDER;
  const inside = join(named, STATE_FOLDER);
  if (!existsSync(inside)) return named;
  if (!existsSync(join(named, "keys.json"))) return inside;
  throw new UsageError(
    `expected keys in one place, found keys.json in ${named} and ${inside}: give --state ${inside} where ${named} is served, else remove ${inside}`,
  );
}

/** Refuses `--state ""`, as of a variable that is not set: the keys here are those of another gateway, or of none. */
export function expectNamed(option: string | undefined): void {
  if (option === "") throw new UsageError('expected --state as a folder, found ""');
}

/** Refuses a state folder that is, or lies below, something that is no folder. That there is none yet is no fault. */
export function expectStateFolder(folder: string): void {
  if (isFolderOrFree(folder)) return;
  throw new CommandError(
    `expected a folder for the keys, found that ${folder} is or lies below a file: correct --state`,
  );
}

/** Refuses a folder that was named for the keys in it and is not there: it is another one that was meant. */
export function expectThere(folder: string, remedy = "correct --state"): void {
  if (existsSync(folder)) return;
  throw new CommandError(`expected the state of a gateway in ${folder}, found no such folder: ${remedy}`);
}

function isFolderOrFree(folder: string): boolean {
  try {
    // Not with throwIfNoEntry: since Node 26 what lies below a file is no entry either.
    return statSync(folder).isDirectory();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOTDIR";
  }
}
