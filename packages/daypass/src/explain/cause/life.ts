import type { Cause } from "../explanation.ts";

/** The start and end that a URL states. */
export interface Times {
  readonly startsAt?: Date | undefined;
  readonly endsAt: Date | undefined;
}

interface Early {
  /** The fix for a URL that is not valid yet. */
  readonly fix?: string | undefined;
  /** Seconds before the start at which a server accepts the URL. */
  readonly grace?: number | undefined;
}

/** The URL has expired, or is not valid yet. */
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

/** It has expired. `signed` names it in the sentence. */
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

/** The earlier of two instants, or the only one. */
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
