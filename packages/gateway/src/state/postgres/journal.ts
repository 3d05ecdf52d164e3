/** Records and notifications of a transaction, stored with its decisions. */

import { randomBytes } from "node:crypto";
import { type AuditEntry, isAudited, recordText } from "../contract/audit.ts";
import type { CommitChain, CommitMac } from "../contract/commit-mac.ts";
import type { Millis } from "../contract/deliveries.ts";
import type { EntryLimits } from "../contract/entry-limits.ts";
import { announcingHour, notificationOf } from "../contract/events.ts";
import { toLink } from "../contract/fields.ts";
import type { OutboxMethods } from "../contract/outbox.ts";
import { notificationsFor } from "../contract/outbox.ts";
import type { AuditMethods } from "../contract/records.ts";
import { toHead, toNotification, toRecord, toWebhook, webhookRow } from "../contract/rows.ts";
import { rowValues } from "../contract/tables.ts";
import type { Database, Once, Run } from "./transaction.ts";

const SALT = 16;

/** What a transaction records. */
export interface Journal {
  readonly entries: readonly AuditEntry[];
  readonly writer: string;
  readonly at: Millis;
  readonly limits: EntryLimits;
  readonly chain: CommitChain;
}

/** The records of a transaction. */
export interface Flushed {
  /** Settles when they are stored. The commit may be sent before. */
  readonly stored: Promise<unknown>;
  /** Absent if they have no MAC. */
  readonly commit?: Omit<CommitMac, "writer"> | undefined;
}

/** Stores the entries of a transaction, whose MAC needs their numbers. The writer's counter stays locked until the commit. */
export async function flushJournal(run: Run, { entries: given, writer, at, limits, chain }: Journal): Promise<Flushed> {
  const entries = given.flatMap((entry) => limits.toRecord(entry, at) ?? []);
  const queued = await notificationsOf(run, { entries, at });
  const salts = randomBytes(SALT * entries.length);
  const records = entries
    .filter(isAudited)
    .map((entry, i) => recordText(entry, at, salts.toString("base64url", i * SALT, (i + 1) * SALT)));
  // Webhooks are locked before the counter, as their removal does.
  const [, [counted], [latest]] = await Promise.all([
    queued.length === 0 ? [] : run("queue", JSON.stringify(queued), at),
    records.length === 0 ? [] : run("countRecords", writer, records.length),
    records.length === 0 ? [] : run("latestMac", writer),
  ]);
  if (counted === undefined) return { stored: Promise.resolve() };
  const { last } = counted;
  const mac = chain.macOf(last - records.length + 1, records, () => latest?.mac);
  const stored = run("addRecords", writer, last, mac ?? null, records);
  return { stored, commit: mac === undefined ? undefined : { last, mac } };
}

async function notificationsOf(run: Run, { entries, at }: Pick<Journal, "entries" | "at">): Promise<readonly object[]> {
  const announced = entries.flatMap((entry) => {
    const type = notificationOf(entry);
    return type === undefined || entry.link === undefined ? [] : [{ entry, type, id: entry.link }];
  });
  if (announced.length === 0) return [];
  const [rows] = await run("announced", [...new Set(announced.map(({ id }) => id))]);
  const webhooks = (rows.webhooks ?? []).map(toWebhook);
  const links = new Map((rows.links ?? []).map((row) => [row.id, toLink(row)]));
  const queued: object[] = [];
  for (const { entry, type, id } of announced) {
    const link = links.get(id);
    const heard = link === undefined ? [] : notificationsFor(webhooks, link, { type, entry, at });
    const hour = announcingHour(type, at);
    if (heard.length === 0 || (hour !== undefined && (await run("announce", id, type, hour)).length === 0)) continue;
    const message = (): string => `msg_${randomBytes(SALT).toString("hex")}`;
    queued.push(...heard.map((one) => ({ ...one, message: message(), created_at: at })));
  }
  return queued;
}

/** The methods of the contract for the audit. */
export function auditMethods(db: Database, once: Once, chain: CommitChain): AuditMethods {
  return {
    record: (entry) => once(async ({ append }) => append(entry)),
    async auditWriters() {
      const rows = await db.read("writers");
      return rows.map(({ writer, last, has_ended, head }) => ({
        writer,
        last: chain.lastOf(writer, last),
        hasEnded: has_ended ?? undefined,
        head: head === null ? undefined : toHead(head),
      }));
    },
    auditRecords: async ({ writer, after, limit }) =>
      (await db.read("recordsAfter", writer, after, limit)).map(toRecord),
    async auditHeads({ writer, after, limit }) {
      const rows = await db.read("headsAfter", writer, after, limit);
      return rows.map((row) => ({ ...toHead(row), leaves: row.leaves }));
    },
    addHead: (head) =>
      once(async ({ run }) => {
        // Two processes may sign for a writer that has ended.
        await run("lockWriter", head.writer);
        return (await run("addHead", ...rowValues("audit_head", head))).length > 0;
      }),
    cutAudit: (writer, last, by) =>
      once(async ({ run, append }) => {
        await Promise.all([run("removeRecords", writer, last), run("removeHeads", writer, last)]);
        append({ action: "audit.cut", by, result: "ok", subject: writer, detail: String(last) });
      }),
  };
}

/** The methods of the contract for webhooks and the outbox. */
export function outboxMethods(db: Database, once: Once): OutboxMethods {
  return {
    addWebhook: (webhook, by) =>
      once(async ({ run, append }) => {
        await run("addWebhook", ...rowValues("webhook", webhookRow(webhook)));
        const { id, link, events } = webhook;
        append({ action: "webhook.created", by, result: "ok", subject: id, link, detail: events.join(" ") });
      }),
    removeWebhook: (id, by) =>
      once(async ({ run, append }) => {
        if ((await run("removeWebhook", id)).length === 0) return false;
        append({ action: "webhook.removed", by, result: "ok", subject: id });
        return true;
      }),
    listWebhooks: async () => (await db.read("webhooks")).map(toWebhook),
    takeNotifications: (limit, leaseMs, { each, sending } = { each: limit, sending: {} }) =>
      db.transaction(async ({ run }) => {
        const at = db.now();
        const lines = await run("takeLines", at, at + leaseMs, limit, each, JSON.stringify(sending));
        if (lines.length === 0) return [];
        // A separate statement: the one before may have waited for the end of another notification of a line.
        const columns = [lines.map(({ webhook }) => webhook), lines.map(({ link }) => link)] as const;
        return (await run("firstOfLines", ...columns)).map(toNotification);
      }),
    settleNotification: (id, outcome) =>
      once(async ({ run }) => {
        const at = db.now();
        const retryInMs = outcome.sent ? undefined : outcome.retryInMs;
        const deadAt = retryInMs === undefined ? at : null;
        const [line] = await (outcome.sent
          ? run("removeNotification", id)
          : run("failNotification", deadAt, outcome.error, id));
        if (line === undefined) return;
        await run("delayLine", at + (retryInMs ?? 0), line.webhook, line.link);
        await run("endLine", line.webhook, line.link);
      }),
    listDeadLetters: async (after, limit) => (await db.read("deadLetters", after, limit)).map(toNotification),
    resendDeadLetters: (which) =>
      once(async ({ run }) => {
        const id = "id" in which ? which.id : null;
        const webhook = "id" in which ? null : which.webhook;
        return (await run("revive", db.now(), id, webhook)).length;
      }),
    outboxDepth: async () => (await db.read("outboxDepth"))[0],
  };
}
