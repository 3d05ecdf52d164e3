/**
 * The one writer of the index. SQLite allows one writer at a time, and two busy ones stall each other for seconds, so all changes
 * meet here. Changes that arrive during a commit share the next one.
 */
import { isStorageError, type ObjectRef, StorageError } from "../../contract/storage.ts";
import { translated } from "../errors.ts";
import type { ReservedSpace } from "../reserved-space.ts";
import type { Claim, ClaimIntent, ClaimOutcome, IndexWriter, NamesIndexWriter } from "./contract.ts";
import type { IndexDatabase } from "./index-database.ts";
import { foldedName, keyLock } from "./key-lock.ts";
import { uploadsWriter } from "./uploads-writer.ts";

/** How long the end of a claim may wait for a commit to share. Readers compare fingerprints, so none depends on it. */
const LAZY_MS = 50;

export interface LocalIndexWriter extends Omit<IndexWriter, "indexPath" | keyof NamesIndexWriter> {
  /** Commits all waiting changes. */
  close(): void;
}

interface Change {
  readonly apply: () => void;
  /** Whether it removes something. */
  readonly removes: boolean;
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

export interface LocalIndexWriterOptions {
  readonly database: IndexDatabase;
  readonly space: ReservedSpace;
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined;
}

export function localIndexWriter({ database, space, clock = Date.now }: LocalIndexWriterOptions): LocalIndexWriter {
  const keys = keyLock();
  let changes: Change[] = [];
  let endings: (() => void)[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let lazy: NodeJS.Timeout | undefined;

  function commit(): void {
    scheduled = undefined;
    clearTimeout(lazy);
    lazy = undefined;
    const group = changes;
    const ends = endings;
    changes = [];
    endings = [];
    if (group.length + ends.length === 0) return;
    try {
      database.transaction([...ends, ...group.map((change) => change.apply)]);
    } catch (error) {
      if (space.isDiskFull(error)) {
        commitRemovals(ends, group);
        return;
      }
      // The rows of the ends are only out of date. The next start finds them unsettled.
      const fault = translated(error, "write the index");
      for (const change of group) change.failed(fault);
      return;
    }
    for (const change of group) change.committed();
    void space.keep();
  }

  /** Commits the removals of a group for which the disk was full. The order of two changes of a key stays. */
  function commitRemovals(ends: readonly (() => void)[], group: readonly Change[]): void {
    const removals = group.filter(({ removes }) => removes);
    for (const change of group) if (!change.removes) change.failed(diskFull());
    try {
      if (removals.length === 0) throw diskFull();
      space.spending(() => database.transaction([...ends, ...removals.map((change) => change.apply)]));
    } catch (error) {
      endings.unshift(...ends);
      const fault = space.isDiskFull(error) ? diskFull(error) : translated(error, "write the index");
      for (const change of removals) change.failed(fault);
      return;
    }
    for (const change of removals) change.committed();
  }

  /** One turn of the event loop gathers the changes of other requests and processes. */
  function durable(apply: () => void, { removes = false } = {}): Promise<void> {
    return new Promise((committed, failed) => {
      changes.push({ apply, removes, committed, failed });
      scheduled ??= setImmediate(commit);
    });
  }

  function soon(apply: () => void): void {
    endings.push(apply);
    lazy ??= setTimeout(commit, LAZY_MS).unref();
  }

  /** For a removal that counts without its row: on a full disk the row follows later. */
  async function durableOrSoon(apply: () => void): Promise<void> {
    try {
      await durable(apply, { removes: true });
    } catch (error) {
      if (!isFullError(error)) throw error;
      soon(apply);
    }
  }

  return {
    ...uploadsWriter({ database, durable, durableOrSoon, clock }),
    async claim(ref, intent): Promise<Claim> {
      // On a disk that folds names, two keys may have one file.
      const unlock = await keys.lock(foldedName(`${ref.bucket}/${ref.key}`));
      try {
        const removes = intent.kind === "delete" || intent.removes === true;
        await durable(() => applyIntent(database, ref, intent), { removes });
      } catch (error) {
        if (intent.kind !== "delete" || !isFullError(error)) {
          unlock();
          throw error;
        }
      }
      return {
        finish(outcome) {
          if (outcome !== "unknown") soon(() => applyOutcome(database, ref, intent, outcome));
          unlock();
        },
      };
    },
    addFolder: (path) => durable(() => database.addFolder(path)),
    close() {
      if (scheduled !== undefined) clearImmediate(scheduled);
      commit();
    },
  };
}

function diskFull(cause?: unknown): StorageError {
  return new StorageError("DISK_FULL", "could not write the index: the disk is full", { cause });
}

function isFullError(error: unknown): boolean {
  return isStorageError(error) && error.code === "DISK_FULL";
}

function applyIntent(database: IndexDatabase, ref: ObjectRef, intent: ClaimIntent): void {
  if (intent.kind === "delete") {
    database.unsettle(ref);
    return;
  }
  database.insert(intent.row);
  if (intent.ends !== undefined) database.uploads.setEnding(intent.ends.id, intent.ends.ending);
}

function applyOutcome(database: IndexDatabase, ref: ObjectRef, intent: ClaimIntent, outcome: ClaimOutcome): void {
  if (outcome === "deleted") database.removeAll(ref);
  // An abandoned deletion leaves its mark, which costs one look at the next start.
  else if (intent.kind === "delete") return;
  else if (outcome === "stored") database.keepOnly(ref, intent.row.fingerprint);
  else database.remove(ref, intent.row.fingerprint);
}
