/** The links of a gateway: its state, what opens them, and the revocations that every request is checked against. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "daypass";
import type { Millis } from "../state/contract/deliveries.ts";
import { type RevocationReader, revocationPages } from "../state/contract/revocation-pages.ts";
import type { RevocationChange } from "../state/contract/revocations.ts";
import type { State } from "../state/contract/state.ts";
import { type LinkCounts, linkCounts } from "./link-counts.ts";
import { type LinkOpener, linkOpener } from "./open-link.ts";
import { type Passwords, passwords } from "./password.ts";
import { isPartOf, type Revocable, type RevocationList, revocationList } from "./revocation-list.ts";

/** Created by {@link openLinks}; several gateways of a process may share it, as after a reload. */
export interface Links {
  readonly state: State;
  /** 32 secret bytes that all processes of the state share; never empty. */
  readonly stateKey: Uint8Array;
  readonly opener: LinkOpener;
  /** What holders open and download. Flush it before the state closes. */
  readonly counts: LinkCounts;
  readonly passwords: Passwords;
  readonly revocations: RevocationList;
  /** Adds revocations as they are made, and cuts the transfers that they match. With `complete`, every change up to that revision is known. */
  apply(changes: readonly RevocationChange[], complete?: number): void;
  /** Reads the revocations that this process missed. */
  catchUp(): Promise<void>;
  /** Reads them if the list has another revision than the state. */
  follow(revision: number): void;
  /** Whether the list is older than it may be, because the state was away. */
  isStale(): boolean;
  /** Why links do not open, in a word; `undefined` if they do. */
  obstacle(): string | undefined;
  /** Milliseconds since the list of revocations was last read. */
  age(): number;
  /** Registers a transfer that a revocation may cut. The result removes it. */
  running(transfer: Revocable, cut: () => void): () => void;
}

/** Options of {@link openLinks}. */
export interface LinksOptions {
  readonly state: State;
  readonly clock: Clock;
  /** Milliseconds that never jump, because the list of revocations must not age when the clock is set: `performance.now` by default. */
  readonly monotonic?: (() => Millis) | undefined;
  /** Where the list of revocations is kept, so that a gateway may start while the state is away. */
  readonly snapshot?: RevocationSnapshot | undefined;
  /** Milliseconds that the list of revocations may be old: five minutes by default. `Infinity` serves on while the state is away. */
  readonly maxRevocationAge?: number | undefined;
  /** Waits a number of milliseconds: with a timer by default. */
  readonly pause?: ((ms: Millis) => Promise<void>) | undefined;
}

/** A copy of the list of revocations on local disk, which the process that owns the state writes. */
export interface RevocationSnapshot {
  /** Passes the copy on in parts, and returns when the state was last asked; `undefined` if there is no whole copy. */
  load(reader: Pick<RevocationReader, "apply">): Millis | undefined;
}

const MAX_REVOCATION_AGE = 5 * 60_000;
/** The time of a list that was never read. Finite, because its age is a metric. */
const NEVER: Millis = Number.MIN_SAFE_INTEGER;
const MAX_CLOCK_SKEW: Millis = 60_000;

/**
 * Reads the secret and the revocations of a state: a gateway must not serve before it knows them. Rejects if the state is away, unless
 * a snapshot is young enough, or `maxRevocationAge` is `Infinity`. Then no link opens until the state answers.
 *
 * @example
 * ```ts
 * import { openLinks } from "@daypass/gateway";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const clock = () => new Date();
 * const links = await openLinks({ state: await sqliteState({ path: "state.db", clock }), clock });
 * await links.state.close();
 * ```
 */
export async function openLinks({
  state,
  clock,
  monotonic = () => performance.now(),
  snapshot,
  maxRevocationAge = MAX_REVOCATION_AGE,
  pause = setTimeout,
}: LinksOptions): Promise<Links> {
  // Filled as soon as the state answers. Until then, no link opens.
  const stateKey = Uint8Array.from(randomBytes(32));
  let isKeyed = false;
  const hashing = passwords();
  const revocations = revocationList();
  const transfers = new Map<symbol, { readonly transfer: Revocable; readonly cut: () => void }>();
  const apply = (changes: readonly RevocationChange[], complete?: number): void => {
    const added = revocations.apply(changes, complete);
    if (changes.every(({ liftedAt }) => liftedAt !== undefined)) return;
    for (const { transfer, cut } of [...transfers.values()]) {
      // A zip that began later has left out the revoked part, so a repeated report must not cut it.
      if (revocations.isRevoked(transfer) || added.some((one) => isPartOf(one, transfer))) cut();
    }
  };
  let polledAt = NEVER;
  const age = (): Millis => monotonic() - polledAt;
  const readPages = revocationPages(state);
  const reader: RevocationReader = {
    get revision() {
      return revocations.revision;
    },
    apply,
    restart: revocations.restart,
  };
  let running = Promise.resolve();
  let waiting: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    const begun = monotonic();
    if (!isKeyed) stateKey.set(await state.secret("links"));
    isKeyed = true;
    await readPages(reader);
    polledAt = begun;
  };
  /** One after the other, as two at once would read every page twice. Callers that wait share the next one. */
  const catchUp = (): Promise<void> => {
    const next = (): Promise<void> => {
      waiting = undefined;
      running = read();
      return running;
    };
    waiting ??= running.then(next, next);
    return waiting;
  };
  await catchUp().catch((error: unknown) => {
    const writtenAt = snapshot?.load(reader) ?? NEVER;
    const copyAge = clock().getTime() - writtenAt;
    // A copy of the future: one of the clocks was wrong, and its age is unknown.
    polledAt = copyAge < -MAX_CLOCK_SKEW ? NEVER : monotonic() - Math.max(0, copyAge);
    if (age() > maxRevocationAge) throw error;
  });
  return {
    state,
    stateKey,
    opener: linkOpener({ state, stateKey, passwords: hashing, clock, pause }),
    counts: linkCounts({ state, clock }),
    passwords: hashing,
    revocations,
    apply,
    catchUp,
    follow(revision) {
      if (revision !== revocations.revision) void catchUp().catch(() => undefined);
    },
    isStale: () => age() > maxRevocationAge,
    obstacle() {
      if (state.isAvailable?.() === false) return "state unavailable";
      return state.isFull?.() === true ? "state full: at most revocations are stored" : undefined;
    },
    age,
    running(transfer, cut) {
      const name = Symbol();
      transfers.set(name, { transfer, cut });
      // The revocation may have come between the check of the request and its response.
      if (revocations.isRevoked(transfer)) cut();
      return () => void transfers.delete(name);
    },
  };
}
