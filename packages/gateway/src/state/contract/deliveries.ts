/**
 * The life of a delivery: one use of a link. Pure functions over rows, so that every engine decides alike (docs/links.md). An engine loads the rows,
 * calls {@link apply}, and stores what it returns, all in one transaction.
 * @module
 */

/** Milliseconds since 1970, by the clock of the state. */
export type Millis = number;

/** Where a delivery stands. `lapsed` and `ended` are final. */
export type DeliveryState = "claimed" | "started" | "lapsed" | "ended";

/** What may happen to a delivery, by where it stands. An event that a row does not list is refused. */
export const transitions: Readonly<Record<DeliveryState, Readonly<Partial<Record<DeliveryEvent, DeliveryState>>>>> = {
  claimed: { start: "started", lapse: "lapsed", revoke: "ended" },
  started: { start: "started", alive: "started", settle: "started", end: "ended", revoke: "ended" },
  lapsed: {},
  // A response that revocation cut still settles what it had reserved.
  ended: { settle: "ended" },
};

/** What happens to a delivery. */
export type DeliveryEvent = "start" | "lapse" | "alive" | "settle" | "end" | "revoke";

/** How long a claim may wait for its start. */
export const START_WITHIN: Millis = 120_000;
/** How long a started delivery may continue after its last sign of life. */
export const LEASE: Millis = 60 * 60_000;
/** How long a completed delivery may be repeated: the kernel may still lose the end of a response. */
export const LEASE_COMPLETED: Millis = 10 * 60_000;
/** How long after its expiry a link may still send bytes that its deliveries have not sent. */
export const AFTER_EXPIRY: Millis = 24 * LEASE;
/** Ranges that a delivery keeps apart. Past this number, a range that touches no kept range counts as not sent. */
const MAX_RANGES = 1000;
/** Bytes that a delivery may send beyond twice the size of its object. */
const SLACK = 16 * 1024 * 1024;
/** One address may claim a link this often in {@link CLAIM_WINDOW}. */
export const CLAIMS_PER_ADDRESS = 5;
/** The window of {@link CLAIMS_PER_ADDRESS}. */
export const CLAIM_WINDOW: Millis = 10 * 60_000;

/** The fields of a link that decide about its deliveries. */
export interface LinkWindow {
  /** When it opens, milliseconds since 1970. */
  readonly startsAt: Millis;
  /** First instant at which it is closed, milliseconds since 1970. */
  readonly expiresAt: Millis;
  /** When it was revoked, milliseconds since 1970. */
  readonly revokedAt: Millis | undefined;
  /** Why the link is suspended: its owner is gone, lost the right to the target, or the state was restored. */
  readonly suspended: string | undefined;
}

/** The counters of one variant of a link. A link without recipients has one variant. */
export interface VariantCounters {
  /** `undefined`: not counted. */
  readonly max: number | undefined;
  /** Deliveries that are claimed or were started. */
  readonly used: number;
  /** Deliveries that the owner allowed in addition to `max`. */
  readonly givenBack: number;
  /** Bytes; `undefined`: no limit. */
  readonly maxBytes: number | undefined;
  /** Bytes that were sent or are reserved. */
  readonly held: number;
}

/** A range of sent bytes; `end` is exclusive. */
export type Covered = readonly [start: number, end: number];

/** One row of a delivery. */
export interface Delivery {
  /** SHA-256 of its token, base64url. */
  readonly token: string;
  /** SHA-256 of the claim key, base64url. Unique in its variant. */
  readonly claim: string;
  readonly state: DeliveryState;
  /** When it was claimed, milliseconds since 1970. */
  readonly claimedAt: Millis;
  /** The network address that claimed it; one may claim five times in ten minutes. */
  readonly address: string;
  /** When an unstarted claim lapses, milliseconds since 1970. */
  readonly startBy: Millis;
  /** When a started delivery ends, milliseconds since 1970; 0 before its start. */
  readonly leaseUntil: Millis;
  /** The object as it was at the first start; `undefined` for a visit. */
  readonly etag: string | undefined;
  /** Bytes of the object; `undefined` for a visit. */
  readonly size: number | undefined;
  /** Bytes that were sent or are reserved. */
  readonly held: number;
  /** The ranges of the object that were sent, in order; empty before the first response ended. */
  readonly covered: readonly Covered[];
  /** When every byte had been sent, milliseconds since 1970. */
  readonly completedAt: Millis | undefined;
}

