/** Attempts to guess in SQLite. */

import type { FailureCounts } from "../contract/attempts.ts";
import { scheduleAttempt } from "../contract/attempts.ts";
import { optional } from "../contract/rows.ts";
import type { State } from "../contract/state.ts";
import { rowValues } from "../contract/tables.ts";
import type { Engine } from "./engine.ts";

/** The methods of the engine that count failures. */
export function failureMethods({
  first,
  count,
  run,
  commit,
  now,
}: Engine): Pick<State, "recordFailure" | "forgetFailure"> {
  function failures(address: string, link: string, windowMs: number): FailureCounts {
    const since = now() - windowMs;
    const byLink = first("failuresByLink", link, since);
    return {
      byAddress: count("failuresByAddress", address, since),
      byLink: Number(byLink?.n),
      lastByLink: optional(byLink?.last),
    };
  }

  return {
    recordFailure: ({ address, link, windowMs, most }) =>
      commit(() => {
        const counts = failures(address, link, windowMs);
        const waiting = count("waitingFailures", address, link, now());
        const at = scheduleAttempt({ link, most, counts, waiting, now: now() });
        if (at === undefined) return counts;
        run("addFailure", ...rowValues("failure", { at, address, link }));
        return { ...failures(address, link, windowMs), at };
      }),
    forgetFailure: ({ address, link, at }) => commit(() => void run("forgetFailure", address, link, at)),
  };
}
