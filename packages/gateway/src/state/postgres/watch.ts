/** Learns of revocations that other replicas make: at once by LISTEN on a direct connection, and always by polling. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

/** How often a replica asks. Also with LISTEN, because a connection that was cut silently brings no notice. */
const POLL_MS = 500;

/** Options of {@link watchRevocations}. */
export interface WatchOptions {
  /** Connects to `state.direct`; absent: polling alone. */
  readonly connect?: (() => Promise<Client>) | undefined;
  /** The present revision. */
  readonly revision: () => Promise<number>;
  readonly onRevision: (revision: number) => void;
}

/** Watches until it is stopped. Reports the revision at each look, so that who could not read by it tries again soon. */
export function watchRevocations({ connect, revision, onRevision }: WatchOptions): { stop(): void } {
  const stopping = new AbortController();
  const { signal } = stopping;
  let wake: () => void = () => undefined;

  /** Listens until the connection ends, or the watch is stopped. */
  async function listen(client: Client): Promise<void> {
    try {
      const ended = once(client, "end", { signal });
      client.on("notification", () => wake());
      await Promise.all([client.query("LISTEN daypass_revocation"), ended]);
    } finally {
      void client.end().catch(() => undefined);
    }
  }

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

  // A connection that does not come about must not hold up the polling, so each has its own loop.
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
      await revision()
        .then(onRevision)
        .catch(() => undefined);
      await Promise.race([noticed, pause(POLL_MS)]);
    }
  }
  if (connect !== undefined) void listenAgain(connect);
  void poll();

  return { stop: () => stopping.abort() };
}
