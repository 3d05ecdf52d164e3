import type { Clock } from "daypass";

/**
 * A clock that never goes backwards: if the clock below it does, time stops at the latest instant that was seen.
 * Otherwise, expired URLs would become valid again on a machine whose clock is set back.
 *
 * Remembers nothing over a restart.
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
export function steadyClock(clock: Clock): Clock {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock();
    if (now.getTime() >= last) {
      last = now.getTime();
      return now;
    }
    // Also for a clock that returns invalid dates. Without any valid date, the result is invalid, and refuses every request.
    return new Date(last);
  };
}
