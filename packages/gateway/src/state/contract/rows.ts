/** Rows of a state in SQL, as the contract has them. Every engine names its columns alike. */
import type { Delivery, DeliveryState, LinkWindow, Millis } from "./deliveries.ts";
import type { NotificationType } from "./events.ts";
import type { Notification, Webhook } from "./outbox.ts";
import type { StoredHead, StoredRecord } from "./records.ts";
import { LOST_USES, type Revocation, type RevocationChange, type RevocationSelector } from "./revocations.ts";
import type { Variant } from "./state.ts";
import type {
  ChangeRow,
  DeliveryRow,
  HeadRow,
  NotificationRow,
  RecordRow,
  RevocationRow,
  Row,
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
    opened: optional(row.opened),
    downloaded: optional(row.downloaded),
    lastOpened: optional(row.last_opened),
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

/** The row of a delivery of a variant. */
export function deliveryRow(delivery: Delivery, variant: string): DeliveryRow {
  return {
    token: delivery.token,
    variant,
    claim: delivery.claim,
    state: delivery.state,
    claimed_at: delivery.claimedAt,
    address: delivery.address,
    start_by: delivery.startBy,
    lease_until: delivery.leaseUntil,
    etag: delivery.etag ?? null,
    size: delivery.size ?? null,
    held: delivery.held,
    covered: JSON.stringify(delivery.covered),
    completed_at: delivery.completedAt ?? null,
  };
}

/** The row of a variant. */
export function variantRow(variant: Variant, position: number): Row<"variant"> {
  return {
    id: variant.id,
    position,
    name: variant.name ?? null,
    max: variant.max ?? null,
    used: variant.used,
    given_back: variant.givenBack,
    max_bytes: variant.maxBytes ?? null,
    held: variant.held,
    started: variant.started,
    completed: variant.completed,
    opened: variant.opened ?? null,
    downloaded: variant.downloaded ?? null,
    last_opened: variant.lastOpened ?? null,
  };
}

/** A change of a revocation. */
export function toChange({ revision, selector, lifted_at }: ChangeRow): RevocationChange {
  return { revision, selector: JSON.parse(selector) as RevocationSelector, liftedAt: optional(lifted_at) };
}

/** A revocation. */
export function toRevocation(row: RevocationRow): Revocation {
  return {
    ...toChange(row),
    id: row.id,
    reason: optional(row.reason),
    createdAt: row.created_at,
    until: optional(row.until),
  };
}

/** The row of a revocation. */
export function revocationRow(revocation: Revocation): RevocationRow {
  return {
    id: revocation.id,
    revision: revocation.revision,
    selector: JSON.stringify(revocation.selector),
    reason: revocation.reason ?? null,
    created_at: revocation.createdAt,
    until: revocation.until ?? null,
    lifted_at: revocation.liftedAt ?? null,
  };
}

/** The row that refuses uses which a restored state may have lost. */
export function lostUsesRow(revision: number, restoredAt: Millis): RevocationRow {
  const selector = { kind: "uses-before", id: "restore" } as const;
  return revocationRow({ id: LOST_USES, revision, selector, createdAt: restoredAt });
}

/** The row of a token. */
export function tokenRow({ id, hash, createdAt, revokedAt, ...rest }: AdminToken): TokenRow {
  return { id, hash, document: JSON.stringify(rest), created_at: createdAt, revoked_at: revokedAt ?? null };
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

/** The row of a webhook. */
export function webhookRow({ id, url, events, owner, link, createdAt }: Webhook): WebhookRow {
  return { id, url, events: events.join(" "), owner, only_link: link ?? null, created_at: createdAt };
}

export function toNotification(row: NotificationRow): Notification {
  const { id, message, webhook, url, link, body, failures, created_at: createdAt, error } = row;
  return { id, message, webhook, url, link, body, failures, createdAt, error: optional(error) };
}
