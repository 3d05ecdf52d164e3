/** The links of a gateway: its state, what opens them, and the revocations that every request is checked against. */
import type { Clock } from "daypass";
import type { Revocation, State } from "../state/contract/state.ts";
import { type LinkOpener, linkOpener } from "./open-link.ts";
import { type Passwords, passwords } from "./password.ts";
import { type Revocable, type RevocationList, revocationList } from "./revocation-list.ts";

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
  /** Registers a transfer that a revocation may cut. The result removes it. */
  running(transfer: Revocable, cut: () => void): () => void;
}

/** Options of {@link openLinks}. */
export interface LinksOptions {
  readonly state: State;
  readonly clock: Clock;
  /** Milliseconds that the list of revocations may be old: five minutes by default. `Infinity` serves on while the state is away. */
  readonly maxRevocationAge?: number | undefined;
}

const MAX_REVOCATION_AGE = 5 * 60_000;

/**
 * Reads the secret and the revocations of a state: a gateway must not serve before it knows them. Rejects if the state is away.
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
export async function openLinks({ state, clock, maxRevocationAge = MAX_REVOCATION_AGE }: LinksOptions): Promise<Links> {
  const stateKey = await state.secret("links");
  const hashing = passwords();
  const revocations = revocationList();
  const transfers = new Map<symbol, { readonly transfer: Revocable; readonly cut: () => void }>();
  const apply = (changes: readonly Revocation[]): void => {
    revocations.apply(changes);
    if (changes.every(({ liftedAt }) => liftedAt !== undefined)) return;
    for (const { transfer, cut } of [...transfers.values()]) if (revocations.find(transfer) !== undefined) cut();
  };
  let polledAt = 0;
  const catchUp = async (): Promise<void> => {
    const begun = clock().getTime();
    apply(await state.revocationsAfter(revocations.revision));
    polledAt = begun;
  };
  await catchUp();
  return {
    state,
    stateKey,
    opener: linkOpener({ state, stateKey, passwords: hashing, clock }),
    passwords: hashing,
    revocations,
    apply,
    catchUp,
    isStale: () => clock().getTime() - polledAt > maxRevocationAge,
    running(transfer, cut) {
      const name = Symbol();
      transfers.set(name, { transfer, cut });
      // The revocation may have come between the check of the request and its response.
      if (revocations.find(transfer) !== undefined) cut();
      return () => void transfers.delete(name);
    },
  };
}
