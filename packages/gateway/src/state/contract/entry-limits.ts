/** Limits on the records and notifications that clients can cause by requests that are refused. */
import type { AuditEntry } from "./audit.ts";
import type { Millis } from "./deliveries.ts";
import { hourlyTypes, type NotificationType, notificationOf } from "./events.ts";

/** Refusals of one link that are recorded in a minute: a client must not fill the disk with them. */
const REFUSALS = 60;
const MINUTE: Millis = 60_000;

const HOUR: Millis = 60 * MINUTE;

/** Limits what clients can cause by requests that are refused. */
export interface EntryLimits {
  /** Drops refusals above the limit of a minute. The first one of the next minute says how many were dropped. */
  toRecord(entry: AuditEntry, at: Millis): AuditEntry | undefined;
  /** The kind of notification that an entry causes. Some are announced once an hour for a link. */
  toAnnounce(entry: AuditEntry, at: Millis): NotificationType | undefined;
}

/** New limits, for the life of an engine. */
export function entryLimits(): EntryLimits {
  let minute = 0;
  let counts = new Map<string, number>();
  let before = counts;
  let hour = 0;
  const announced = new Set<string>();
  return {
    toRecord(entry, at) {
      if (entry.result === "ok" || entry.action === "delivery.failed") return entry;
      const now = Math.floor(at / MINUTE);
      if (now !== minute) [minute, before, counts] = [now, counts, new Map()];
      const key = entry.link ?? entry.subject ?? entry.by;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count > REFUSALS) return undefined;
      const dropped = count > 1 ? 0 : (before.get(key) ?? 0) - REFUSALS;
      return dropped <= 0 ? entry : { ...entry, detail: `${dropped} more were refused in a minute before` };
    },
    toAnnounce(entry, at) {
      const type = notificationOf(entry);
      if (type === undefined || !hourlyTypes.has(type)) return type;
      const now = Math.floor(at / HOUR);
      if (now !== hour) announced.clear();
      hour = now;
      const key = `${type} ${entry.link}`;
      if (announced.has(key)) return undefined;
      announced.add(key);
      return type;
    },
  };
}
