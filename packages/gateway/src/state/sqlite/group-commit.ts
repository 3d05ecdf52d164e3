import type { Database } from "../../sqlite.ts";

/** What a transaction of several does at its end. */
export interface CommitHooks {
  /** Runs in the transaction, after all work. */
  beforeCommit(): void;
  onRollback(): void;
}

/** Runs all work of one turn of the event loop in one transaction. Work that throws undoes nothing of its neighbours: they run again. */
export function grouped(
  db: Database,
  { beforeCommit, onRollback }: CommitHooks,
): { commit<T>(work: () => T): Promise<T>; close(): Promise<void> } {
  interface Waiting {
    readonly work: () => unknown;
    readonly resolve: (value: never) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let closed = false;
  const runAll = (batch: readonly Waiting[]): void => {
    const results: unknown[] = [];
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { work } of batch) results.push(work());
      beforeCommit();
      db.exec("COMMIT");
    } catch (error) {
      onRollback();
      try {
        db.exec("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself.
      }
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const one of batch) runAll([one]);
      return;
    }
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] as never);
  };
  return {
    commit: (work) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new Error("the state is closed"));
          return;
        }
        waiting.push({ work, resolve, reject });
        if (waiting.length > 1) return;
        setImmediate(() => {
          const batch = waiting;
          waiting = [];
          if (batch.length > 0) runAll(batch);
        });
      }),
    async close() {
      closed = true;
      const batch = waiting;
      waiting = [];
      if (batch.length > 0) runAll(batch);
      // The drop-in for old versions of Node closes a file only after its statements are collected. Until then it would stay locked.
      db.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema");
      db.close();
    },
  };
}
