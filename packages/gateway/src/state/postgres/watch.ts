/** Learns of revocations that other replicas make: by LISTEN on a direct connection, and by polling while there is none. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { Revocation } from "../contract/state.ts";

/** How often a replica asks without LISTEN. */
const POLL_MS = 500;
/** How often it asks all the same: a connection that was cut silently brings no notice. */
const LISTENING_POLL_MS = 5000;

/** Options of {@link watchRevocations}. */
export interface WatchOptions {
  /** Connects to `state.direct`; absent: polling alone. */
  readonly connect?: (() => Promise<Client>) | undefined;
  /** The present revision. */
  readonly revision: () => Promise<number>;
  readonly after: (revision: number) => Promise<readonly Revocation[]>;
  readonly onRevocations: (changes: readonly Revocation[]) => void;
}

/** Watches until it is stopped. Reports every revocation once more at its start. */
export function watchRevocations({ connect, revision, after, onRevocations }: WatchOptions): { stop(): void } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let known = 0;
  let listening: Client | undefined;
  let wake: () => void = () => undefined;

  async function check(): Promise<void> {
    if ((await revision()) <= known) return;
    const changes = await after(known);
    for (const change of changes) known = Math.max(known, change.revision);
    if (changes.length > 0) onRevocations(changes);
  }

  /** Listens until the connection ends. */
  async function listen(client: Client): Promise<void> {
    const ended = new Promise<void>((resolve) => client.on("end", () => resolve()).on("error", () => resolve()));
    try {
      client.on("notification", () => wake());
      await client.query("LISTEN daypass_revocation");
      listening = client;
      // A notice may have been missed before.
      wake();
      if (!signal.aborted) await ended;
    } finally {
      listening = undefined;
      wake();
      void client.end().catch(() => undefined);
    }
  }

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

  // A connection that does not come about must not hold up the polling, so each has a loop of its own.
  async function listenAgain(start: NonNullable<WatchOptions["connect"]>): Promise<void> {
    while (!signal.aborted) {
      await start()
        .then(listen)
        .catch(() => undefined);
      await pause(POLL_MS);
    }
  }

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      // A notice that arrives during the check starts the next one at once.
      const noticed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await check().catch(() => undefined);
      await Promise.race([noticed, pause(listening === undefined ? POLL_MS : LISTENING_POLL_MS)]);
    }
  }
  if (connect !== undefined) void listenAgain(connect);
  void poll();

  return {
    stop() {
      stopping.abort();
      wake();
      void listening?.end().catch(() => undefined);
    },
  };
}
