import { readdirSync, readlinkSync } from "node:fs";

/** Why a suite that asks for open files is skipped, for its name; `undefined` if the system lists them. */
export const unknownFiles: string | undefined =
  process.platform === "linux" ? undefined : " (skipped: this system does not tell which files are open)";

/** Files below a folder that this process has open. */
export function openFiles(folder: string): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}
