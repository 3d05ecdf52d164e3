/**
 * A root that was copied file by file, as backups are restored: each file has another inode, so no row would match, and uploads would be without
 * their metadata. A copy keeps size and mtime, and is told by its index, which is another file than the one that the gateway wrote beside it.
 */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IndexDatabase, StoredRow } from "./index-database.ts";
import type { Layout } from "../layout.ts";
import { isSameButForInode } from "../objects/fingerprint.ts";
import { unlessAbsent } from "../objects/open-file.ts";
import { unlessStuck } from "./sweep.ts";

const MARK = "index-file";

/** Rows in one commit, each of which is flushed. Nobody is served yet whom a long step could hold up. */
const BATCH = 5000;

export interface AdoptOptions {
  readonly database: IndexDatabase;
  readonly layout: Layout;
  /** Of the index in the root, also where another is used in its place. */
  readonly path: string;
  /** Whether another is used, as on a full disk: then that in the root still waits for it. */
  readonly spare: boolean;
  /** The fingerprint of the file that a key has now. */
  readonly currentFingerprint: (row: StoredRow["ref"]) => string | undefined;
  /** Whether the files of a bucket may be on a disk that is not there yet. */
  readonly mayBeAway: (bucket: string) => boolean;
}

/**
 * Only at a start, and only of a copy: later a file with the size and time of a stored one may be another that was put there within the same
 * tick of the clock. A row is given to the file whose size and time in nanoseconds it has; all others stay strangers.
 */
export async function adoptCopies(options: AdoptOptions): Promise<void> {
  const { database, layout, path, spare, currentFingerprint, mayBeAway } = options;
  const mark = join(layout.own, MARK);
  const index = unlessAbsent(() => lstatSync(path, { bigint: true }));
  if (index === undefined) return;
  const own = `${index.ino}:${index.birthtimeNs}`;
  const waiting = waitingBuckets(mark, own);
  if (waiting?.size === 0) return;
  const away = new Map<string, boolean>();
  for (let last: StoredRow | undefined; ; ) {
    const rows = database.rowsAfter(last, BATCH);
    last = rows.at(-1);
    if (last === undefined) break;
    const steps: (() => void)[] = [];
    for (const { ref, fingerprint } of rows) {
      if (waiting?.has(ref.bucket) === false) continue;
      const current = await unlessStuck(() => currentFingerprint(ref));
      if (current === undefined && !away.has(ref.bucket))
        away.set(ref.bucket, (await unlessStuck(() => mayBeAway(ref.bucket))) ?? true);
      if (current !== undefined && isSameButForInode(fingerprint, current))
        steps.push(() => database.moveRow(ref, fingerprint, current));
    }
    if (steps.length > 0) database.transaction(steps);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const expected = [...away].flatMap(([bucket, isAway]) => (isAway ? [bucket] : []));
  if (!spare) keepMark(mark, [own, ...expected].join("\n"));
}

/** Whoever copies a file sets its content's time back, and cannot set that of its last change. Some file systems are late with either. */
const LATER_MS = 60_000;

/**
 * The buckets of a copy that were away when it was looked at; `undefined` where nobody has looked yet. What is copied over a root keeps
 * the index's inode, and then the mark's times tell.
 */
function waitingBuckets(mark: string, own: string): ReadonlySet<string> | undefined {
  const found = unlessAbsent(() => ({ text: readFileSync(mark, "utf8"), times: lstatSync(mark) }));
  const [index, ...buckets] = found?.text.split("\n") ?? [];
  if (found === undefined || index !== own || found.times.ctimeMs - found.times.mtimeMs > LATER_MS) return undefined;
  return new Set(buckets);
}

/** Without it the next start looks again. */
function keepMark(mark: string, text: string): void {
  const temporary = `${mark}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, mark);
  } catch {
    rmSync(temporary, { force: true });
  }
}
