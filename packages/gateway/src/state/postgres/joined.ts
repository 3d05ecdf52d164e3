/** Joins what arrives for one key while its last commit runs. No timer: a single item starts at once. */

/** How many items one commit carries at most. */
const MOST = 1000;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Returns a function that adds one item. `run` receives the items of one key, and returns their results in the same order. */
export function joined<Item, Result>(
  run: (key: string, items: readonly Item[]) => Promise<readonly Result[]>,
): (key: string, item: Item) => Promise<Result> {
  const queues = new Map<string, Waiting<Item, Result>[]>();
  const runBatch = async (key: string, batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    const results = await run(
      key,
      batch.map(({ item }) => item),
    );
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result);
  };
  const drain = async (key: string, queue: Waiting<Item, Result>[]): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.splice(0, MOST);
      await runBatch(key, batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error);
      });
    }
    queues.delete(key);
  };
  return (key, item) =>
    new Promise((resolve, reject) => {
      const waiting = queues.get(key) ?? [];
      waiting.push({ item, resolve, reject });
      if (queues.has(key)) return;
      queues.set(key, waiting);
      void drain(key, waiting);
    });
}
