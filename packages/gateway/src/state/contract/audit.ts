/**
 * Records of the audit. Pure functions, so that every engine writes the same text. An engine stores the text of a record in the transaction of its
 * decision, and numbers it. docs/spec/audit.md is the specification of records.
 * @module
 */
import type { Millis } from "./deliveries.ts";
import { type AuditAction, auditActions } from "./events.ts";

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

/** Whether an action is recorded. */
export function isAudited({ action }: AuditEntry): boolean {
  return auditActions[action].isRecorded;
}

/** The text of a record: JSON in one line. Its UTF-8 bytes are what trees and receipts hash. `salt` is 16 random bytes, base64url. */
export function recordText(entry: AuditEntry, at: Millis, salt: string): string {
  const { action, by, result, link, recipient, delivery, subject, target, bytes, address, detail } = entry;
  const time = new Date(at).toISOString();
  // In this order, and without a spread: it runs for every claim.
  // biome-ignore format: one line
  return JSON.stringify({ time, action, by, result, link, recipient, delivery, subject, target, bytes, address, detail, salt });
}
