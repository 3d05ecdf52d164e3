/** Rows of a state in SQL, as the contract has them. Every engine names its columns alike. */

import type { Delivery, DeliveryState, LinkWindow } from "./deliveries.ts";
import type { NotificationType } from "./events.ts";
import type { LinkKind } from "./fields.ts";
import type { Notification, Webhook } from "./outbox.ts";
import type { StoredHead, StoredRecord } from "./records.ts";
import type { Revocation, RevocationSelector } from "./revocations.ts";
import type { Variant } from "./state.ts";
import type { AdminToken } from "./tokens.ts";

/** The columns of every table. A row has the columns of its statement. */
export interface Row {
  readonly id: string;
  readonly slug: string | null;
  readonly owner: string;
  readonly kind: LinkKind;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string | null;
  readonly size: number | null;
  readonly starts_at: number;
  readonly expires_at: number;
  readonly revoked_at: number | null;
  readonly suspended: string | null;
  readonly settings: string;
  readonly version: number;
  readonly created_at: number;
  readonly link: string;
  readonly link_number: number;
  readonly name: string | null;
  readonly max: number | null;
  readonly used: number;
  readonly given_back: number;
  readonly max_bytes: number | null;
  readonly held: number;
  readonly started: number;
  readonly completed: number;
  readonly token: string;
  readonly variant: string;
  readonly claim: string;
  readonly state: string;
  readonly claimed_at: number;
  readonly address: string;
  readonly start_by: number;
  readonly lease_until: number;
  readonly covered: string;
  readonly completed_at: number | null;
  readonly reserved: number;
  readonly revision: number;
  readonly selector: string;
  readonly reason: string | null;
  readonly until: number | null;
  readonly lifted_at: number | null;
  readonly hash: string;
  readonly document: string;
  readonly value: number & Uint8Array;
  readonly n: number;
  readonly last: number | null;
  readonly writer: string;
  readonly sequence: number;
  readonly record: string;
  readonly mac: string | null;
  readonly first: number;
  readonly head: string;
  readonly signature: string;
  readonly leaves: string;
  readonly url: string;
  readonly events: string;
  readonly only_link: string | null;
  readonly message: string;
  readonly webhook: string;
  readonly body: string;
  readonly failures: number;
  readonly error: string | null;
  readonly waiting: number;
  readonly dead: number;
}

/** NULL is `undefined` in the contract. */
export const optional = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

export function toWindow({ starts_at, expires_at, revoked_at, suspended }: Row): LinkWindow {
  return {
    startsAt: starts_at,
    expiresAt: expires_at,
    revokedAt: optional(revoked_at),
    suspended: optional(suspended),
  };
}

export function toVariant(row: Row): Variant {
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

export function toDelivery(row: Row): Delivery {
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

export function toRevocation(row: Row): Revocation {
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

export function toToken(row: Row): AdminToken {
  const { id, hash, created_at: createdAt, revoked_at: revokedAt, document } = row;
  return {
    ...(JSON.parse(document) as Pick<AdminToken, "label" | "scopes">),
    id,
    hash,
    createdAt,
    revokedAt: optional(revokedAt),
  };
}

export function toRecord({ writer, sequence, record, mac }: Row): StoredRecord {
  return { writer, sequence, record, mac: optional(mac) };
}

export function toHead({ writer, first, last, head, signature }: Row): Omit<StoredHead, "leaves"> {
  return { writer, first, last: Number(last), head, signature };
}

export function toWebhook({ id, url, events, owner, only_link, created_at: createdAt }: Row): Webhook {
  return { id, url, events: events.split(" ") as NotificationType[], owner, link: optional(only_link), createdAt };
}

export function toNotification(row: Row): Notification {
  const { id, message, webhook, url, link, body, failures, created_at: createdAt, error } = row;
  return { id: Number(id), message, webhook, url, link, body, failures, createdAt, error: optional(error) };
}
