/** Limits on the records that clients can cause by requests that are refused. */
import type { AuditEntry } from "./audit.ts";
import type { Millis } from "./deliveries.ts";

/** Refusals of one link and client that are recorded in a minute: a client must not fill the disk with them. */
const OF_CLIENT = 60;
/** Refusals of all clients that are recorded in a minute: one may have many addresses. */
const IN_ALL = 6000;
const MINUTE: Millis = 60_000;

/** Limits what clients can cause by requests that are refused. */
export interface EntryLimits {
  /** Drops refusals above the limits of a minute. The next one in another minute says how many were dropped. */
  toRecord(entry: AuditEntry, at: Millis): AuditEntry | undefined;
}

/** New limits, for the life of an engine. */
export function entryLimits(): EntryLimits {
  let minute = 0;
  let recorded = 0;
  let dropped = 0;
  let counts = new Map<string, number>();
  return {
    toRecord(entry, at) {
      if (entry.result === "ok" || entry.action === "delivery.failed") return entry;
      const now = Math.floor(at / MINUTE);
      const missing = now === minute ? 0 : dropped;
      if (now !== minute) [minute, recorded, dropped, counts] = [now, 0, 0, new Map()];
      const key = `${entry.link ?? entry.subject ?? entry.by} ${entry.address}`;
      const count = counts.get(key) ?? 0;
      if (count === OF_CLIENT || recorded === IN_ALL) {
        dropped += 1;
        return undefined;
      }
      // Only a recorded refusal adds a key, so there are at most IN_ALL.
      counts.set(key, count + 1);
      recorded += 1;
      if (missing === 0) return entry;
      const detail = `${missing} more refusals before this minute were not recorded`;
      return { ...entry, detail: entry.detail === undefined ? detail : `${entry.detail}; ${detail}` };
    },
  };
}
