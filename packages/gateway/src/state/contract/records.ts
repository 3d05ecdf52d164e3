/** What a state stores of the audit, and the methods that keep it. */
import type { AuditEntry } from "./audit.ts";

/** One record of the audit. */
export interface StoredRecord {
  /** The process whose state committed the record. */
  readonly writer: string;
  /** 1 for the first record of a writer, then without a gap, in the order of commits. */
  readonly sequence: number;
  /** As `recordText` wrote it. */
  readonly record: string;
  /** On the last record of a commit, its MAC: HMAC-SHA256, base64url. */
  readonly mac?: string | undefined;
}

/** A signed tree over the records `first` to `last` of a writer. The engine does not look into it. */
export interface StoredHead {
  readonly writer: string;
  /** Sequence of its first record. */
  readonly first: number;
  /** Sequence of its last record. */
  readonly last: number;
  /** What is signed: JSON. */
  readonly head: string;
  /** Ed25519, base64url. */
  readonly signature: string;
  /** The hashes of the records, one after another, base64url. Not signed: they only show which record differs. */
  readonly leaves: string;
}

/** One writer of records. */
export interface AuditWriter {
  readonly writer: string;
  /** The number of its last record, also if the database lost it since this process committed it; 0 before the first. */
  readonly last: number;
  /** Whether its process has not renewed its lease: other processes sign for it. Absent if it has no lease. */
  readonly hasEnded?: boolean | undefined;
  /** Its latest head, without leaves; absent before the first. */
  readonly head?: Omit<StoredHead, "leaves"> | undefined;
}

/** Selects rows of one writer, in order. */
export interface AuditRange {
  readonly writer: string;
  /** Rows with a higher number. */
  readonly after: number;
  /** Rows at most. */
  readonly limit: number;
}

/** The methods that keep the audit. */
export interface AuditMethods {
  /** Records an entry, or announces it, if no other method does: an admin call, a refusal, a view. */
  record(entry: AuditEntry): Promise<void>;
  /** All writers, by name. Every method that decides adds the records of its decision under the engine's own writer. */
  auditWriters(): Promise<readonly AuditWriter[]>;
  /** Records of a writer, by number. */
  auditRecords(range: AuditRange): Promise<readonly StoredRecord[]>;
  /** Heads of a writer with a higher `last`, by number. */
  auditHeads(range: AuditRange): Promise<readonly StoredHead[]>;
  /** Stores a head; `false` if a stored head of the writer covers one of its records, or a later one. */
  addHead(head: StoredHead): Promise<boolean>;
  /** Removes the records of a writer up to `last`, and all heads that end before it. Records the cut. */
  cutAudit(writer: string, last: number, by: string): Promise<void>;
  /** The public keys that may sign for the replicas, as `announceAuditKey` received them. */
  auditKeys?(): Promise<readonly string[]>;
  /** Adds a public key that may sign, and records that. `isFirst`: adds it only if there is none, and records nothing. */
  announceAuditKey?(key: AnnouncedKey, options: { readonly isFirst: boolean }): Promise<void>;
}

/** The record of an announced key. */
export const keyAnnounced = ({ id }: AnnouncedKey): AuditEntry => {
  return { action: "audit.rotated", by: "operator", result: "ok", subject: id };
};

/** A public key that may sign the audit. */
export interface AnnouncedKey {
  /** As heads name it. */
  readonly id: string;
  /** SPKI in PEM. */
  readonly publicKey: string;
}
