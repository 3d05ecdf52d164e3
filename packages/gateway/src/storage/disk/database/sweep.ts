/** What a crash leaves behind is cleaned at the next start: temp files of dead runs, and rows whose rename never came. */
import { opendir, realpath, rmdir, unlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { ObjectRef } from "../../contract/storage.ts";
import type { IndexDatabase } from "./index-database.ts";
import { errnoOf } from "../errors.ts";
import { runOfTemp } from "../objects/key-path.ts";

/** Rows settled in one commit. */
const BATCH = 500;

export interface SweepOptions {
  readonly database: IndexDatabase;
  readonly root: string;
  /** This run, whose temp files are alive. */
  readonly run: string;
  /** The fingerprint of the file that a key has now. */
  readonly currentFingerprint: (ref: ObjectRef) => string | undefined;
  /** Whether the files of a bucket may be on a disk that is not there yet. */
  readonly mayBeAway: (bucket: string) => boolean;
}

/**
 * Visits only what an upload has touched: the folders noted before their first temp file, and the rows not settled. So it costs
 * nothing for the files that were always there, however many they are.
 */
export async function sweep(options: SweepOptions): Promise<void> {
  const { database, root, run, currentFingerprint, mayBeAway } = options;

  /** A temp file that stays keeps its bucket from being removed, and nobody would look there again. */
  function isExpectedBack(folder: string): boolean {
    const [bucket = ""] = relative(root, folder).split(sep);
    return database.names.hasObjects(bucket) && mayBeAway(bucket);
  }

  const looked = new Set<string>();

  /**
   * A root that was moved or copied brings notes of the place where it was, in which uploads of another gateway may be under way. Which of
   * their last names lead to the folder here nobody has noted, so all are tried: a temp file of another run is left over wherever it lies.
   */
  async function isSweptHere(folder: string): Promise<boolean> {
    const names = folder.split("/");
    for (let first = 1; first <= names.length; first++) {
      const here = [root, ...names.slice(first)].join("/");
      if (isExpectedBack(here)) return false;
      if (!looked.has(here)) await isGoneOrSwept(here, run);
      looked.add(here);
    }
    return true;
  }

  for (const folder of database.folders()) {
    const isOurs = folder === root || folder.startsWith(`${root}${sep}`);
    const isForgotten = await unlessStuck(async () =>
      isOurs ? (await isGoneOrSwept(folder, run)) && !isExpectedBack(folder) : isSweptHere(folder),
    );
    if (isForgotten === true) database.transaction([() => database.removeFolder(folder)]);
  }
  const rows = database.unsettled();
  for (let start = 0; start < rows.length; start += BATCH) {
    const steps: (() => void)[] = [];
    for (const { ref, fingerprint } of rows.slice(start, start + BATCH)) {
      const isCurrent = await unlessStuck(() => {
        const current = currentFingerprint(ref);
        // After a loss of power the gateway is often there before the disk is, and these are the rows of what was stored last.
        return current === undefined && mayBeAway(ref.bucket) ? undefined : current === fingerprint;
      });
      if (isCurrent === true) steps.push(() => database.keepOnly(ref, fingerprint));
      else if (isCurrent === false) steps.push(() => database.remove(ref, fingerprint));
    }
    if (steps.length > 0) database.transaction(steps);
  }
}

/**
 * Runs a step of the cleaning, or leaves it to the next start: one folder that may not be looked into, or a block that cannot be read, must not
 * keep all others from being served. `undefined` where it was left. A disk without room is another matter: see `openAndSweep`.
 */
export async function unlessStuck<T>(step: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    const isOfFiles = error instanceof Error && "syscall" in error;
    if (!isOfFiles || NO_ROOM.has(errnoOf(error) ?? "")) throw error;
    return undefined;
  }
}

const NO_ROOM = new Set(["ENOSPC", "EDQUOT"]);

/** True when the folder is gone, false when its temp files are. */
async function isGoneOrSwept(folder: string, run: string): Promise<boolean> {
  try {
    // A folder that was moved away, with a link in its place, is not ours any more.
    if ((await realpath(folder)) !== folder) return false;
    for await (const entry of await opendir(folder)) {
      const owner = runOfTemp(entry.name);
      if (owner === undefined || owner === run) continue;
      const path = join(folder, entry.name);
      // A folder was to be a bucket.
      await unlessStuck(() => (entry.isDirectory() ? rmdir(path) : unlink(path)));
    }
    return false;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return true;
    throw error;
  }
}
