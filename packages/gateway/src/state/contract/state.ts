/**
 * The contract of a state engine: where links, deliveries, revocations and uses live. Every method is one durable transaction, unless it says
 * that it is lazy. An engine's own clock decides; its readings are milliseconds since 1970.
 * @module
 */
import type { CountedFailure, RecordedFailure } from "./attempts.ts";
import type { CountBatch } from "./counts.ts";
import type { Applied, Command, Delivery, Millis, VariantCounters } from "./deliveries.ts";
import type { Link, LinkChange } from "./fields.ts";
import type { KeyMethods } from "./keys.ts";
import type { OutboxMethods } from "./outbox.ts";
import type { Page, PageRequest } from "./page.ts";
import type { AuditMethods } from "./records.ts";
import type { RevocationMethods } from "./revocations.ts";
import type { TokenMethods } from "./tokens.ts";

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
  /** How often its page was opened, once for each network in ten minutes. Absent: never. Not durable to the last second, like the next two. */
  readonly opened?: number | undefined;
  /** Complete downloads that were no deliveries. Absent: none. */
  readonly downloaded?: number | undefined;
  /** When its page was last opened, or a download last ended. Absent: never. */
  readonly lastOpened?: Millis | undefined;
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

/** One use of a Daypass URL with `uses`. */
export interface Use {
  readonly kid: string;
  readonly grantId: string;
  /** How often the URL may be used. */
  readonly uses: number;
  /** When the URL expires: its row may be removed then. */
  readonly until: Millis;
  /** When the URL became valid, milliseconds since 1970. Absent: after a restore, the use is refused until the operator lifts that. */
  readonly validFrom?: Millis | undefined;
}

/** The methods that keep links, their variants, and attempts to guess their secrets. */
export interface LinkMethods {
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
  /** Adds what holders opened and downloaded. Lazy. A repeated batch changes nothing. */
  addCounts(batch: CountBatch): Promise<void>;

  /**
   * Counts an attempt as a failure before it is decided, so that attempts at once cannot exceed a limit: `scheduleAttempt` says when it may be
   * decided. Counts nothing if it is refused.
   */
  recordFailure(failure: CountedFailure): Promise<RecordedFailure>;
  /** Takes back an attempt that succeeded. */
  forgetFailure(failure: Pick<CountedFailure, "address" | "link"> & { readonly at: Millis }): Promise<void>;
}

/** The methods that count deliveries and uses. */
export interface DeliveryMethods {
  /** Decides a command by `deliveries.ts`. `alive` and `settle` are lazy. A repeated claim or start has the result of the first. */
  deliver(variant: string, command: Command): Promise<Applied>;
  /** By the hash of its token. Does not check that it may continue. */
  findDelivery(token: string): Promise<(FoundLink & { readonly delivery: Delivery }) | undefined>;
  /** Deliveries of all variants of a link, newest first. */
  listDeliveries(link: string, page: PageRequest): Promise<Page<Delivery & { readonly variant: string }>>;

  /** Counts one use; `false` if all are used, or may be because a restore of the state lost their count. */
  claimUse(use: Use): Promise<boolean>;
}

/** A run of the state. */
export interface BegunRun {
  readonly run: string;
  /** Whether the state lost what it stored since a backup or before a failover. */
  readonly restored: boolean;
  /** Number of links that were suspended. */
  readonly suspended: number;
}

/** The methods that keep the state as a whole. */
export interface UpkeepMethods {
  /** A secret that all processes of this state share, created at the first call. */
  secret(name: string): Promise<Uint8Array>;

  /**
   * Begins a new run. `seen` is what the last run returned, kept outside of the state. If the state does not know it, the state was restored from a
   * backup: deliveries and uses may be missing, so counted links are suspended until their owners resume them, and uses of older URLs are refused until the
   * revocation `lost-uses` is lifted.
   */
  beginRun(seen: string | undefined): Promise<BegunRun>;

  /** Ends deliveries whose time is over, and removes rows that no request can need. */
  sweep(): Promise<void>;
  /** Writes a consistent copy to a new file. */
  backup(path: string): Promise<void>;
}

/** What an engine declares. Callers decide by this, never by its name. */
export interface StateCapabilities {
  /** Several gateways on several machines may share it. */
  readonly sharedByReplicas: boolean;
}

/** What is no call of an engine: each process answers it by itself. */
export interface StateProcess extends StateCapabilities {
  /** Reports the revision of revocations twice a second, and after a change of another replica at once. Absent if no other process can make one. */
  watch?(onRevision: (revision: number) => void): void;
  /** Why the audit is not signed any more, if its sealer stopped. Only the process that seals gives a state this member. */
  auditFault?(): string | undefined;
  /** Renews the lease of the engine's writer. Rejects if another process uses its name since. Absent: no other process can use the name. */
  holdWriter?(): Promise<void>;
  /** Whether calls can be answered now, as far as the engine knows without asking. Absent: always. */
  isAvailable?(): boolean;
  /** Whether its disk is full, so that at most revocations are stored. Absent: never. */
  isFull?(): boolean;
  /** Commits what was begun, and releases the engine. */
  close(): Promise<void>;
}

/** A state: all methods, and what its process answers. */
export interface State
  extends StateProcess,
    UpkeepMethods,
    LinkMethods,
    DeliveryMethods,
    RevocationMethods,
    TokenMethods,
    KeyMethods,
    AuditMethods,
    OutboxMethods {
  /** Signs on after a restore, on the word of the operator, and returns what was abandoned. Only the process that seals gives a state this member. */
  acceptRestore?(): Promise<string>;
}