/** A response in progress, with the bytes that it reserved. */
export interface Attempt {
  readonly id: string;
  /** Bytes. */
  readonly reserved: number;
}

/** What a start reserves. */
export interface Start {
  /** A new random identifier of the response. */
  readonly attempt: string;
  /** Bytes of the response; 0 for a visit. */
  readonly length: number;
  /** The range of the object that the response sends; `undefined` if it is unknown: a zip, a visit, a hand-over. */
  readonly range?: Covered | undefined;
  /** The object that is open; `undefined` for a visit. */
  readonly object?: { readonly etag: string; readonly size: number } | undefined;
  /** `bucket/key` of the response, for the record; absent if it has none. */
  readonly target?: string | undefined;
}

/** A request to change a delivery. */
export type Command =
  | {
      readonly type: "claim";
      readonly claim: string;
      /** Derives from the variant and the claim: the same claim of a variant always has the same token. */
      readonly token: string;
      readonly address: string;
      /** Starts in the same transaction. */
      readonly start?: Start | undefined;
    }
  | ({ readonly type: "start"; readonly token: string } & Start)
  | { readonly type: "reserve"; readonly token: string; readonly attempt: string; readonly bytes: number }
  | { readonly type: "alive"; readonly token: string; readonly range?: Covered | undefined }
  | {
      readonly type: "settle";
      readonly token: string;
      readonly attempt: string;
      /** Bytes handed to the socket. */
      readonly sent: number;
      /** Offset of the first byte in the object; `undefined` if the response was no part of one object. */
      readonly from?: number | undefined;
    };

/** Why a command is refused. */
export type DeliveryRefusal =
  | "not-yet"
  | "expired"
  | "revoked"
  | "suspended"
  | "used-up"
  | "busy"
  | "too-many-claims"
  | "lapsed"
  | "changed"
  | "over-budget"
  | "unknown";

/** The outcome of a command. */
export type Applied =
  | { readonly ok: true; readonly delivery: Delivery; readonly isNew: boolean; readonly started: boolean }
  | { readonly ok: false; readonly reason: DeliveryRefusal; readonly retryAt?: Millis | undefined };

/** The rows that a command may read. */
export interface View {
  readonly link: LinkWindow;
  readonly variant: VariantCounters;
  /** By token; for a claim, by its claim key. */
  readonly delivery: Delivery | undefined;
  /** Every delivery of the variant in the state `claimed`. */
  readonly claimed: readonly Delivery[];
  /** Claims of the link by the same address in the last {@link CLAIM_WINDOW}. */
  readonly recentClaims: number;
  readonly attempt: Attempt | undefined;
}

/** The rows that a command changes. */
export interface Changes {
  readonly result: Applied;
  readonly variant: VariantCounters;
  readonly deliveries: readonly Delivery[];
  readonly addAttempt?: Attempt | undefined;
  readonly changeAttempt?: Attempt | undefined;
  readonly removeAttempt?: string | undefined;
}

/** Decides one command. The only place that changes a counter of a link. */
export function apply(view: View, command: Command, now: Millis): Changes {
  switch (command.type) {
    case "claim":
      return claim(view, command, now);
    case "start":
      return start(view, view.delivery, command, now);
    case "reserve":
      return reserve(view, command, now);
    case "alive":
      return alive(view, command, now);
    case "settle":
      return settle(view, command, now);
  }
}

function refused(view: View, reason: DeliveryRefusal, retryAt?: Millis): Changes {
  return { result: { ok: false, reason, retryAt }, variant: view.variant, deliveries: [] };
}

/** Why a link takes no claim, regardless of its counters. */
export function closedReason(
  { startsAt, expiresAt, revokedAt, suspended }: LinkWindow,
  now: Millis,
): DeliveryRefusal | undefined {
  if (revokedAt !== undefined) return "revoked";
  if (suspended !== undefined) return "suspended";
  if (now < startsAt) return "not-yet";
  return now < expiresAt ? undefined : "expired";
}

