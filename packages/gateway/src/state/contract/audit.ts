/**
 * What is put on record, and what is announced. Pure functions, so that every engine writes the same text. An engine stores the text of a record in
 * the transaction of its decision, and numbers it. docs/spec/audit.md is the specification of records.
 * @module
 */
import type { Applied, Changes, Command, Delivery, Millis, Start } from "./deliveries.ts";

/** What was done, or asked for. */
export type AuditAction =
  | "link.created"
  | "link.edited"
  | "link.extended"
  | "link.revoked"
  | "link.restored"
  | "link.suspended"
  | "link.resumed"
  | "link.given-back"
  | "link.opened"
  | "link.read"
  | "link.viewed"
  | "link.expiring"
  | "proof.failed"
  | "delivery.claimed"
  | "delivery.started"
  | "delivery.continued"
  | "delivery.reserved"
  | "delivery.completed"
  | "delivery.failed"
  | "delivery.lapsed"
  | "delivery.ended"
  | "use.claimed"
  | "revocation.added"
  | "revocation.lifted"
  | "token.created"
  | "token.revoked"
  | "key.created"
  | "key.revoked"
  | "webhook.created"
  | "webhook.removed"
  | "admin.call"
  | "audit.cut"
  | "audit.accepted"
  | "state.restored";

/** Actions that are only announced: nothing is decided. */
const ANNOUNCED: ReadonlySet<AuditAction> = new Set(["link.viewed", "link.expiring", "proof.failed"] as const);

/** The kinds of notifications. */
export const notificationTypes = [
  "link.viewed",
  "link.limit_reached",
  "link.file_changed",
  "link.expiring",
  "proof.failed",
  "delivery.started",
  "delivery.completed",
  "delivery.failed",
] as const;

/** A kind of notification. */
export type NotificationType = (typeof notificationTypes)[number];

/** The fields of a link that records and notifications name. */
export interface NamedLink {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly label?: string | undefined;
}

/** The facts of a record. Never a signature, a password, a token or a claim key. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** `operator`, `token:<id>`, `key:<id>`, `holder` of a link, or `gateway`. */
  readonly by: string;
  /** `ok`, or why it was refused. */
  readonly result: string;
  /** The id of a link. */
  readonly link?: string | undefined;
  /** The name of the recipient. */
  readonly recipient?: string | undefined;
  /** SHA-256 of the token of a delivery, base64url. */
  readonly delivery?: string | undefined;
  /** The id of a grant, a revocation, an admin token, a key or a webhook. */
  readonly subject?: string | undefined;
  /** `bucket/key`. */
  readonly target?: string | undefined;
  /** Bytes that were reserved, or handed to the socket. */
  readonly bytes?: number | undefined;
  /** The network address of the client. */
  readonly address?: string | undefined;
  /** More, for people. */
  readonly detail?: string | undefined;
}

/** Whether an action is put on record. */
export function isAudited({ action }: AuditEntry): boolean {
  return !ANNOUNCED.has(action);
}

/** Refusals of one link that go on record in a minute: a client must not fill the disk with them. */
const REFUSALS = 60;
const MINUTE: Millis = 60_000;

const HOUR: Millis = 60 * MINUTE;
const HOURLY: ReadonlySet<NotificationType> = new Set(["link.limit_reached", "link.file_changed", "proof.failed"]);

