/** Joins what arrives while the last commit runs. No timer: a single item starts at once. */
import { performance } from "node:perf_hooks";
import { StateUnavailable } from "../contract/unavailable.ts";
import { DEADLINE_MS } from "./transaction.ts";

/** How many items one commit carries at most. */
const MOST = 1000;

interface Waiting<Item, Result> {
  readonly item: Item;
  /** After this, by `performance.now()`, the client has been refused. */
  readonly deadline: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs a batch until `deadline`, and returns the results in the order of its items. */
export type RunBatch<Item, Result> = (items: readonly Item[], deadline: number) => Promise<readonly Result[]>;

/** Returns a function that adds one item. If a batch fails by other reasons than a database that is away, its items run alone. */
export function joined<Item, Result>(run: RunBatch<Item, Result>): (item: Item) => Promise<Result> {
  const queue: Waiting<Item, Result>[] = [];
  let isRunning = false;

  async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const items = batch.map(({ item }) => item);
    try {
      const results = await run(items, Math.min(...batch.map(({ deadline }) => deadline)));
      for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result);
    } catch (error) {
      if (batch.length > 1 && !(error instanceof StateUnavailable)) for (const one of batch) await runBatch([one]);
      else for (const { reject } of batch) reject(error);
    }
  }

  async function drain(): Promise<void> {
    isRunning = true;
    while (queue.length > 0) {
      const batch = queue.splice(0, MOST);
      const now = performance.now();
      // The client of an overdue item was refused, so nothing may be counted for it.
      for (const { deadline, reject } of batch) {
        if (now >= deadline) reject(new StateUnavailable("the database does not answer"));
      }
      const inTime = batch.filter(({ deadline }) => now < deadline);
      if (inTime.length > 0) await runBatch(inTime);
    }
    isRunning = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, deadline: performance.now() + DEADLINE_MS, resolve, reject });
      if (!isRunning) void drain();
    });
}
