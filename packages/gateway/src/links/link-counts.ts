/** Counts what the holders of links open and download. In memory at first: no request waits for a count, and the last seconds may be lost. */
import { randomBytes } from "node:crypto";
import type { Clock } from "daypass";
import type { CountBatch, VariantUse } from "../state/contract/counts.ts";
import type { Millis } from "../state/contract/deliveries.ts";
import type { State } from "../state/contract/state.ts";

/** `continued` is part of a delivery: the state counts deliveries itself, but not when their holder was last there. */
export type UseKind = "opened" | "downloaded" | "continued";

/** The counts of one process. */
export interface LinkCounts {
  /** Counts a use of a variant by a network. Never waits. */
  add(kind: UseKind, variant: string, network: string): void;
  /** Sends what was counted. Never rejects: what the state did not take is sent again later. */
  flush(): Promise<void>;
}

/** Options of {@link linkCounts}. */
export interface LinkCountsOptions {
  readonly state: Pick<State, "addCounts" | "isAvailable">;
  readonly clock: Clock;
}

const EVERY: Millis = 3000;
/** While the state is away, uses of further variants and networks are not counted. */
const MOST_WAITING = 10_000;
/** A batch is one transaction, and claims must not wait for a long one. */
const MOST_IN_BATCH = 500;
/** A batch whose answer was lost may be stored. It is dropped before the state forgets its id. */
const KEPT: Millis = 5 * 60_000;

/** Sends its counts every three seconds, if it has any. */
export function linkCounts({ state, clock }: LinkCountsOptions): LinkCounts {
  const waiting = new Map<string, VariantUse>();
  let sent: (CountBatch & { readonly at: Millis }) | undefined;
  let running: Promise<void> | undefined;
  let isScheduled = false;
  const now = (): Millis => clock().getTime();

  function nextBatch(): NonNullable<typeof sent> {
    const taken = [...waiting].slice(0, MOST_IN_BATCH);
    for (const [key] of taken) waiting.delete(key);
    return { id: randomBytes(16).toString("base64url"), uses: taken.map(([, use]) => use), at: now() };
  }

  async function send(): Promise<void> {
    if (sent !== undefined && now() - sent.at > KEPT) sent = undefined;
    while (state.isAvailable?.() !== false && (sent !== undefined || waiting.size > 0)) {
      sent ??= nextBatch();
      const { id, uses } = sent;
      await state.addCounts({ id, uses });
      sent = undefined;
    }
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      void flush();
    }, EVERY).unref();
  }

  function flush(): Promise<void> {
    running ??= send()
      .catch(() => undefined)
      .finally(() => {
        running = undefined;
        if (sent !== undefined || waiting.size > 0) schedule();
      });
    return running;
  }

  return {
    flush,
    add(kind, variant, network) {
      const key = `${variant} ${network}`;
      const known = waiting.get(key);
      if (known === undefined && waiting.size >= MOST_WAITING) return;
      const lastAt = now();
      waiting.set(key, {
        variant,
        network,
        openedAt: known?.openedAt ?? (kind === "opened" ? lastAt : undefined),
        downloaded: (known?.downloaded ?? 0) + Number(kind === "downloaded"),
        lastAt,
      });
      schedule();
    },
  };
}
