/** Sends what the outbox holds. Any number of processes may do so at once. */
import type { Notification } from "../state/contract/outbox.ts";
import type { State } from "../state/contract/state.ts";
import { type SendOptions, sendNotification, webhookSecret } from "./send.ts";

/** Notifications that one process sends at once: each holds a socket. */
const AT_ONCE = 256;
/** Of these to one webhook, so that a receiver that hangs leaves room for the others. */
const EACH = 16;
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
  let taking: Promise<unknown> = Promise.resolve();
  let isTaking = false;
  /** Whether an attempt ended while others were taken: its webhook has room. */
  let isWanted = false;
  /** How many are sent at this moment, by webhook. */
  const sending: Record<string, number> = {};
  const attempts = new Set<Promise<void>>();

  async function send(notification: Notification): Promise<void> {
    const secret = webhookSecret(stateKey, notification.webhook);
    const outcome = await sendNotification(notification, { guard, secret, clock, random });
    await state.settleNotification(notification.id, outcome);
  }

  async function take(): Promise<readonly Promise<void>[]> {
    const room = AT_ONCE - attempts.size;
    const due = room === 0 ? [] : await state.takeNotifications(room, LEASE, { each: EACH, sending });
    return due.map((notification) => {
      const { webhook } = notification;
      sending[webhook] = (sending[webhook] ?? 0) + 1;
      const attempt = send(notification).finally(() => {
        attempts.delete(attempt);
        sending[webhook] = (sending[webhook] ?? 0) - 1;
        if (sending[webhook] === 0) delete sending[webhook];
      });
      attempts.add(attempt);
      return attempt;
    });
  }

  function loop(): void {
    clearTimeout(timer);
    isWanted = isTaking;
    if (isTaking || isClosed) return;
    isTaking = true;
    // While the state is away, the next poll tries again.
    const taken = take().then(
      (begun) => begun.map((attempt) => attempt.then(loop, () => undefined)),
      () => undefined,
    );
    taking = taken.then(() => {
      isTaking = false;
      if (!isClosed) timer = setTimeout(loop, isWanted ? 0 : POLL);
    });
  }

  return {
    run: async () => (await Promise.all(await take())).length,
    start: loop,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await taking;
      await Promise.allSettled(attempts);
    },
  };
}
