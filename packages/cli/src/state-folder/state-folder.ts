import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommandError, UsageError } from "../command.ts";

/** The name of the state folder inside a served folder. */
export const STATE_FOLDER = ".daypass";

/**
 * The state folder of a command: `--state`, `DAYPASS_STATE`, or `.daypass` in the current folder. May also name a served folder, which contains
 * `.daypass`. If both have a `keys.json`, one of them may be an uploaded object, and only the operator can know which.
 */
export function stateFolder(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  expectStateOption(option);
  const named = option ?? env["DAYPASS_STATE"];
  if (!named) return STATE_FOLDER;
  const inside = join(named, STATE_FOLDER);
  if (!existsSync(inside)) return named;
  if (!existsSync(join(named, "keys.json"))) return inside;
  throw new UsageError(
    `both ${named} and ${inside} have a keys.json. If ${named} is a served folder, give --state ${inside}; if not, remove ${inside}`,
  );
}

/** Refuses `--state ""`, which an unset variable causes. */
export function expectStateOption(option: string | undefined): void {
  if (option === "") throw new UsageError("--state is empty. Name a folder");
}

/** Refuses a state folder that is a file or below a file. A missing folder is allowed. */
export function expectStateFolder(folder: string): void {
  if (isFolderOrMissing(folder)) return;
  throw new CommandError(`the state folder ${folder} is a file, or lies below one. Correct --state`);
}

/** Refuses a missing state folder, because the command needs its keys. */
export function expectStateExists(folder: string, remedy = "Correct --state"): void {
  if (existsSync(folder)) return;
  throw new CommandError(`the state folder ${folder} does not exist. ${remedy}`);
}

function isFolderOrMissing(folder: string): boolean {
  try {
    // Since Node 26, throwIfNoEntry also hides ENOTDIR.
    return statSync(folder).isDirectory();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOTDIR";
  }
}
