import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

function installed(command: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Why a suite that runs these commands must be skipped, or `undefined` if all are installed. Put the answer into the
 * suite's name. Under CI=true nothing is skipped: a missing command throws.
 * @example
 * const reason = needs("radosgw");
 * describe.skipIf(reason)(`URLs judged by radosgw${reason ?? ""}`, () => {});
 */
export function needs(...commands: readonly string[]): string | undefined {
  const missing = commands.filter((command) => !installed(command));
  if (missing.length === 0) return undefined;
  const reason = ` (not installed: ${missing.join(", ")}; tools/debian-packages install)`;
  if (process.env["CI"] === "true") throw new Error(`a suite may not be skipped under CI=true${reason}`);
  return reason;
}
