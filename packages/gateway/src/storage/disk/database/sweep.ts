/** Cleans what a crash has left, at the next start: temp files of dead runs, and rows whose rename never happened. */
import { opendir, realpath, rmdir, unlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { ObjectRef } from "../../contract/storage.ts";
import { errnoOf } from "../errors.ts";
import { runOfTemp } from "../objects/key-path.ts";
import type { IndexDatabase } from "./index-database.ts";

/** Rows settled in one commit. */
const BATCH = 500;

export interface SweepOptions {
  readonly database: IndexDatabase;
  readonly root: string;
  /** This run, whose temp files are in use. */
  readonly run: string;
  /** The fingerprint of the key's present file. */
  readonly currentFingerprint: (ref: ObjectRef) => string | undefined;
  /** Whether the disk of a bucket may not be mounted yet. */
  readonly mayBeAway: (bucket: string) => boolean;
}

/**
 * Visits only what uploads have touched: the folders that were recorded before their first temp file, and the unsettled rows. So
 * it costs nothing for the files that were not uploaded.
 */
export async function sweep({ database, root, run, currentFingerprint, mayBeAway }: SweepOptions): Promise<void> {
  for (const noted of database.folders()) {
    // A moved or copied root has records of its former place. Files there belong to another gateway.
    const isOurs = noted === root || noted.startsWith(root + sep);
    const [bucket = ""] = relative(root, noted).split(sep);
    const isForgotten = await unlessStuck(async () => {
      if (!isOurs) return sweepMoved(noted, { root, run });
      return (await isGoneOrSwept(noted, run)) && !(database.names.hasObjects(bucket) && mayBeAway(bucket));
    });
    if (isForgotten === true) database.transaction([() => database.removeFolder(noted)]);
  }
  const rows = database.unsettled();
  for (let start = 0; start < rows.length; start += BATCH) {
    const steps: (() => void)[] = [];
    for (const { ref, fingerprint } of rows.slice(start, start + BATCH)) {
      const isCurrent = await unlessStuck(() => {
        const current = currentFingerprint(ref);
        // After a loss of power the gateway may start before its disks are mounted.
        return current === undefined && mayBeAway(ref.bucket) ? undefined : current === fingerprint;
      });
      if (isCurrent === true) steps.push(() => database.keepOnly(ref, fingerprint));
      else if (isCurrent === false) steps.push(() => database.remove(ref, fingerprint));
    }
    if (steps.length > 0) database.transaction(steps);
  }
}

/** Sweeps the folders that the end of a former path may be in this root. */
async function sweepMoved(noted: string, { root, run }: Pick<SweepOptions, "root" | "run">): Promise<boolean> {
  const names = noted.split(sep);
  for (let first = 1; first <= names.length; first++) await isGoneOrSwept(join(root, ...names.slice(first)), run);
  return true;
}

/**
 * Runs a step of the cleaning, or leaves it to the next start: one unreadable folder or block must not keep all others from being
 * served. `undefined` if it was left. A full disk throws: see `openAndSweep`.
 */
export async function unlessStuck<T>(step: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    const isOfFiles = error instanceof Error && "syscall" in error;
    if (!isOfFiles || ["ENOSPC", "EDQUOT"].includes(errnoOf(error) ?? "")) throw error;
    return undefined;
  }
}

/** True if the folder is gone, false if its temp files are. */
async function isGoneOrSwept(folder: string, run: string): Promise<boolean> {
  try {
    // A symbolic link may have replaced the folder.
    if ((await realpath(folder)) !== folder) return false;
    for await (const entry of await opendir(folder)) {
      const owner = runOfTemp(entry.name);
      if (owner === undefined || owner === run) continue;
      const path = join(folder, entry.name);
      // A temp folder was about to become a bucket.
      await unlessStuck(() => (entry.isDirectory() ? rmdir(path) : unlink(path)));
    }
    return false;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return true;
    throw error;
  }
}
