/**
 * The one writer of the index. SQLite allows one writer at a time and two processes that write flat out stall each other for
 * seconds, so all changes meet here. Those that arrive while a commit runs share the next one.
 */
import { isStorageError, type ObjectRef, StorageError } from "../../contract/storage.ts";
import { translated } from "../errors.ts";
import type { Room } from "../reserved-space.ts";
import type { Claim, ClaimIntent, ClaimOutcome, IndexWriter, NamesIndexWriter } from "./contract.ts";
import type { IndexDatabase } from "./index-database.ts";
import { foldedName } from "./folded-name.ts";
import { keyTurns } from "./key-lock.ts";
import { uploadsWriter } from "./uploads-writer.ts";

/** How long the end of a claim may wait for a commit to share. Nothing depends on it: readers go by fingerprint. */
const LAZY_MS = 50;

export interface LocalIndexWriter extends Omit<IndexWriter, "indexPath" | keyof NamesIndexWriter> {
  /** Commits what is waiting. */
  close(): void;
}

interface Change {
  readonly apply: () => void;
  /** Whether it takes something away. */
  readonly removes: boolean;
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

export interface LocalIndexWriterOptions {
  readonly database: IndexDatabase;
  readonly room: Room;
  /** Milliseconds since the epoch. */
  readonly clock?: (() => number) | undefined;
}

export function localIndexWriter({ database, room, clock = Date.now }: LocalIndexWriterOptions): LocalIndexWriter {
  const turns = keyTurns();
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
      if (room.isForRoom(error)) {
        commitRemovals(ends, group);
        return;
      }
      // The rows that were to go are only out of date; the next start finds them unsettled.
      const fault = translated(error, "write the index");
      for (const change of group) change.failed(fault);
      return;
    }
    for (const change of group) change.committed();
    void room.keep();
  }

  /** What is left to do of a commit that found no room. Of two changes of a key the earlier one stays the earlier. */
  function commitRemovals(ends: readonly (() => void)[], group: readonly Change[]): void {
    const removals = group.filter(({ removes }) => removes);
    for (const change of group) if (!change.removes) change.failed(noRoom());
    try {
      if (removals.length === 0) throw noRoom();
      room.spending(() => database.transaction([...ends, ...removals.map((change) => change.apply)]));
    } catch (error) {
      endings.unshift(...ends);
      const fault = room.isForRoom(error) ? noRoom(error) : translated(error, "write the index");
      for (const change of removals) change.failed(fault);
      return;
    }
    for (const change of removals) change.committed();
  }

  /** One turn of the event loop gathers what other requests and other processes have sent meanwhile. */
  function durable(apply: () => void, { removes = false } = {}): Promise<void> {
    return new Promise((committed, failed) => {
      changes.push({ apply, removes, committed, failed });
      scheduled ??= setImmediate(commit);
    });
  }

  function end(ref: ObjectRef, intent: ClaimIntent, outcome: ClaimOutcome): void {
    if (outcome !== "unknown") soon(() => applyOutcome(database, ref, intent, outcome));
  }

  function soon(apply: () => void): void {
    endings.push(apply);
    lazy ??= setTimeout(commit, LAZY_MS).unref();
  }

  /** For what counts without its row: on a disk without any room the row follows when there is some. */
  async function durableOrSoon(apply: () => void): Promise<void> {
    try {
      await durable(apply, { removes: true });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      soon(apply);
    }
  }

  return {
    ...uploadsWriter({ database, durable, durableOrSoon, clock }),
    async claim(ref, intent): Promise<Claim> {
      // Where the disk folds names two keys may have one file, and each worker would see that it is free.
      const leave = await turns.enter(foldedName(`${ref.bucket}/${ref.key}`));
      try {
        const removes = intent.kind === "delete" || intent.removes === true;
        await durable(() => applyIntent(database, ref, intent), { removes });
      } catch (error) {
        if (intent.kind !== "delete" || !isDiskFull(error)) {
          leave();
          throw error;
        }
      }
      return {
        finish(outcome) {
          end(ref, intent, outcome);
          leave();
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

function noRoom(cause?: unknown): StorageError {
  return new StorageError("DISK_FULL", "could not write the index: the disk is full", { cause });
}

function isDiskFull(error: unknown): boolean {
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
  // Nothing was deleted after all. The mark stays: all it costs is one look at the next start.
  else if (intent.kind === "delete") return;
  else if (outcome === "stored") database.keepOnly(ref, intent.row.fingerprint);
  else database.remove(ref, intent.row.fingerprint);
}
