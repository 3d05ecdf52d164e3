/** The outbox of an engine: notifications that wait until their webhook has received them, and the webhooks. */
import type { AuditEntry } from "./audit.ts";
import type { Millis } from "./deliveries.ts";
import type { NotificationType } from "./events.ts";
import type { Link } from "./fields.ts";
import { targetText } from "./target-text.ts";

/** An address that receives notifications. Its secret is derived from its id, and stored nowhere. */
export interface Webhook {
  readonly id: string;
  /** `https:`, or `http:`. */
  readonly url: string;
  /** Never empty. */
  readonly events: readonly NotificationType[];
  /** The webhook hears of the links of this owner, and of all links if the owner is `operator`. */
  readonly owner: string;
  /** The only link of which it hears. */
  readonly link?: string | undefined;
  /** When it was made, milliseconds since 1970. */
  readonly createdAt: Millis;
}

/** A notification for one webhook. */
export interface Notification {
  /** Grows in the order of decisions about one link. */
  readonly id: number;
  /** The same for every attempt: receivers know a repetition by this. */
  readonly message: string;
  readonly webhook: string;
  readonly url: string;
  readonly link: string;
  /** JSON. */
  readonly body: string;
  /** How often sending failed. */
  readonly failures: number;
  /** When it was queued, milliseconds since 1970. */
  readonly createdAt: Millis;
  /** Why the last attempt failed. */
  readonly error?: string | undefined;
}

/** What became of an attempt to send. */
export type SendOutcome =
  | { readonly sent: true }
  /** Without `retryInMs` it becomes a dead letter, and the next one of its link is sent. */
  | { readonly sent: false; readonly error: string; readonly retryInMs?: number | undefined };

/** How many notifications a process sends to one webhook at once. */
export interface TakeOptions {
  /** By default, as many as in all. */
  readonly each: number;
  /** How many it sends already, by the id of the webhook. */
  readonly sending: Readonly<Record<string, number>>;
}

/** Notifications that wait, and dead letters. */
export interface OutboxDepth {
  /** Notifications that are due or wait for their next attempt. */
  readonly waiting: number;
  /** Notifications that were given up. */
  readonly dead: number;
}

/** The methods that keep webhooks and the outbox. */
export interface OutboxMethods {
  /** Stores a webhook. */
  addWebhook(webhook: Webhook, by: string): Promise<void>;
  /** Removes a webhook with its notifications; `false` if there was none. */
  removeWebhook(id: string, by: string): Promise<boolean>;
  /** All webhooks, oldest first. */
  listWebhooks(): Promise<readonly Webhook[]>;
  /**
   * Notifications that are due, oldest first, at most one for each webhook and link, so that a link's arrive in order. Others do not get them for
   * `leaseMs`. If more webhooks wait than `limit` allows, chance decides between them.
   */
  takeNotifications(limit: number, leaseMs: number, options?: TakeOptions): Promise<readonly Notification[]>;
  /** Removes a notification that was sent, delays it, or makes it a dead letter. */
  settleNotification(id: number, outcome: SendOutcome): Promise<void>;
  /** Dead letters, oldest first, with a higher id. */
  listDeadLetters(after: number, limit: number): Promise<readonly Notification[]>;
  /** Sends dead letters again: one, or all of a webhook. Returns how many. */
  resendDeadLetters(which: { readonly id: number } | { readonly webhook: string }): Promise<number>;
  /** Counts the outbox. */
  outboxDepth(): Promise<OutboxDepth>;
}

/** The fields of a link that records and notifications name. */
export interface NamedLink {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly targets?: Link["targets"];
  readonly label?: string | undefined;
}

/** The notifications that an entry causes: one for each webhook that hears of this event of the link. */
export function notificationsFor(
  webhooks: readonly Webhook[],
  link: NamedLink & { readonly owner: string },
  { type, entry, at }: { readonly type: NotificationType; readonly entry: AuditEntry; readonly at: Millis },
): readonly Pick<Notification, "webhook" | "link" | "body">[] {
  const heard = webhooks.filter(
    ({ events, owner, link: only }) =>
      events.includes(type) && ["operator", link.owner].includes(owner) && (only ?? link.id) === link.id,
  );
  if (heard.length === 0) return [];
  const body = notificationText(type, entry, { link, at });
  return heard.map(({ id }) => ({ webhook: id, link: link.id, body }));
}

/** The body of a notification, as Standard Webhooks proposes it. */
function notificationText(
  type: NotificationType,
  entry: AuditEntry,
  { link, at }: { readonly link: NamedLink; readonly at: Millis },
): string {
  const { recipient, delivery, bytes, address, result } = entry;
  const target = entry.target ?? targetText(link);
  const data = { link: link.id, label: link.label, target, recipient, delivery, bytes, address, result };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}
