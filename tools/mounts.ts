import { execFileSync } from "node:child_process";
import { getuid } from "node:process";

/**
 * Arguments of `unshare` for a shell script with a separate mount namespace: what it mounts is gone with the process, and no root
 * is needed.
 */
export const IN_NAMESPACE: readonly string[] = ["--user", "--map-root-user", "--mount", "sh", "-euc"];

/** The same as root of the machine. */
export const ROOT_NAMESPACE: readonly string[] = ["--mount", "sh", "-euc"];

/** Why a suite that mounts file systems has to be skipped, or undefined when it need not be. For the suite's name. */
export function needsMounts(): string | undefined {
  return refusal([...IN_NAMESPACE, "mount -t tmpfs tmpfs /mnt"]);
}

/** The same for programs that refuse to run as root: real root mounts a file system, then starts them as another user. */
export function needsRootMounts(): string | undefined {
  return getuid?.() === 0
    ? refusal([...ROOT_NAMESPACE, "mount -t tmpfs tmpfs /mnt"])
    : " (only root may mount a file system for another user)";
}

/** The same for a suite that mounts a disk image by FUSE, which takes a root of the machine itself; containers often have none. */
export function needsDiskImages(): string | undefined {
  return getuid?.() === 0
    ? refusal([...ROOT_NAMESPACE, "mount -t tmpfs tmpfs /mnt; true </dev/fuse"])
    : " (only root may mount a disk image)";
}

function refusal(run: readonly string[]): string | undefined {
  try {
    execFileSync("unshare", run, { stdio: "ignore" });
    return undefined;
  } catch {
    return " (this system lets no test mount a file system)";
  }
}
