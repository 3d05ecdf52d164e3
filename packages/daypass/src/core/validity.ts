import { type DaypassError, invalidInput, refusal } from "./errors.ts";
import { type Instant, instantText } from "./time.ts";

/**
 * Whole seconds since 1970 as an instant, or `undefined` for any other spelling: `1e99`, ` 1`, `0x1` and the empty text are
 * numbers for `Number`. Eleven digits last until the year 5138.
 */
export function parseEpoch(text: string): Date | undefined {
  return /^(?:0|[1-9][0-9]{0,10})$/.test(text) ? new Date(Number(text) * 1000) : undefined;
}

/** The refusal that the time alone gives, if any. Written so that an invalid clock refuses; the instants are valid. */
export function checkValidity(
  now: number,
  expiresAt: Instant,
  startsAt: Instant = 0,
  skew = 0,
): DaypassError | undefined {
  if (!(now >= Number(startsAt) - skew * 1000)) {
    return refusal("NOT_YET_VALID", `a URL that has begun, found ${instantText(startsAt)}: check both clocks`);
  }
  if (now < Number(expiresAt)) return undefined;
  const ended = instantText(expiresAt);
  return refusal("EXPIRED", `a URL that is valid, found one that ended at ${ended}`, { expiresAt: ended });
}

/** Refuses a URL that lives longer than a verifier lets it: its scheme has no maximum of its own. */
export function checkRemaining(now: number, expiresAt: Instant, maxLife: number | undefined): void {
  if (maxLife === undefined || Number(expiresAt) - now <= maxLife * 1000) return;
  const ended = instantText(expiresAt);
  throw refusal("KEY_SCOPE", `a URL that ends within ${maxLife} s, found ${ended}`, {
    expiresAt: ended,
    maximum: maxLife,
  });
}

/** Checks the option that {@link checkRemaining} reads. */
export function checkMaxLife(maxLife: number | undefined): void {
  if (maxLife !== undefined && !(maxLife > 0)) throw invalidInput("maxLife", "seconds above 0", maxLife);
}
