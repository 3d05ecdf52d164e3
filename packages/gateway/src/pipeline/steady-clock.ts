import type { Clock } from "daypass";

/** A clock that never goes backwards. */
export interface SteadyClock extends Clock {
  /** Milliseconds that it is ahead of the clock below it, because that was set back. `NaN` if that returns an invalid date. */
  lag(): number;
}

/**
 * A clock that never goes backwards: if the clock below it does, time stops at the latest instant that was seen.
 * Otherwise, expired URLs would become valid again on a machine whose clock is set back.
 *
 * Remembers nothing over a restart. A clock that is steady already is returned as it is.
 *
 * @example
 * ```ts
 * import { steadyClock } from "@daypass/gateway";
 *
 * const instants = [new Date("2026-01-02T03:04:05Z"), new Date("2026-01-02T03:00:00Z")];
 * const clock = steadyClock(() => instants.shift() ?? new Date());
 * console.log(clock().toISOString(), clock().toISOString()); // 2026-01-02T03:04:05.000Z twice
 * ```
 */
export function steadyClock(clock: Clock): SteadyClock {
  if ("lag" in clock) return clock as SteadyClock;
  let last = Number.NEGATIVE_INFINITY;
  const steady = (): Date => {
    const now = clock();
    if (now.getTime() >= last) {
      last = now.getTime();
      return now;
    }
    // Also for a clock that returns invalid dates. Without any valid date, the result is invalid, and refuses every request.
    return new Date(last);
  };
  return Object.assign(steady, { lag: () => steady().getTime() - clock().getTime() });
}
