/** What a crash leaves behind is cleaned at the next start: temp files of dead runs, and rows whose rename never came. */
import { opendir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectRef } from "../storage.ts";
import { errnoOf } from "./faults.ts";
import type { IndexDatabase } from "./index-db.ts";
import { runOfTemp } from "./key-path.ts";

/** Rows settled in one commit. */
const BATCH = 500;

export interface SweepOptions {
  readonly database: IndexDatabase;
  /** This run, whose temp files are alive. */
  readonly run: string;
  /** The fingerprint of the file that a key has now. */
  readonly currentFingerprint: (ref: ObjectRef) => string | undefined;
}

/**
 * Visits only what an upload has touched: the folders noted before their first temp file, and the rows not settled. So it costs
 * nothing for the files that were always there, however many they are.
 */
export async function sweep({ database, run, currentFingerprint }: SweepOptions): Promise<void> {
  for (const folder of database.folders()) {
    if (!(await removeTemps(folder, run))) database.transaction([() => database.removeFolder(folder)]);
  }
  const rows = database.unsettled();
  for (let start = 0; start < rows.length; start += BATCH) {
    database.transaction(
      rows.slice(start, start + BATCH).map(({ ref, fingerprint }) => () => {
        if (currentFingerprint(ref) === fingerprint) database.keepOnly(ref, fingerprint);
        else database.remove(ref, fingerprint);
      }),
    );
  }
}

/** False when the folder is gone. */
async function removeTemps(folder: string, run: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(folder)) {
      const owner = runOfTemp(entry.name);
      if (owner !== undefined && owner !== run) await unlink(join(folder, entry.name));
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw error;
  }
}
