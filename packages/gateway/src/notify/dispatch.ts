/** Sends what the outbox holds. Any number of processes may do so at once. */
import type { State } from "../state/contract/state.ts";
import { type SendOptions, sendNotification, webhookSecret } from "./send.ts";

/** Notifications that one process sends at once. */
const AT_ONCE = 16;
/** Longer than one attempt. A notification of a process that was killed is sent again after it. */
const LEASE: number = 20_000;
const POLL = 1000;

/** Options of {@link dispatcher}. */
export interface DispatcherOptions extends Omit<SendOptions, "secret" | "random"> {
  readonly state: State;
  /** The secret that all processes of the state share. */
  readonly stateKey: Uint8Array;
  readonly random?: (() => number) | undefined;
}

/** Sends notifications until it is closed. */
export interface Dispatcher {
  /** Sends what is due now. Returns how many attempts were made. Rejects if the state is away. */
  run(): Promise<number>;
  /** Sends again and again. */
  start(): void;
  /** Resolves when the attempts in progress have ended. */
  close(): Promise<void>;
}

/**
 * A dispatcher for the outbox of a state. Sends nothing before `start` or `run`.
 *
 * @example
 * ```ts
 * import { dispatcher, targetGuard } from "@daypass/gateway/notify";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * const guard = targetGuard({ allowNetworks: [] });
 * const sender = dispatcher({ state, stateKey: await state.secret("links"), guard, clock: () => new Date() });
 * await sender.run();
 * await sender.close();
 * await state.close();
 * ```
 */
export function dispatcher({ state, stateKey, guard, clock, random = Math.random }: DispatcherOptions): Dispatcher {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();

  async function run(): Promise<number> {
    const due = await state.takeNotifications(AT_ONCE, LEASE);
    await Promise.all(
      due.map(async (notification) => {
        const secret = webhookSecret(stateKey, notification.webhook);
        const outcome = await sendNotification(notification, { guard, secret, clock, random });
        await state.settleNotification(notification.id, outcome);
      }),
    );
    return due.length;
  }

  function loop(): void {
    if (isClosed) return;
    // While the state is away, the next poll tries again.
    running = run()
      .catch(() => 0)
      .then((attempts) => {
        if (!isClosed) timer = setTimeout(loop, attempts > 0 ? 0 : POLL);
      });
  }

  return {
    run,
    start: loop,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