/** Limits what clients can cause by requests that are refused. */
export interface EntryLimits {
  /** Drops refusals above the limit of a minute. The first one of the next minute says how many were dropped. */
  toRecord(entry: AuditEntry, at: Millis): AuditEntry | undefined;
  /** The kind of notification that an entry causes. {@link HOURLY} kinds are announced once an hour for a link. */
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
      if (type === undefined || !HOURLY.has(type)) return type;
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

/** The text of a record: JSON in one line. Its UTF-8 bytes are what trees and receipts hash. `salt` is 16 random bytes, base64url. */
export function recordText(entry: AuditEntry, at: Millis, salt: string): string {
  const { action, by, result, link, recipient, delivery, subject, target, bytes, address, detail } = entry;
  const time = new Date(at).toISOString();
  // In this order, and without a spread: it runs for every claim.
  // biome-ignore format: one line
  return JSON.stringify({ time, action, by, result, link, recipient, delivery, subject, target, bytes, address, detail, salt });
}

const LIMITS: ReadonlySet<string> = new Set(["used-up", "over-budget", "too-many-claims"]);

/** The kind of notification that an entry causes, if any. */
function notificationOf({ action, result }: AuditEntry): NotificationType | undefined {
  if (result === "ok") return notificationTypes.find((type) => type === action);
  if (!action.startsWith("delivery.") && action !== "link.opened") return undefined;
  if (LIMITS.has(result)) return "link.limit_reached";
  if (result === "changed") return "link.file_changed";
  return action === "delivery.failed" ? "delivery.failed" : undefined;
}

/** The body of a notification, as Standard Webhooks proposes it. */
export function notificationText(
  type: NotificationType,
  entry: AuditEntry,
  { link, at }: { readonly link: NamedLink; readonly at: Millis },
): string {
  const { recipient, delivery, bytes, address, result } = entry;
  const target = entry.target ?? `${link.bucket}/${link.key}`;
  const data = { link: link.id, label: link.label, target, recipient, delivery, bytes, address, result };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}

/** What one command decided: the entries of its transaction. */
export function decisionEntries(
  { variant, was, attempt }: Decided,
  command: Command,
  { deliveries, result }: Pick<Changes, "deliveries" | "result">,
): readonly AuditEntry[] {
  const { link, name: recipient } = variant;
  const entries: AuditEntry[] = [];
  for (const { state, token, address } of deliveries) {
    if (state !== "lapsed") continue;
    entries.push({ action: "delivery.lapsed", by: "gateway", result: "ok", link, recipient, delivery: token, address });
  }
  const decision = decisionOf(command, result, { was, attempt });
  if (decision === undefined) return entries;
  const delivery = result.ok ? result.delivery : was;
  entries.push({
    action: decision.action,
    by: "holder",
    result: decision.result,
    link,
    recipient,
    delivery: delivery?.token,
    target: startOf(command)?.target,
    bytes: decision.bytes,
    address: command.type === "claim" ? command.address : delivery?.address,
  });
  return entries;
}

/** The rows that a command found. */
export interface Decided {
  readonly variant: { readonly link: string; readonly name?: string | undefined };
  readonly was: Delivery | undefined;
  readonly attempt: { readonly reserved: number } | undefined;
}

function startOf(command: Command): Start | undefined {
  if (command.type === "claim") return command.start;
  return command.type === "start" ? command : undefined;
}

function decisionOf(
  command: Command,
  result: Applied,
  { was, attempt }: Pick<Decided, "was" | "attempt">,
): Pick<AuditEntry, "action" | "result" | "bytes"> | undefined {
  const ok = result.ok ? "ok" : result.reason;
  switch (command.type) {
    case "claim":
    case "start": {
      const start = startOf(command);
      if (start === undefined)
        return result.ok && !result.isNew ? undefined : { action: "delivery.claimed", result: ok };
      const action = was?.state === "started" ? "delivery.continued" : "delivery.started";
      return { action, result: ok, bytes: start.length };
    }
    case "reserve":
      return { action: "delivery.reserved", result: ok, bytes: command.bytes };
    case "alive":
      return undefined;
    case "settle": {
      if (!result.ok) return undefined;
      const bytes = command.sent;
      if (result.delivery.completedAt !== undefined && was?.completedAt === undefined) {
        return { action: "delivery.completed", result: ok, bytes };
      }
      return bytes < (attempt?.reserved ?? 0) && result.delivery.size !== undefined
        ? { action: "delivery.failed", result: "interrupted", bytes }
        : undefined;
    }
  }
}

/** What a change of a link is called. `undefined` in a change is no change. */
export function changeEntry(
  link: NamedLink & { readonly expiresAt: Millis },
  change: Readonly<Record<string, unknown>>,
  by: string,
): AuditEntry {
  const { revokedAt, suspended, expiresAt } = change;
  const names = Object.keys(change).filter((name) => change[name] !== undefined);
  const isExtended = names.length === 1 && typeof expiresAt === "number" && expiresAt > link.expiresAt;
  const action: AuditAction =
    revokedAt !== undefined
      ? ifSet(revokedAt, "link.revoked", "link.restored")
      : suspended !== undefined
        ? ifSet(suspended, "link.suspended", "link.resumed")
        : isExtended
          ? "link.extended"
          : "link.edited";
  return { action, by, result: "ok", link: link.id, target: `${link.bucket}/${link.key}`, detail: names.join(" ") };
}

function ifSet<T>(value: unknown, set: T, removed: T): T {
  return value === null ? removed : set;
}
