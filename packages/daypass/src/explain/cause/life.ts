import type { Cause } from "../explanation.ts";

/** When a URL begins and ends, as it says itself. */
export interface Times {
  readonly startsAt?: Date | undefined;
  readonly endsAt: Date | undefined;
}

interface Early {
  /** What to do about one that has not begun. */
  readonly fix?: string | undefined;
  /** Seconds for which a server takes it before its beginning. */
  readonly grace?: number | undefined;
}

/** The time alone refuses it. */
export function lifeCause(
  { startsAt, endsAt }: Times,
  now: Date,
  { fix = "Wait, or set the signer's clock (NTP).", grace = 0 }: Early = {},
): Cause | undefined {
  const late = endCause(endsAt, now);
  if (late !== undefined || startsAt === undefined || now.getTime() >= startsAt.getTime() - grace * 1000) return late;
  const sentence = `The URL is not valid yet: it begins at ${startsAt.toISOString()}.`;
  return { code: "NOT_YET_VALID", sentence, evidence: [nowText(now)], fix };
}

/** It has ended. `signed` is what it is, for the sentence. */
export function endCause(
  endsAt: Date | undefined,
  now: Date,
  { signed = "URL", evidence = nowText(now) }: { readonly signed?: string; readonly evidence?: string } = {},
): Cause | undefined {
  if (endsAt === undefined || now < endsAt) return undefined;
  const sentence = `The ${signed} has expired: it was valid until ${endsAt.toISOString()}.`;
  return { code: "EXPIRED", sentence, evidence: [evidence], fix: `Ask for a new ${signed}.` };
}

function nowText(now: Date): string {
  return `now ${now.toISOString()}`;
}

/** The earlier of two ends, where there are two. */
export function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a !== undefined && b !== undefined && b < a ? b : (a ?? b);
}

/** Seconds in words, for sentences. */
export function duration(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [name, size] of units) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${name}${seconds === size ? "" : "s"}`;
  }
  return `${seconds} s`;
}
