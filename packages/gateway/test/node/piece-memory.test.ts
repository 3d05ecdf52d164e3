import { expect, it } from "vitest";
import { LEAST_BYTES, type Pace, pieceMemory, SHARED_BYTES } from "../../src/node/piece-memory.ts";

const KB = 1024;
const MB = 1024 * KB;
const FAST = 1e9;

const pace = (sent: number, perSecond = FAST, left = 1024 * MB): Pace => ({ sent, left, perSecond });

it("gives large pieces to whoever has taken much, and fast", () => {
  const memory = pieceMemory();
  const sizeOf = (at: Pace): number => {
    const piece = memory.take(at);
    memory.give(piece, { reusable: true });
    return piece.length;
  };
  expect([0, MB, 2 * MB, 4 * MB, 8 * MB, 1e12].map((sent) => sizeOf(pace(sent)))).toEqual([
    512 * KB,
    512 * KB,
    512 * KB,
    MB,
    2 * MB,
    2 * MB,
  ]);
  // A tenth of a second of it.
  expect([20e6, 6e6, 1e6, 1000, 0].map((perSecond) => sizeOf(pace(64 * MB, perSecond)))).toEqual([
    MB,
    512 * KB,
    LEAST_BYTES,
    LEAST_BYTES,
    LEAST_BYTES,
  ]);
  // No more than is to come.
  expect([1, 100 * KB, 300 * KB].map((left) => sizeOf(pace(64 * MB, FAST, left)))).toEqual([
    LEAST_BYTES,
    128 * KB,
    512 * KB,
  ]);
  expect(memory.lent).toBe(0);
});

it("lends no more than is shared, whoever asks, and the least to everyone else", () => {
  const memory = pieceMemory();
  const pieces = Array.from({ length: 5000 }, () => memory.take(pace(64 * MB)));
  expect(pieces[0]?.length).toBe(2 * MB);
  expect(pieces.at(-1)?.length).toBe(LEAST_BYTES);
  expect(memory.lent).toBeGreaterThan(SHARED_BYTES * 0.9);
  expect(memory.lent).toBeLessThanOrEqual(SHARED_BYTES);
  // Of a connection that was cut, too.
  for (const [at, piece] of pieces.entries()) memory.give(piece, { reusable: at % 2 === 0 });
  expect(memory.lent).toBe(0);
  expect(memory.take(pace(64 * MB)).length).toBe(2 * MB);
});

it("gives nobody what somebody may still look at", () => {
  const memory = pieceMemory();
  const cut = memory.take(pace(0));
  memory.give(cut, { reusable: false });
  const next = memory.take(pace(0));
  expect(next).not.toBe(cut);
  memory.give(next, { reusable: true });
  expect(memory.take(pace(0))).toBe(next);
});
