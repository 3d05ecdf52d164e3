import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder that a gateway keeps beside the files it serves. */
export const STATE_FOLDER = ".daypass";

/**
 * The state folder that a command shall use: what `--state` or `DAYPASS_STATE` names, else `.daypass` here. The folder
 * that is served may be named as well, because that is the name people know.
 */
export function stateFolder(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const named = option ?? env["DAYPASS_STATE"];
  if (!named) return STATE_FOLDER;
  const inside = join(named, STATE_FOLDER);
  return !existsSync(join(named, "keys.json")) && existsSync(inside) ? inside : named;
}
