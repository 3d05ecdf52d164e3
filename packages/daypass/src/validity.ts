import { type DaypassError, refusal } from "./errors.ts";

/**
 * Whole seconds since 1970 as an instant, or `undefined` for any other spelling: `1e99`, ` 1`, `0x1` and the empty text are
 * numbers for `Number`. Eleven digits last until the year 5138.
 */
export function parseEpoch(text: string): Date | undefined {
  return /^(?:0|[1-9][0-9]{0,10})$/.test(text) ? new Date(Number(text) * 1000) : undefined;
}

/** The refusal that the time alone gives, if any. Written so that an invalid clock refuses; the instants are valid. */
export function checkValidity(
  now: Date,
  expiresAt: Date,
  startsAt: Date = new Date(0),
  skew = 0,
): DaypassError | undefined {
  const nowMs = now.getTime();
  if (!(nowMs >= startsAt.getTime() - skew * 1000)) {
    return refusal("NOT_YET_VALID", `a URL that has begun, found ${startsAt.toISOString()}: check both clocks`);
  }
  if (nowMs < expiresAt.getTime()) return undefined;
  const ended = expiresAt.toISOString();
  return refusal("EXPIRED", `a URL that is still valid, found one that ended at ${ended}`, { expiresAt: ended });
}
