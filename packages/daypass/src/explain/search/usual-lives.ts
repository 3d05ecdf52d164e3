import type { Variant } from "./search.ts";

/** Usual lifetimes in seconds, from a minute to a year. */
export const USUAL_LIVES: readonly number[] = [
  60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 172_800, 259_200,
  432_000, 604_800, 2_592_000, 31_536_000,
];

/** The lifetime of a URL that also states its start. */
interface Life<I> {
  /** The name of the parameter or field. */
  readonly name: string;
  /** Its text in the URL; `undefined` if absent. */
  readonly now: string | undefined;
  /** The text for a lifetime in seconds. */
  ofLife(seconds: number): string;
  withLife(text: string): I;
  /** The thing that was signed, `"URL"` by default. */
  readonly signed?: string | undefined;
}

/** Other usual lifetimes. */
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
 * Other ends of a URL that does not state its start, in seconds since 1970. A holder moves the end by a usual lifetime; a signer
 * confuses milliseconds and seconds.
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
