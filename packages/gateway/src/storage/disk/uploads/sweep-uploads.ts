/** Cleans what a crash has left of multipart uploads: ends without a record, and files without a part. */
import { opendir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type SweepOptions, unlessStuck } from "../database/sweep.ts";
import type { UploadRow } from "../database/uploads-table.ts";
import type { Layout } from "../layout.ts";
import { lstatOrAbsent } from "../objects/open-file.ts";
import { hasLeft, uploadFolder, uploadsFolder } from "./upload-folder.ts";

export interface SweepUploadsOptions extends Pick<SweepOptions, "database" | "currentFingerprint" | "mayBeAway"> {
  readonly layout: Layout;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Runs before any upload begins, so files without a row are garbage. Costs nothing for objects. */
export async function sweepUploads(options: SweepUploadsOptions): Promise<void> {
  const { database, layout, currentFingerprint, mayBeAway, now } = options;
  const { uploads } = database;

  /** `undefined` if the object cannot be checked. The next request to complete the upload checks again. */
  function hasTaken({ id, ref, ending }: UploadRow): boolean | undefined {
    if (ending === undefined) return false;
    if (hasLeft(ending, uploadFolder(layout, id))) return true;
    const current = currentFingerprint(ref);
    return current === undefined && mayBeAway(ref.bucket) ? undefined : current === ending.fingerprint;
  }

  const steps: (() => void)[] = [];
  for (const row of uploads.allOpen()) {
    const { id } = row;
    const taken = row.ending === undefined ? undefined : await unlessStuck(() => hasTaken(row));
    if (taken === true) steps.push(() => uploads.endUpload(id, now));
    // An upload without a folder was aborted on a full disk.
    else if (lstatOrAbsent(uploadFolder(layout, id)) === undefined) steps.push(() => uploads.removeUpload(id));
    else if (taken === false) steps.push(() => uploads.setEnding(id, undefined));
  }
  if (steps.length > 0) database.transaction(steps);
  for await (const entry of await opendir(uploadsFolder(layout))) {
    const folder = join(uploadsFolder(layout), entry.name);
    const row = uploads.upload(entry.name);
    await unlessStuck(async () => {
      if (row === undefined || row.ended) await rm(folder, { recursive: true, force: true });
      else if (entry.isDirectory()) await removeStrayFiles(folder, filesOf(entry.name));
    });
  }

  /** The names of the files that hold parts of an upload. */
  function filesOf(id: string): ReadonlySet<string> {
    const rows = uploads.parts(id, { after: 0, limit: Number.MAX_SAFE_INTEGER });
    return new Set(rows.map(({ place }) => ("file" in place ? place.file : "data")));
  }
}

async function removeStrayFiles(folder: string, known: ReadonlySet<string>): Promise<void> {
  for await (const entry of await opendir(folder)) {
    if (!known.has(entry.name)) await rm(join(folder, entry.name), { recursive: true, force: true });
  }
}
