/** Rows of a state in SQL, as the contract has them. Every engine names its columns alike. */
import type { Delivery, DeliveryState, LinkWindow } from "./deliveries.ts";
import type { NotificationType } from "./events.ts";
import type { Notification, Webhook } from "./outbox.ts";
import type { StoredHead, StoredRecord } from "./records.ts";
import type { Revocation, RevocationSelector } from "./revocations.ts";
import type { Variant } from "./state.ts";
import type {
  DeliveryRow,
  HeadRow,
  NotificationRow,
  RecordRow,
  RevocationRow,
  TokenRow,
  VariantRow,
  WebhookRow,
  WindowRow,
} from "./tables.ts";
import type { AdminToken } from "./tokens.ts";

/** NULL is `undefined` in the contract. */
export const optional = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

export function toWindow({ starts_at, expires_at, revoked_at, suspended }: WindowRow): LinkWindow {
  return {
    startsAt: starts_at,
    expiresAt: expires_at,
    revokedAt: optional(revoked_at),
    suspended: optional(suspended),
  };
}

export function toVariant(row: VariantRow): Variant {
  return {
    id: row.id,
    link: row.link,
    name: optional(row.name),
    max: optional(row.max),
    used: row.used,
    givenBack: row.given_back,
    maxBytes: optional(row.max_bytes),
    held: row.held,
    started: row.started,
    completed: row.completed,
  };
}

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    token: row.token,
    claim: row.claim,
    state: row.state as DeliveryState,
    claimedAt: row.claimed_at,
    address: row.address,
    startBy: row.start_by,
    leaseUntil: row.lease_until,
    etag: optional(row.etag),
    size: optional(row.size),
    held: row.held,
    covered: JSON.parse(row.covered),
    completedAt: optional(row.completed_at),
  };
}

export function toRevocation(row: RevocationRow): Revocation {
  return {
    id: row.id,
    revision: row.revision,
    selector: JSON.parse(row.selector) as RevocationSelector,
    reason: optional(row.reason),
    createdAt: row.created_at,
    until: optional(row.until),
    liftedAt: optional(row.lifted_at),
  };
}

export function toToken(row: TokenRow): AdminToken {
  const { id, hash, created_at: createdAt, revoked_at: revokedAt, document } = row;
  return {
    ...(JSON.parse(document) as Pick<AdminToken, "label" | "scopes">),
    id,
    hash,
    createdAt,
    revokedAt: optional(revokedAt),
  };
}

export function toRecord({ writer, sequence, record, mac }: RecordRow): StoredRecord {
  return { writer, sequence, record, mac: optional(mac) };
}

export function toHead({ writer, first, last, head, signature }: HeadRow): Omit<StoredHead, "leaves"> {
  return { writer, first, last, head, signature };
}

export function toWebhook({ id, url, events, owner, only_link, created_at: createdAt }: WebhookRow): Webhook {
  return { id, url, events: events.split(" ") as NotificationType[], owner, link: optional(only_link), createdAt };
}

export function toNotification(row: NotificationRow): Notification {
  const { id, message, webhook, url, link, body, failures, created_at: createdAt, error } = row;
  return { id, message, webhook, url, link, body, failures, createdAt, error: optional(error) };
}
