/**
 * The contract of a state engine: where links, deliveries, revocations and uses live. Every method is one durable transaction, unless it says
 * that it is lazy. An engine's own clock decides; its readings are milliseconds since 1970.
 * @module
 */
import type { AuditEntry } from "./audit.ts";
import type { Applied, Command, Delivery, Millis, VariantCounters } from "./deliveries.ts";
import type { Link, LinkChange } from "./fields.ts";
import type { Notification, OutboxDepth, SendOutcome, Webhook } from "./outbox.ts";

/** The address of a link for one recipient. A link without recipients has one variant with the link's own id. */
export interface Variant extends VariantCounters {
  readonly id: string;
  readonly link: string;
  /** The recipient, as the owner named it. */
  readonly name?: string | undefined;
  /** Deliveries that ever started. */
  readonly started: number;
  /** Deliveries of which every byte was sent. */
  readonly completed: number;
}

/** A link with the variant that an address named. */
export interface FoundLink {
  readonly link: Link;
  readonly variant: Variant;
}

/** A link with all of its variants. */
export interface WholeLink {
  readonly link: Link;
  /** One for each recipient, in the order of `createLink`, or one for all; never empty. */
  readonly variants: readonly Variant[];
}

/** What a revocation refuses. */
export type RevocationSelector =
  | { readonly kind: "grant"; readonly id: string }
  /** `by`: the token that revoked its own link. Absent: the operator, whose revocation stays in force when the token lifts its own. */
  | { readonly kind: "link"; readonly id: string; readonly by?: string | undefined }
  | { readonly kind: "key"; readonly id: string }
  | { readonly kind: "subject"; readonly id: string }
  /** `bucket` or `bucket/prefix`, by bytes. */
  | { readonly kind: "prefix"; readonly id: string }
  /** Grants that the key signed before this instant. */
  | { readonly kind: "signed-before"; readonly id: string; readonly before: Millis }
  /** Visits of a link that were sealed before this instant: refuses none, but each is read from the state. */
  | { readonly kind: "visits-before"; readonly id: string; readonly before: Millis };

/** A rule that refuses a grant that was valid. */
export interface Revocation {
  /** Numbered in the order in which they were made, also when one is lifted. */
  readonly revision: number;
  readonly id: string;
  readonly selector: RevocationSelector;
  readonly reason?: string | undefined;
  /** When it was made, milliseconds since 1970. */
  readonly createdAt: Millis;
  /** When nothing that it refuses can be valid any longer: its row may be removed. */
  readonly until?: Millis | undefined;
  /** When it was lifted, milliseconds since 1970; absent while it is in force. */
  readonly liftedAt?: Millis | undefined;
}

/** A token of the admin API. */
export interface AdminToken {
  readonly id: string;
  readonly label?: string | undefined;
  /** SHA-256 of the token, base64url. Never the token. */
  readonly hash: string;
  /** What the token may do: `links:read`, `links:write`, `claims:write`, `keys:read`, `keys:write`, `audit:read`; empty: nothing. */
  readonly scopes: readonly string[];
  /** The buckets of its links and keys; absent: all, empty: none. */
  readonly buckets?: readonly string[] | undefined;
  readonly prefix?: string | undefined;
  /** When it was made, milliseconds since 1970. */
  readonly createdAt: Millis;
  /** When it was revoked, milliseconds since 1970. */
  readonly revokedAt?: Millis | undefined;
}

/** One page of a list, newest first. */
export interface Page<T> {
  /** Empty if nothing is left. */
  readonly items: readonly T[];
  /** Continues the list; absent at its end. */
  readonly next?: string | undefined;
}

/** Selects a page. */
export interface PageRequest {
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One use of a Daypass URL with `uses`. */
export interface Use {
  readonly kid: string;
  readonly grantId: string;
  /** How often the URL may be used. */
  readonly uses: number;
  /** When the URL expires: its row may be removed then. */
  readonly until: Millis;
}

/** What an engine declares. Callers decide by this, never by its name. */
export interface StateCapabilities {
  /** Several gateways on several machines may share it. */
  readonly sharedByReplicas: boolean;
}

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

/** The methods of a state engine. */
export interface State extends StateCapabilities {
  /** A secret that all processes of this state share, created at the first call. */
  secret(name: string): Promise<Uint8Array>;

