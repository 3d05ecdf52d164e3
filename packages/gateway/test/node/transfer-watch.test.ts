import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { transferWatch } from "../../src/node/transfer-watch.ts";

const RATE = { bytesPerSecond: 100, windowMs: 1000 };
let now = 0;

beforeEach(() => {
  now = 0;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One transfer under watch. It waits for its client until told that it is the storage that it waits for. */
function watched() {
  const state = { bytes: 0, awaitsClient: true, cuts: 0 };
  const { watch } = transferWatch(RATE, () => now);
  const stop = watch({
    bytes: () => state.bytes,
    awaitsClient: () => state.awaitsClient,
    cut: () => {
      state.cuts += 1;
    },
  });
  const pass = (milliseconds: number): void => {
    for (let past = 0; past < milliseconds; past += 50) {
      now += 50;
      vi.advanceTimersByTime(50);
    }
  };
  return { state, pass, stop, watch };
}

it("cuts a client that takes less than it has to, and not before a whole window has passed", () => {
  const { state, pass } = watched();
  state.bytes = 99;
  pass(950);
  expect(state.cuts).toBe(0);
  pass(50);
  expect(state.cuts).toBe(1);
});

it("does not cut a client that takes what it has to", () => {
  const { state, pass } = watched();
  for (let seconds = 0; seconds < 5; seconds++) {
    state.bytes += 100;
    pass(1000);
  }
  expect(state.cuts).toBe(0);
});

it("does not cut a fast client because the storage is slow", () => {
  const { state, pass } = watched();
  state.awaitsClient = false;
  pass(10_000);
  expect(state.cuts).toBe(0);
  // What the storage has used up is not taken off the client's time.
  state.awaitsClient = true;
  pass(950);
  expect(state.cuts).toBe(0);
  pass(250);
  expect(state.cuts).toBe(1);
});

it("gives a client whose kernel says nothing a second window, in which it is seen what reaches it", async () => {
  const state = { reached: 0 as number | undefined, cuts: 0 };
  const { watch } = transferWatch(RATE, () => now);
  const cut = (): void => {
    state.cuts += 1;
  };
  watch({ bytes: () => 5000, awaitsClient: () => true, reached: async () => state.reached, cut });
  const pass = async (reached: number | undefined): Promise<void> => {
    state.reached = reached;
    now += RATE.windowMs;
    vi.advanceTimersByTime(RATE.windowMs / 4);
    await Promise.resolve();
    await Promise.resolve();
  };
  for (let reached = 0; reached <= 500; reached += 100) await pass(reached);
  expect(state.cuts).toBe(0);
  await pass(599);
  expect(state.cuts).toBe(1);
  // Where the system does not tell, what the kernel takes has to do.
  await pass(undefined);
  expect(state.cuts).toBe(2);
});

it("suspects nobody any more whose kernel takes more while it is asked", async () => {
  const state = { bytes: 5000, cuts: 0 };
  const { watch } = transferWatch(RATE, () => now);
  watch({
    bytes: () => state.bytes,
    awaitsClient: () => true,
    reached: async () => {
      const reached = state.bytes - 1000;
      if (now === RATE.windowMs) state.bytes += 3000;
      return now === RATE.windowMs ? state.bytes : reached;
    },
    cut: () => {
      state.cuts += 1;
    },
  });
  const pass = async (): Promise<void> => {
    now += RATE.windowMs;
    vi.advanceTimersByTime(RATE.windowMs / 4);
    await Promise.resolve();
    await Promise.resolve();
  };
  // What it said at first, 8000, counted 3000 that had not reached anybody. Behind them are 7000.
  for (let windows = 0; windows < 2; windows++) await pass();
  expect(state.cuts).toBe(0);
  await pass();
  expect(state.cuts).toBe(1);
});

it("gives a client its second window from the answer of the kernel, however late that comes", async () => {
  let cuts = 0;
  let answer = (_reached: number): void => {};
  const { watch } = transferWatch(RATE, () => now);
  watch({
    bytes: () => 5000,
    awaitsClient: () => true,
    reached: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    cut: () => {
      cuts += 1;
    },
  });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let past = 0; past < milliseconds; past += 50) {
      now += 50;
      vi.advanceTimersByTime(50);
      await Promise.resolve();
    }
  };
  const tell = async (reached: number): Promise<void> => {
    answer(reached);
    for (let i = 0; i < 3; i++) await Promise.resolve();
  };
  // Twice of what it has to take: 10 bytes in the 50 ms before the next look.
  await pass(1950);
  await tell(1000);
  await pass(50);
  await tell(1010);
  expect(cuts).toBe(0);
  await pass(1150);
  await tell(1099);
  expect(cuts).toBe(1);
});

it("has no say about a transfer that is over", () => {
  const { state, pass, stop } = watched();
  stop();
  pass(10_000);
  expect(state.cuts).toBe(0);
});

it("has no timer of its own while nothing is under way", () => {
  const before = vi.getTimerCount();
  const { pass, stop } = watched();
  expect(vi.getTimerCount()).toBe(before + 1);
  stop();
  pass(RATE.windowMs);
  expect(vi.getTimerCount()).toBe(before);
});

it("watches on when all transfers were over for a while", () => {
  const { pass, stop, watch } = watched();
  stop();
  pass(5000);
  let cuts = 0;
  watch({
    bytes: () => 0,
    awaitsClient: () => true,
    cut: () => {
      cuts += 1;
    },
  });
  pass(1000);
  expect(cuts).toBe(1);
});
