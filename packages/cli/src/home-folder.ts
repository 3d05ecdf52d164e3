import { homedir } from "node:os";
import { join } from "node:path";

/**
 * A place in the home of whoever runs this. `undefined` where there is no home: for a user whom the system does not know, and where HOME is
 * set to nothing. What is kept there would then be looked for in the folder that the command runs in, and a stranger's `credential_process` run.
 */
export function inHome(...parts: readonly string[]): string | undefined {
  const home = homeFolder();
  return home === "" ? undefined : join(home, ...parts);
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