  /**
   * Begins a new run. `seen` is what the last run returned, kept outside of the state. If the state does not know it, the state was restored from a
   * backup: deliveries may be missing, so counted links are suspended until their owners resume them.
   */
  beginRun(seen: string | undefined): Promise<{ readonly run: string; readonly suspended: number }>;

  /** Stores a link with its variants. With a repeated idempotency key it returns the first result. Rejects with `SlugTaken` if another link has the slug. */
  createLink(link: Link, variants: readonly Variant[], idempotencyKey?: string): Promise<FoundLink>;
  /** By the id of a variant, or by slug. */
  findLink(address: string): Promise<FoundLink | undefined>;
  /** By its own id, with all variants; `undefined` if there is none. */
  getLink(id: string): Promise<WholeLink | undefined>;
  /** Links of one owner, or of all, newest first, each with all of its variants. */
  listLinks(page: PageRequest & { readonly owner?: string | undefined }): Promise<Page<WholeLink>>;
  /** Changes a link if it still has this version; `undefined` if not. */
  updateLink(id: string, version: number, change: LinkChange, by: string): Promise<Link | undefined>;
  /** Revokes a link of any version, by `revocationOf`; `undefined` if there is none. */
  revokeLink(id: string, by: string): Promise<Link | undefined>;
  /** Allows further deliveries of a variant. */
  giveBack(variant: string, count: number, by: string): Promise<Variant | undefined>;

  /** Decides a command by `deliveries.ts`. `alive` and `settle` are lazy. A repeated claim or start has the result of the first. */
  deliver(variant: string, command: Command): Promise<Applied>;
  /** By the hash of its token. Does not check that it may go on. */
  findDelivery(token: string): Promise<(FoundLink & { readonly delivery: Delivery }) | undefined>;
  /** Deliveries of all variants of a link, newest first. */
  listDeliveries(link: string, page: PageRequest): Promise<Page<Delivery & { readonly variant: string }>>;

  /** Counts one use; `false` if all are used. */
  claimUse(use: Use): Promise<boolean>;

  /** Stores a revocation. The same selector again returns the first one, if it is not lifted. */
  revoke(revocation: Pick<Revocation, "id" | "selector" | "reason" | "until">, by: string): Promise<Revocation>;
  /** Allows again what a revocation refused; `undefined` if there is none of this id. */
  lift(id: string, by: string): Promise<Revocation | undefined>;
  /** Revocations, newest first; lifted ones among them. */
  listRevocations(page: PageRequest): Promise<Page<Revocation>>;
  /** Revocations with a higher revision, in order; lifted ones among them. */
  revocationsAfter(revision: number): Promise<readonly Revocation[]>;
  /** Reports revocations that other replicas make, until the state is closed. Absent if there can be none. */
  watch?(onRevocations: (changes: readonly Revocation[]) => void): void;

  /** Stores a token of the admin API. */
  addToken(token: AdminToken, by: string): Promise<void>;
  /** A token that is not revoked, by its hash. */
  findToken(hash: string): Promise<AdminToken | undefined>;
  /** All tokens, oldest first; revoked ones among them. */
  listTokens(): Promise<readonly AdminToken[]>;
  /** Revokes a token and removes its webhooks with their notifications; `false` if there was none to revoke. */
  revokeToken(id: string, by: string): Promise<boolean>;

  /**
   * Counts an attempt as a failure before it is decided, so that attempts at once cannot exceed a limit: `scheduleAttempt` says when it may be
   * decided. Counts nothing if it is refused.
   */
  recordFailure(failure: CountedFailure): Promise<RecordedFailure>;
  /** Takes back an attempt that succeeded. */
  forgetFailure(failure: Pick<CountedFailure, "address" | "link"> & { readonly at: Millis }): Promise<void>;
  /** The same counts, without a new failure. Lazy. */
  failures(failure: Omit<CountedFailure, "most">): Promise<FailureCounts>;