function claim(view: View, command: Extract<Command, { type: "claim" }>, now: Millis): Changes {
  if (view.delivery !== undefined) {
    if (command.start !== undefined) return start(view, view.delivery, command.start, now);
    const dead = deadReason(view, view.delivery, now);
    if (dead !== undefined) return refused(view, dead);
    return {
      result: { ok: true, delivery: view.delivery, isNew: false, started: false },
      variant: view.variant,
      deliveries: [],
    };
  }
  const closed = closedReason(view.link, now);
  if (closed !== undefined) return refused(view, closed);
  if (view.recentClaims >= CLAIMS_PER_ADDRESS) return refused(view, "too-many-claims", now + CLAIM_WINDOW);
  const lapsed = view.claimed.filter(({ startBy }) => now >= startBy).map((delivery) => moved(delivery, "lapse"));
  const waiting = view.claimed.filter(({ startBy }) => now < startBy);
  const used = view.variant.used - lapsed.length;
  const { max, givenBack } = view.variant;
  if (max !== undefined && used >= max + givenBack) {
    const variant = { ...view.variant, used };
    const retryAt = waiting.length > 0 ? Math.min(...waiting.map(({ startBy }) => startBy)) : undefined;
    const reason = retryAt === undefined ? "used-up" : "busy";
    return { result: { ok: false, reason, retryAt }, variant, deliveries: lapsed };
  }
  const delivery: Delivery = {
    token: command.token,
    claim: command.claim,
    state: "claimed",
    claimedAt: now,
    address: command.address,
    startBy: now + START_WITHIN,
    leaseUntil: 0,
    etag: undefined,
    size: undefined,
    held: 0,
    covered: [],
    completedAt: undefined,
  };
  const variant = { ...view.variant, used: used + 1 };
  if (command.start === undefined) {
    return { result: { ok: true, delivery, isNew: true, started: false }, variant, deliveries: [...lapsed, delivery] };
  }
  const started = start({ ...view, variant }, delivery, command.start, now);
  // A claim whose start does not fit is not made: its link keeps the delivery.
  if (!started.result.ok) return { result: started.result, variant: { ...view.variant, used }, deliveries: lapsed };
  return { ...started, result: { ...started.result, isNew: true }, deliveries: [...lapsed, ...started.deliveries] };
}

/** Whether a delivery can serve a further response, unless its link is revoked. */
export function isLive({ state, startBy, leaseUntil }: Delivery, now: Millis): boolean {
  return (state === "claimed" && now < startBy) || (state === "started" && now < leaseUntil);
}

/** Why a delivery can serve no further response. */
function deadReason({ link }: View, delivery: Delivery, now: Millis): DeliveryRefusal | undefined {
  if (link.revokedAt !== undefined) return "revoked";
  if (link.suspended !== undefined) return "suspended";
  if (delivery.state === "claimed") return now < delivery.startBy ? undefined : "lapsed";
  if (delivery.state === "started") return now < delivery.leaseUntil ? undefined : "used-up";
  return delivery.state === "lapsed" ? "lapsed" : "used-up";
}

/** When a lease ends that a response renews now. After the expiry, only bytes that were not sent before renew it, and only for a day. */
function renewed({ link }: View, { leaseUntil, covered }: Delivery, range: Covered | undefined, now: Millis): Millis {
  if (now >= link.expiresAt && !isMissing(covered, range)) return leaseUntil;
  return Math.max(leaseUntil, Math.min(now + LEASE, link.expiresAt + AFTER_EXPIRY));
}

function start(view: View, delivery: Delivery | undefined, start: Start, now: Millis): Changes {
  const { attempt, length, object, range } = start;
  if (delivery === undefined) return refused(view, "unknown");
  const dead = deadReason(view, delivery, now);
  if (dead !== undefined) return refused(view, dead);
  const isPinned = delivery.state === "started" && delivery.etag !== undefined;
  if (isPinned && (object?.etag !== delivery.etag || object?.size !== delivery.size)) return refused(view, "changed");
  if (object !== undefined && delivery.held + length > 2 * object.size + SLACK) return refused(view, "over-budget");
  const { maxBytes, held } = view.variant;
  if (maxBytes !== undefined && held + length > maxBytes) return refused(view, "over-budget");
  const started: Delivery = {
    ...moved(delivery, "start"),
    etag: delivery.etag ?? object?.etag,
    size: delivery.size ?? object?.size,
    leaseUntil: delivery.state === "claimed" ? now + LEASE : renewed(view, delivery, range, now),
    held: delivery.held + length,
  };
  return {
    result: { ok: true, delivery: started, isNew: false, started: delivery.state === "claimed" },
    variant: { ...view.variant, held: held + length },
    deliveries: [started],
    addAttempt: { id: attempt, reserved: length },
  };
}

