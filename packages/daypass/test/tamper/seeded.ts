/** Repeatable randomness: the same seed gives the same mutants on every machine. */
export interface Random {
  /** A whole number from 0 up to and without `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
}

/** Mulberry32: 32 bits of state are plenty for test data. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
  };
}

/** `DAYPASS_TAMPER_SEED`, or the committed seed. */
export const tamperSeed = Number(process.env["DAYPASS_TAMPER_SEED"] ?? 20_261_124);

// What the suites of the library make by default: s3 700,000, s3/v2 300,000, url 300,000 and 30,000, oss, oss/v1, cos and
// swift 60,000 each, cloudfront 30,000.
const TOTAL = 1_600_000;

/** How many tampered requests a suite makes: its own number, or its share of `DAYPASS_TAMPER_COUNT`. */
export function tamperCount(own: number): number {
  const asked = process.env["DAYPASS_TAMPER_COUNT"];
  return asked === undefined ? own : Math.ceil((Number(asked) * own) / TOTAL);
}
