/** What a crash leaves of uploads in parts: ends that were not written down, and bytes that belong to none. */
import { opendir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectRef } from "../../contract/storage.ts";
import type { IndexDatabase } from "../database/index-database.ts";
import type { UploadRow } from "../database/uploads-table.ts";
import type { Layout } from "../layout.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";
import { unlessStuck } from "../database/sweep.ts";
import { hasLeft, uploadFolder, uploadsFolder } from "./upload-folder.ts";

export interface SweepUploadsOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  /** The fingerprint of the file that a key has now. */
  readonly currentFingerprint: (ref: ObjectRef) => string | undefined;
  /** Whether the files of a bucket may be on a disk that is not there yet. */
  readonly mayBeAway: (bucket: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Nothing is under way yet: what no row knows is nobody's. Costs nothing for objects, however many they are. */
export async function sweepUploads(options: SweepUploadsOptions): Promise<void> {
  const { database, layout, currentFingerprint, mayBeAway, now } = options;
  const { uploads } = database;

  /** `undefined` where the object cannot be looked at: whoever asks for the end once more finds out. */
  function hasTaken({ id, ref, ending }: UploadRow): boolean | undefined {
    if (ending === undefined) return false;
    if (hasLeft(ending, uploadFolder(layout, id))) return true;
    const current = currentFingerprint(ref);
    return current === undefined && mayBeAway(ref.bucket) ? undefined : current === ending.fingerprint;
  }

  const begun = uploads.allOpen().filter(({ ending }) => ending !== undefined);
  const steps: (() => void)[] = [];
  for (const row of begun) {
    const taken = await unlessStuck(() => hasTaken(row));
    if (taken === true) steps.push(() => uploads.endUpload(row.id, now));
    else if (taken === false) steps.push(() => uploads.setEnding(row.id, undefined));
  }
  if (steps.length > 0) database.transaction(steps);
  // Their folders were taken away when there was no room to write so.
  const aborted = uploads.allOpen().filter(({ id }) => lstatOrAbsent(uploadFolder(layout, id)) === undefined);
  if (aborted.length > 0)
    database.transaction(
      aborted.map(
        ({ id }) =>
          () =>
            uploads.removeUpload(id),
      ),
    );
  for await (const entry of await opendir(uploadsFolder(layout))) {
    const folder = join(uploadsFolder(layout), entry.name);
    const row = uploads.upload(entry.name);
    await unlessStuck(async () => {
      if (row === undefined || row.ended) await rm(folder, { recursive: true, force: true });
      else if (entry.isDirectory()) await removeStrayParts(folder, known(entry.name));
    });
  }

  /** The files of an upload's parts. */
  function known(id: string): ReadonlySet<string> {
    const rows = uploads.parts(id, { after: 0, limit: Number.MAX_SAFE_INTEGER });
    return new Set(rows.map(({ place }) => ("file" in place ? place.file : "data")));
  }
}

async function removeStrayParts(folder: string, known: ReadonlySet<string>): Promise<void> {
  for await (const entry of await opendir(folder)) {
    if (!known.has(entry.name)) await rm(join(folder, entry.name), { recursive: true, force: true });
  }
}
