import { type Database, isSqliteFull, unlock } from "../../sqlite/database.ts";
import { unchecked } from "../../unchecked.ts";
import { StateUnavailable } from "../contract/unavailable.ts";
import type { Reserve } from "./reserve.ts";

/** What a transaction of several does at its end. */
export interface CommitHooks {
  /** Runs in the transaction, after all work. */
  flush(): void;
  /** Runs after a rollback. */
  discard(): void;
  /** Runs as soon as the work is durable, before its callers continue. */
  committed(): void;
}

/** Transactions that share commits. */
export interface GroupCommit {
  /** Runs work, and resolves once it is on disk. Rejects with {@link StateUnavailable} if the disk is full. */
  commit<T>(work: () => T): Promise<T>;
  /** The same for work that takes rights away, and must succeed on a full disk: it may use the reserve. */
  commitRevocation<T>(work: () => T): Promise<T>;
  close(): Promise<void>;
}

/** Runs all work of one turn of the event loop in one transaction. Work that throws undoes nothing of its neighbours: they run again. */
export function grouped(db: Database, { flush, discard, committed }: CommitHooks, reserve: Reserve): GroupCommit {
  interface Waiting {
    readonly work: () => unknown;
    readonly mayUseReserve: boolean;
    readonly resolve: (value: never) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let closed = false;
  /** In its old space, which needs none of the disk. */
  const startLogAgain = (): void => {
    try {
      db.exec("PRAGMA wal_checkpoint");
    } catch {
      // The database has grown, and finds no space for that.
    }
  };
  const runAll = (batch: readonly Waiting[], { isRetry = false } = {}): void => {
    const results: unknown[] = [];
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { work } of batch) results.push(work());
      flush();
      db.exec("COMMIT");
    } catch (error) {
      discard();
      try {
        db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself.
      }
      reserve.note(error);
      const [first] = batch;
      if (batch.length > 1) for (const one of batch) runAll([one]);
      else if (first?.mayUseReserve === true && isSqliteFull(error) && (!isRetry || reserve.giveUp())) {
        startLogAgain();
        runAll(batch, { isRetry: true });
      } else first?.reject(isSqliteFull(error) ? new StateUnavailable("the disk of the state is full") : error);
      return;
    }
    committed();
    for (const [at, { resolve }] of batch.entries()) resolve(unchecked(results[at]));
  };
  const add = <T>(work: () => T, mayUseReserve: boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new Error("the state is closed"));
        return;
      }
      waiting.push({ work, mayUseReserve, resolve, reject });
      if (waiting.length > 1) return;
      setImmediate(() => {
        const batch = waiting;
        waiting = [];
        if (batch.length > 0) runAll(batch);
      });
    });
  return {
    commit: (work) => add(work, false),
    commitRevocation: (work) => add(work, true),
    async close() {
      closed = true;
      const batch = waiting;
      waiting = [];
      if (batch.length > 0) runAll(batch);
      try {
        unlock(db);
      } catch (error) {
        // On a full disk the log stays, and the next start reads it.
        if (!isSqliteFull(error)) throw error;
      } finally {
        db.close();
      }
    },
  };
}
