import { type DaypassError, refusal } from "../../core/errors.ts";
import { instantText } from "../../core/time.ts";

/** `CLOCK_SKEW` for a request whose header says a time that is further from the clock than `maxSkew` seconds. */
export function checkSkew(signedAt: Date, now: number, maxSkew: number): DaypassError | undefined {
  const ahead = signedAt.getTime() - now;
  // Written so that an invalid date on either side refuses. The end is open, as that of every grant.
  if (ahead <= maxSkew * 1000 && ahead > -maxSkew * 1000) return undefined;
  const [requestTime, serverTime] = [signedAt.toISOString(), instantText(now)];
  return refusal(
    "CLOCK_SKEW",
    `a signing time within ${maxSkew} s of the clock, found ${requestTime} at ${serverTime}: check both clocks`,
    { requestTime, serverTime, maximum: maxSkew },
  );
}
