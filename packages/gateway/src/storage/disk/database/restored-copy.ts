/**
 * A root that was copied file by file, as backups are restored. Each file has another inode, so no row would match, and uploads would
 * lose their metadata. A copy keeps size and mtime. The inode of the index itself reveals the copy.
 */
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectRef } from "../../contract/storage.ts";
import type { Layout } from "../layout.ts";
import { isSameButForInode, unlessAbsent } from "../objects/open-file.ts";
import type { IndexDatabase, StoredRow } from "./index-database.ts";
import { unlessStuck } from "./sweep.ts";

const MARK = "index-file";

/** Rows in one commit. Each commit is flushed. */
const BATCH = 5000;

export interface MatchCopyOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  /** The path of the index file. */
  readonly path: string;
  /** The fingerprint of the key's present file. */
  readonly currentFingerprint: (ref: ObjectRef) => string | undefined;
}

/**
 * Gives each row to the file with its size and time in nanoseconds. Only at the first start on a copy: later, such a file may be
 * a new one from the same tick of the clock.
 */
export async function matchCopiedFiles({
  database,
  layout,
  path,
  currentFingerprint,
}: MatchCopyOptions): Promise<void> {
  const mark = join(layout.own, MARK);
  const index = lstatSync(path, { bigint: true });
  const own = `${index.ino}:${index.birthtimeNs}`;
  if (isMarked(mark, own)) return;
  for (let last: StoredRow | undefined; ; ) {
    const rows = database.rowsAfter(last, BATCH);
    last = rows.at(-1);
    if (last === undefined) break;
    const steps: (() => void)[] = [];
    for (const row of rows) {
      const current = await unlessStuck(() => currentFingerprint(row.ref));
      if (current === undefined || !isSameButForInode(row.fingerprint, current)) continue;
      steps.push(() => database.moveRow(row, current));
    }
    if (steps.length > 0) database.transaction(steps);
  }
  writeFileSync(mark, own);
}

/** A copy sets the mtime of a file back, but cannot set its ctime. Some file systems delay either. */
const LATER_MS = 60_000;

/** A copy over the same root keeps the inode of the index. Then the times of the mark reveal it. */
function isMarked(mark: string, own: string): boolean {
  const found = unlessAbsent(() => ({ text: readFileSync(mark, "utf8"), times: lstatSync(mark) }));
  return found?.text === own && found.times.ctimeMs - found.times.mtimeMs <= LATER_MS;
}
