import type { Variant } from "./search.ts";

/** Seconds for which URLs are made to live, from a minute to a year. */
export const USUAL_LIVES: readonly number[] = [
  60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 172_800, 259_200,
  432_000, 604_800, 2_592_000, 31_536_000,
];

/** What tells how long a URL lives, where it tells its beginning, too. */
interface Life<I> {
  /** The parameter, or what else it is called. */
  readonly name: string;
  /** As it stands in the URL; `undefined` where it is missing. */
  readonly now: string | undefined;
  /** As it would stand for a life of so many seconds. */
  ofLife(seconds: number): string;
  withLife(text: string): I;
  /** What has the life. */
  readonly signed?: string | undefined;
}

/** Other lives, each a usual one. */
export function* changedLives<I>({ name, now, ofLife, withLife, signed = "URL" }: Life<I>): Generator<Variant<I>> {
  if (now === undefined) return;
  for (const seconds of USUAL_LIVES) {
    const other = ofLife(seconds);
    if (other === now) continue;
    yield {
      code: "EXPIRES_CHANGED",
      input: withLife(other),
      signed: `${name} was changed after signing, from ${other} to ${now}.`,
      seen: `The server saw ${other} as ${name}, and the ${signed} says ${now}.`,
      fix: `The lifetime is signed: ask for a new ${signed} with the lifetime that you need.`,
    };
  }
}

/**
 * Other ends, in seconds since 1970 as this one is: whoever holds a URL would rather have it later. Where the URL does not tell
 * its beginning, whoever moves an end moves it by a usual life, or takes milliseconds for seconds.
 */
export function* movedEnds<I>(end: string, withEnd: (end: string) => I): Generator<Variant<I>> {
  if (!/^\d{9,13}$/.test(end)) return;
  const now = Number(end);
  const moved = USUAL_LIVES.flatMap((life) => [now - life, now + life]);
  for (const other of [Math.floor(now / 1000), now * 1000, ...moved]) {
    const text = `The end was changed after signing: it was ${other}, and is ${end}.`;
    const fix = "Pass the URL on as it was made; ask for a new one if it has to last longer.";
    yield { code: "EXPIRES_CHANGED", input: withEnd(String(other)), signed: text, seen: text, fix };
  }
}
