import { execFileSync } from "node:child_process";

/**
 * Arguments of `unshare` for a shell script with a mount namespace of its own: what it mounts is gone with the process, and no root
 * is needed.
 */
export const IN_NAMESPACE: readonly string[] = ["--user", "--map-root-user", "--mount", "sh", "-euc"];

/** Why a suite that mounts file systems has to be skipped, or undefined when it need not be. For the suite's name. */
export function needsMounts(): string | undefined {
  try {
    execFileSync("unshare", [...IN_NAMESPACE, "mount -t tmpfs tmpfs /mnt"], { stdio: "ignore" });
    return undefined;
  } catch {
    return " (this system lets no test mount a file system)";
  }
}
