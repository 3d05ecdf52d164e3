/**
 * The state of a gateway: where links, deliveries, revocations and uses live. {@link sqliteState} is the embedded engine; {@link serveState} and
 * {@link connectState} share it among processes.
 *
 * @module
 */

export type { CountedFailure, FailureCounts, RecordedFailure } from "./contract/attempts.ts";
export type { AuditEntry } from "./contract/audit.ts";
export type { CommitMac, MacOptions } from "./contract/commit-mac.ts";
export type { CountBatch, VariantUse } from "./contract/counts.ts";
export type {
  Applied,
  Attempt,
  Command,
  Covered,
  Delivery,
  DeliveryRefusal,
  DeliveryState,
  LinkWindow,
  Millis,
  Start,
  VariantCounters,
} from "./contract/deliveries.ts";
export { type AuditAction, defaultTypes, type NotificationType, notificationTypes } from "./contract/events.ts";
export type { Link, LinkChange, LinkKind, LinkResponse, LinkSettings, LinkTarget } from "./contract/fields.ts";
export type { KeyMethods, SealedKey } from "./contract/keys.ts";
export type { Notification, OutboxDepth, SendOutcome, TakeOptions, Webhook } from "./contract/outbox.ts";
export type { Page, PageRequest } from "./contract/page.ts";
export type { AnnouncedKey, AuditRange, AuditWriter, StoredHead, StoredRecord } from "./contract/records.ts";
export { type RevocationReader, revocationPages } from "./contract/revocation-pages.ts";
export type { Revocation, RevocationChange, RevocationPage, RevocationSelector } from "./contract/revocations.ts";
export type { BegunRun, FoundLink, State, StateCapabilities, Use, Variant, WholeLink } from "./contract/state.ts";
export type { AdminToken } from "./contract/tokens.ts";
export { StateUnavailable } from "./contract/unavailable.ts";
export { StateUnusable } from "./contract/unusable.ts";
export { measuredState, type StateCall } from "./measured.ts";
export { type MoveOptions, moveState } from "./move.ts";
export { type PostgresStateOptions, postgresState } from "./postgres/index.ts";
export type { SecretSeal } from "./postgres/secrets.ts";
export type { WriterClaim } from "./postgres/writers.ts";
export { type ConnectOptions, connectState, type StateServer, serveState } from "./remote.ts";
export { type SqliteStateOptions, sqliteState } from "./sqlite/index.ts";
