/**
 * The one writer of the index. SQLite allows one writer at a time and two processes that write flat out stall each other for
 * seconds, so all changes meet here. Those that arrive while a commit runs share the next one.
 */
import type { ObjectRef } from "../storage.ts";
import { translated } from "./faults.ts";
import type { Claim, ClaimIntent, ClaimOutcome, IndexWriter, NamesIndexWriter } from "./index-contract.ts";
import type { IndexDatabase } from "./index-db.ts";
import { keyTurns } from "./key-turns.ts";
import { uploadsWriter } from "./uploads-writer.ts";

/** How long the end of a claim may wait for a commit to share. Nothing depends on it: readers go by fingerprint. */
const LAZY_MS = 50;

export interface LocalIndexWriter extends Omit<IndexWriter, "indexPath" | keyof NamesIndexWriter> {
  /** Commits what is waiting. */
  close(): void;
}

interface Change {
  readonly apply: () => void;
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

/** @param clock milliseconds since the epoch */
export function localIndexWriter(database: IndexDatabase, clock: () => number = Date.now): LocalIndexWriter {
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
      // The rows that were to go are only out of date; the next start finds them unsettled.
      const fault = translated(error, "write the index");
      for (const change of group) change.failed(fault);
      return;
    }
    for (const change of group) change.committed();
  }

  /** One turn of the event loop gathers what other requests and other processes have sent meanwhile. */
  function durable(apply: () => void): Promise<void> {
    return new Promise((committed, failed) => {
      changes.push({ apply, committed, failed });
      scheduled ??= setImmediate(commit);
    });
  }

  function end(ref: ObjectRef, intent: ClaimIntent, outcome: ClaimOutcome): void {
    if (outcome === "unknown") return;
    endings.push(() => applyOutcome(database, ref, intent, outcome));
    lazy ??= setTimeout(commit, LAZY_MS).unref();
  }

  return {
    ...uploadsWriter({ database, durable, clock }),
    async claim(ref, intent): Promise<Claim> {
      const leave = await turns.enter(`${ref.bucket}/${ref.key}`);
      try {
        await durable(() => applyIntent(database, ref, intent));
      } catch (error) {
        leave();
        throw error;
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