/** Reserves ahead for a response of unknown length. */
function reserve(view: View, { bytes }: Extract<Command, { type: "reserve" }>, now: Millis): Changes {
  const { delivery, attempt, variant } = view;
  if (delivery === undefined || attempt === undefined) return refused(view, "unknown");
  const dead = deadReason(view, delivery, now);
  if (dead !== undefined) return refused(view, dead);
  if (variant.maxBytes !== undefined && variant.held + bytes > variant.maxBytes) return refused(view, "over-budget");
  const reserved: Delivery = { ...delivery, held: delivery.held + bytes };
  return {
    result: { ok: true, delivery: reserved, isNew: false, started: false },
    variant: { ...variant, held: variant.held + bytes },
    deliveries: [reserved],
    changeAttempt: { id: attempt.id, reserved: attempt.reserved + bytes },
  };
}

function alive(view: View, { range }: Extract<Command, { type: "alive" }>, now: Millis): Changes {
  const { delivery, link } = view;
  if (delivery === undefined || delivery.leaseUntil === 0) return refused(view, "unknown");
  const dead = deadReason(view, delivery, now);
  // Bytes still move, so a lease that ran out while this report was on its way continues.
  if (dead === "revoked" || dead === "suspended") return refused(view, dead);
  const lives = { ...delivery, leaseUntil: renewed(view, delivery, range, now) };
  const isOver = delivery.state === "ended" || now >= lives.leaseUntil;
  if (isOver) return refused(view, now < link.expiresAt ? "unknown" : "expired");
  return {
    result: { ok: true, delivery: lives, isNew: false, started: false },
    variant: view.variant,
    deliveries: [lives],
  };
}

function settle(view: View, { sent, from }: Extract<Command, { type: "settle" }>, now: Millis): Changes {
  const { delivery, attempt, variant } = view;
  // A repeated settle finds no attempt, and changes nothing.
  if (delivery === undefined || attempt === undefined || transitions[delivery.state].settle === undefined) {
    return refused(view, "unknown");
  }
  const unsent = attempt.reserved - Math.min(sent, attempt.reserved);
  const more = from === undefined || sent === 0 ? delivery.covered : merged(delivery.covered, [from, from + sent]);
  const covered = more.length > MAX_RANGES ? delivery.covered : more;
  const isComplete = delivery.size !== undefined && isCovered(covered, delivery.size);
  const settled: Delivery = {
    ...delivery,
    held: delivery.held - unsent,
    covered,
    completedAt: delivery.completedAt ?? (isComplete ? now : undefined),
    leaseUntil: isComplete ? Math.min(delivery.leaseUntil, now + LEASE_COMPLETED) : delivery.leaseUntil,
  };
  return {
    result: { ok: true, delivery: settled, isNew: false, started: false },
    variant: { ...variant, held: variant.held - unsent },
    deliveries: [settled],
    removeAttempt: attempt.id,
  };
}

function moved(delivery: Delivery, event: DeliveryEvent): Delivery {
  const state = transitions[delivery.state][event];
  if (state === undefined) throw new TypeError(`a ${delivery.state} delivery cannot ${event}`);
  return { ...delivery, state };
}

function isCovered(covered: readonly Covered[], size: number): boolean {
  return size === 0 || (covered.length === 1 && covered[0]?.[0] === 0 && covered[0][1] >= size);
}

/** Whether a response sends a byte that was not sent before. */
function isMissing(covered: readonly Covered[], range: Covered | undefined): boolean {
  if (range === undefined || range[0] >= range[1]) return false;
  return !covered.some(([from, to]) => from <= range[0] && to >= range[1]);
}

/** Adds a range to sorted ranges that do not touch. */
function merged(ranges: readonly Covered[], added: Covered): readonly Covered[] {
  let [start, end] = added;
  const apart = ranges.filter(([from, to]) => {
    const touches = from <= end && to >= start;
    if (touches) [start, end] = [Math.min(start, from), Math.max(end, to)];
    return !touches;
  });
  return [...apart, [start, end] as const].sort(([a], [b]) => a - b);
}