  /** Puts an entry on record, or announces it, if no other method does: an admin call, a refusal, a view. */
  record(entry: AuditEntry): Promise<void>;
  /** All writers, by name. Every method that decides adds the records of its decision under the engine's own writer. */
  auditWriters(): Promise<readonly AuditWriter[]>;
  /** Records of a writer, by number. */
  auditRecords(range: AuditRange): Promise<readonly StoredRecord[]>;
  /** Heads of a writer with a higher `last`, by number. */
  auditHeads(range: AuditRange): Promise<readonly StoredHead[]>;
  /** Stores a head; `false` if a stored head of the writer ends at the same record or later. */
  addHead(head: StoredHead): Promise<boolean>;
  /** Removes the records of a writer up to `last`, and all heads that end before it. Puts the cut on record. */
  cutAudit(writer: string, last: number, by: string): Promise<void>;

  /** Why the audit is not signed any more, if its sealer stopped. Only the process that seals gives a state this member. */
  auditFault?(): string | undefined;
  /** Signs on after a restore, on the word of the operator, and returns what was abandoned. Only the process that seals gives a state this member. */
  acceptRestore?(): Promise<string>;

  /** Stores a webhook. */
  addWebhook(webhook: Webhook, by: string): Promise<void>;
  /** Removes a webhook with its notifications; `false` if there was none. */
  removeWebhook(id: string, by: string): Promise<boolean>;
  /** All webhooks, oldest first. */
  listWebhooks(): Promise<readonly Webhook[]>;
  /**
   * Notifications that are due, oldest first, at most one for each webhook and link, so that a link's arrive in order. Others do not get them for
   * `leaseMs`.
   */
  takeNotifications(limit: number, leaseMs: number): Promise<readonly Notification[]>;
  /** Removes a notification that was sent, delays it, or makes it a dead letter. */
  settleNotification(id: number, outcome: SendOutcome): Promise<void>;
  /** Dead letters, oldest first, with a higher id. */
  listDeadLetters(after: number, limit: number): Promise<readonly Notification[]>;
  /** Sends dead letters again: one, or all of a webhook. Returns how many. */
  resendDeadLetters(which: { readonly id: number } | { readonly webhook: string }): Promise<number>;
  /** Counts the outbox. */
  outboxDepth(): Promise<OutboxDepth>;

  /** Ends deliveries whose time is over, and removes rows that no request can need. */
  sweep(): Promise<void>;
  /** Writes a consistent copy to a new file. */
  backup(path: string): Promise<void>;
  /** Whether calls can be answered now, as far as the engine knows without asking. Absent: always. */
  isAvailable?(): boolean;
  /** Whether its disk is full, so that only revocations are stored. Absent: never. */
  isFull?(): boolean;
  /** Commits what was begun, and releases the engine. */
  close(): Promise<void>;
}

/** The methods of an engine that keep the audit. */
export type AuditMethods = Pick<
  State,
  "record" | "auditWriters" | "auditRecords" | "auditHeads" | "addHead" | "cutAudit"
>;

/** The methods of an engine that keep webhooks and the outbox. */
export type OutboxMethods = Pick<
  State,
  | "addWebhook"
  | "removeWebhook"
  | "listWebhooks"
  | "takeNotifications"
  | "settleNotification"
  | "listDeadLetters"
  | "resendDeadLetters"
  | "outboxDepth"
>;

/** An attempt to guess. */
export interface CountedFailure {
  /** The network of the client, or its browser. */
  readonly address: string;
  /** The link whose new clients share attempts; empty for a slug, and for a browser that proved the password. */
  readonly link: string;
  /** Milliseconds in which failures count. */
  readonly windowMs: number;
  /** Failures of the address in the window, at most. */
  readonly most: number;
}

/** The counts with the attempt, if it was not refused. */
export interface RecordedFailure extends FailureCounts {
  /** When the attempt may be decided, milliseconds since 1970; absent if it was refused. */
  readonly at?: Millis | undefined;
}

/** Failures in a window. */
export interface FailureCounts {
  /** Number of failures from the network. */
  readonly byAddress: number;
  /** Number of failures at the link. */
  readonly byLink: number;
  /** When the last one at the link was, milliseconds since 1970. */
  readonly lastByLink: Millis | undefined;
}
