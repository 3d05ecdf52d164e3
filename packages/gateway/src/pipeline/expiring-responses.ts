/** Responses that end with their grant: event streams and WebSockets, which would otherwise outlive it for days. */
import type { Clock } from "daypass";
import type { Outcome } from "./outcome.ts";

const CHECK_MS = 250;

/** Cuts a response when its time is over, by the clock of the gateway. */
export type CutByExpiry = (outcome: Outcome, endsAt: number) => Outcome;

export function expiringResponses(clock: Clock): CutByExpiry {
  const running = new Map<symbol, { readonly endsAt: number; readonly cut: () => void }>();
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    const now = clock().getTime();
    for (const { endsAt, cut } of [...running.values()]) if (now >= endsAt) cut();
    if (running.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return (outcome, endsAt) => {
    const { onRunning } = outcome;
    return Object.assign(outcome, {
      onRunning(cut: () => void): () => void {
        const name = Symbol();
        const others = onRunning?.(cut);
        running.set(name, { endsAt, cut });
        timer ??= setInterval(check, CHECK_MS).unref();
        return () => {
          running.delete(name);
          others?.();
        };
      },
    });
  };
}
