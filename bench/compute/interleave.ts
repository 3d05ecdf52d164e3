/** Something that does one unit of work a call. */
export interface Contender {
  readonly name: string;
  /** Called with a running number, so that no two calls in a row ask for the same. */
  readonly call: (turn: number) => unknown;
}

const ROUNDS = 60;
const BATCH_MS = 8;
const WARM_UP_MS = 250;

/**
 * Calls a second of each contender. They take turns in small batches, so that whatever else the machine does meets all of
 * them alike; and of the batches of one the fast ones count (the lower fifth), because noise only ever adds time.
 */
export async function interleave(contenders: readonly Contender[]): Promise<ReadonlyMap<string, number>> {
  const lanes = [];
  for (const { name, call } of contenders)
    lanes.push({ name, call, size: await batchSize(call), times: [] as number[] });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { call, size, times } of lanes) times.push((await timed(call, size)) / size);
  }
  return new Map(
    lanes.map(({ name, times }) => {
      times.sort((a, b) => a - b);
      return [name, 1000 / (times[Math.floor(times.length / 5)] ?? Number.NaN)];
    }),
  );
}

/** Warms a contender up and finds how many calls fill one batch. */
async function batchSize(call: Contender["call"]): Promise<number> {
  let size = 1;
  let spent = 0;
  for (;;) {
    const time = await timed(call, size);
    spent += time;
    if (time >= BATCH_MS && spent >= WARM_UP_MS) return Math.max(1, Math.round((size * BATCH_MS) / time));
    if (time < BATCH_MS) size *= 2;
  }
}

/** Milliseconds for this number of calls. Promises are awaited. */
async function timed(call: Contender["call"], count: number): Promise<number> {
  const start = performance.now();
  for (let turn = 0; turn < count; turn++) {
    const result = call(turn);
    if (result instanceof Promise) await result;
  }
  return performance.now() - start;
}
