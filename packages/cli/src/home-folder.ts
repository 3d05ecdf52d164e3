import { homedir } from "node:os";
import { join } from "node:path";

/**
 * A path in the user's home folder. `undefined` if there is no home: the system does not know the user, or HOME is empty. Otherwise the
 * path would be relative to the current folder, where a stranger may have put a `credential_process`.
 */
export function inHome(
  env: Readonly<Record<string, string | undefined>>,
  ...parts: readonly string[]
): string | undefined {
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
