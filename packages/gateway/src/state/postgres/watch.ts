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

  async function listen(): Promise<void> {
    if (connect === undefined || listening !== undefined) return;
    const client = await connect();
    const leave = (): void => {
      if (listening === client) listening = undefined;
      wake();
      void client.end().catch(() => undefined);
    };
    client
      .on("error", leave)
      .on("end", leave)
      .on("notification", () => wake());
    await client.query("LISTEN daypass_revocation");
    if (signal.aborted) leave();
    else listening = client;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      // A notice that arrives during the check starts the next one at once.
      const noticed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.all([listen().catch(() => undefined), check().catch(() => undefined)]);
      const wait = sleep(listening === undefined ? POLL_MS : LISTENING_POLL_MS, undefined, { signal, ref: false });
      await Promise.race([noticed, wait.catch(() => undefined)]);
    }
  }
  void run();

  return {
    stop() {
      stopping.abort();
      wake();
      void listening?.end().catch(() => undefined);
    },
  };
}
