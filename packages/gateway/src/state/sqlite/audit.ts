/** Records, heads and the outbox in SQLite. One process owns the file, so it may know the webhooks by heart. */

import { randomBytes } from "node:crypto";
import { type AuditEntry, isAudited, recordText } from "../contract/audit.ts";
import type { CommitChain, CommitMac } from "../contract/commit-mac.ts";
import type { Millis } from "../contract/deliveries.ts";
import { entryLimits } from "../contract/entry-limits.ts";
import { announcingHour, type NotificationType, notificationOf } from "../contract/events.ts";
import { toLink } from "../contract/fields.ts";
import type { OutboxMethods } from "../contract/outbox.ts";
import { notificationsFor, type Webhook } from "../contract/outbox.ts";
import type { AuditMethods, AuditWriter } from "../contract/records.ts";
import { toHead, toNotification, toRecord, toWebhook, webhookRow } from "../contract/rows.ts";
import type { NotificationRow } from "../contract/tables.ts";
import { rowValues } from "../contract/tables.ts";
import type { Engine } from "./engine.ts";
import type { Queries } from "./query.ts";

/** What a transaction records. */
export interface Journal {
  /** Adds entries to the transaction in progress. */
  append(...entries: readonly AuditEntry[]): void;
  /** Stores the records of all transactions that share a commit. */
  flush(): void;
  /** Remembers the last one, because they are committed. */
  committed(): void;
  /** Drops them, because the commit failed. */
  discard(): void;
}

const SALT = 16;

/** Numbers records, and queues notifications. */
export function journalOf(
  { first, all, run }: Queries,
  { writer, chain, now }: { writer: string; chain: CommitChain; now(): Millis },
): Journal {
  let records: string[] = [];
  let flushed: Omit<CommitMac, "writer"> | undefined;
  let webhooks: readonly Webhook[] | undefined;
  let salts = Buffer.alloc(0);
  let used = 0;
  const { toRecord } = entryLimits();
  const salt = (): string => {
    if (used === salts.length) [salts, used] = [randomBytes(SALT * 256), 0];
    used += SALT;
    return salts.toString("base64url", used - SALT, used);
  };
  const announce = (entry: AuditEntry, type: NotificationType, at: Millis): void => {
    webhooks ??= all("webhooks").map(toWebhook);
    if (!webhooks.some(({ events }) => events.includes(type))) return;
    const row = first("link", entry.link ?? "");
    if (row === undefined) return;
    const queued = notificationsFor(webhooks, toLink(row), { type, entry, at });
    const hour = announcingHour(type, at);
    if (queued.length === 0 || (hour !== undefined && run("announce", row.id, type, hour) === 0)) return;
    for (const { webhook, link, body } of queued) {
      run("queue", `msg_${randomBytes(SALT).toString("hex")}`, webhook, link, body, at);
      run("addLine", webhook, link, at);
    }
  };
  return {
    append(...entries) {
      const at = now();
      for (const given of entries) {
        const entry = toRecord(given, at);
        if (entry === undefined) continue;
        if (isAudited(entry)) records.push(recordText(entry, at, salt()));
        if (entry.action.startsWith("webhook.")) webhooks = undefined;
        const type = notificationOf(entry);
        if (type !== undefined) announce(entry, type, at);
      }
    },
    flush() {
      if (records.length === 0) return;
      const last = Number(first("countRecords", writer, records.length)?.last);
      const begin = last - records.length + 1;
      const mac = chain.macOf(begin, records, () => first("latestMac", writer)?.mac);
      run("addRecords", writer, begin, records.length - 1, mac ?? null, JSON.stringify(records));
      flushed = mac === undefined ? undefined : { last, mac };
      records = [];
    },
    committed() {
      if (flushed !== undefined) chain.committed(flushed);
      flushed = undefined;
    },
    discard() {
      records = [];
      flushed = undefined;
      webhooks = undefined;
    },
  };
}

/** The methods of the contract for the audit. */
export function auditMethods({ first, all, run, append, commit }: Engine, chain: CommitChain): AuditMethods {
  return {
    record: (entry) => commit(() => append(entry)),
    auditWriters: () =>
      commit(() =>
        all("writers").map(({ writer, last }): AuditWriter => {
          const row = first("latestHead", writer);
          return { writer, last: chain.lastOf(writer, Number(last)), head: row && toHead(row) };
        }),
      ),
    auditRecords: ({ writer, after, limit }) => commit(() => all("recordsAfter", writer, after, limit).map(toRecord)),
    auditHeads: ({ writer, after, limit }) =>
      commit(() => all("headsAfter", writer, after, limit).map((row) => ({ ...toHead(row), leaves: row.leaves }))),
    addHead: (head) => commit(() => run("addHead", ...rowValues("audit_head", head), head.writer, head.first) > 0),
    cutAudit: (writer, last, by) =>
      commit(() => {
        run("removeRecords", writer, last);
        run("removeHeads", writer, last);
        append({ action: "audit.cut", by, result: "ok", subject: writer, detail: String(last) });
      }),
  };
}

/** The methods of the contract for webhooks and the outbox. */
export function outboxMethods({ first, all, run, append, commit, now }: Engine): OutboxMethods {
  return {
    addWebhook: (webhook, by) =>
      commit(() => {
        run("addWebhook", ...rowValues("webhook", webhookRow(webhook)));
        const { id, link, events } = webhook;
        append({ action: "webhook.created", by, result: "ok", subject: id, link, detail: events.join(" ") });
      }),
    removeWebhook: (id, by) =>
      commit(() => {
        if (run("removeWebhook", id) === 0) return false;
        append({ action: "webhook.removed", by, result: "ok", subject: id });
        return true;
      }),
    listWebhooks: () => commit(() => all("webhooks").map(toWebhook)),
    takeNotifications: (limit, leaseMs, { each, sending } = { each: limit, sending: {} }) =>
      commit(() => {
        const at = now();
        const taken: NotificationRow[] = [];
        for (const { id } of all("anyOrderOfWebhooks")) {
          const room = Math.min(each - (sending[id] ?? 0), limit - taken.length);
          // A negative LIMIT stands for no limit.
          if (room > 0) taken.push(...all("dueNotifications", id, at, room));
        }
        for (const { webhook, link } of taken) run("delayLine", at + leaseMs, webhook, link);
        return taken.sort((a, b) => a.id - b.id).map(toNotification);
      }),
    settleNotification: (id, outcome) =>
      commit(() => {
        const at = now();
        const retryInMs = outcome.sent ? undefined : outcome.retryInMs;
        const deadAt = retryInMs === undefined ? at : null;
        const line = outcome.sent
          ? first("removeNotification", id)
          : first("failNotification", deadAt, outcome.error, id);
        if (line === undefined) return;
        run("delayLine", at + (retryInMs ?? 0), line.webhook, line.link);
        run("endLine", line.webhook, line.link);
      }),
    listDeadLetters: (after, limit) => commit(() => all("deadLetters", after, limit).map(toNotification)),
    resendDeadLetters: (which) =>
      commit(() => {
        const id = "id" in which ? which.id : null;
        const webhook = "id" in which ? null : which.webhook;
        run("reviveLines", now(), id, webhook);
        return run("revive", id, webhook);
      }),
    outboxDepth: () =>
      commit(() => {
        const row = first("outboxDepth");
        return { waiting: Number(row?.waiting), dead: Number(row?.dead) };
      }),
  };
}
