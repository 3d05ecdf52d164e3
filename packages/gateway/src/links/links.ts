/** The links of a gateway: its state, what opens them, and the revocations that every request is checked against. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "daypass";
import type { Millis } from "../state/contract/deliveries.ts";
import type { Revocation } from "../state/contract/revocations.ts";
import type { State } from "../state/contract/state.ts";
import { type LinkOpener, linkOpener } from "./open-link.ts";
import { type Passwords, passwords } from "./password.ts";
import { isPartOf, type Revocable, type RevocationList, revocationList } from "./revocation-list.ts";

/** Created by {@link openLinks}; several gateways of a process may share it, as after a reload. */
export interface Links {
  readonly state: State;
  /** 32 secret bytes that all processes of the state share; never empty. */
  readonly stateKey: Uint8Array;
  readonly opener: LinkOpener;
  readonly passwords: Passwords;
  readonly revocations: RevocationList;
  /** Adds revocations as they are made, and cuts the transfers that they match. */
  apply(changes: readonly Revocation[]): void;
  /** Reads the revocations that this process missed. */
  catchUp(): Promise<void>;
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

/** A copy of the list of revocations on local disk. */
export interface RevocationSnapshot {
  /** The copy, and when the state was last asked; `undefined` if there is none. */
  load(): { readonly revocations: readonly Revocation[]; readonly polledAt: Millis } | undefined;
  /** Replaces the copy. */
  save(revocations: readonly Revocation[]): void;
  /** Notes that the state was asked, and that nothing has changed. */
  confirm(): void;
}

const MAX_REVOCATION_AGE = 5 * 60_000;

/**
 * Reads the secret and the revocations of a state: a gateway must not serve before it knows them. Rejects if the state is away, unless
 * a snapshot has the revocations.
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
  const apply = (changes: readonly Revocation[]): void => {
    const added = revocations.apply(changes);
    if (changes.every(({ liftedAt }) => liftedAt !== undefined)) return;
    for (const { transfer, cut } of [...transfers.values()]) {
      // A zip that began later has left out the revoked part, so a repeated report must not cut it.
      if (revocations.find(transfer) !== undefined || added.some((one) => isPartOf(one, transfer))) cut();
    }
  };
  let polledAt = Number.NEGATIVE_INFINITY;
  const catchUp = async (): Promise<void> => {
    const begun = monotonic();
    if (!isKeyed) stateKey.set(await state.secret("links"));
    isKeyed = true;
    apply(await state.revocationsAfter(revocations.revision));
    polledAt = begun;
    try {
      if (revocations.revision === savedRevision) snapshot?.confirm();
      else snapshot?.save(revocations.all());
      savedRevision = revocations.revision;
    } catch {
      // A full disk must not end the service. The copy stays older than it could be, and the next poll writes it again.
      savedRevision = -1;
    }
  };
  let savedRevision = -1;
  await catchUp().catch((error: unknown) => {
    const kept = snapshot?.load();
    if (kept === undefined) throw error;
    apply(kept.revocations);
    polledAt = monotonic() - Math.max(0, clock().getTime() - kept.polledAt);
  });
  return {
    state,
    stateKey,
    opener: linkOpener({ state, stateKey, passwords: hashing, clock, pause }),
    passwords: hashing,
    revocations,
    apply,
    catchUp,
    isStale: () => monotonic() - polledAt > maxRevocationAge,
    obstacle() {
      if (state.isAvailable?.() === false) return "state unavailable";
      return state.isFull?.() === true ? "state full: only revocations are stored" : undefined;
    },
    age: () => monotonic() - polledAt,
    running(transfer, cut) {
      const name = Symbol();
      transfers.set(name, { transfer, cut });
      // The revocation may have come between the check of the request and its response.
      if (revocations.find(transfer) !== undefined) cut();
      return () => void transfers.delete(name);
    },
  };
}
