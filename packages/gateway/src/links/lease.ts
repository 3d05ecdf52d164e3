/** A response in progress: its delivery stays alive while it runs, and gets back at its end what was not sent. */
import type { State } from "../state/contract/state.ts";

/** Milliseconds between two signs of life. A lease lasts an hour after each. */
const ALIVE_EVERY = 60_000;

/** Ends a response. `from` is the offset of its first byte in the object; `undefined` if it was no part of one object. */
export type Settle = (sent: number, from?: number) => void;

/** Keeps the lease of a delivery while a response runs: a transfer that stalls is cut by the server, so running means moving. */
export function holdLease(
  state: State,
  { variant, token, attempt }: { readonly variant: string; readonly token: string; readonly attempt: string },
): Settle {
  // Both are lazy: a lost sign of life is followed by another, and a lost end leaves its bytes reserved.
  const report = (command: Parameters<State["deliver"]>[1]): void =>
    void state.deliver(variant, command).catch(() => undefined);
  const beat = setInterval(() => report({ type: "alive", token }), ALIVE_EVERY).unref();
  return (sent, from) => {
    clearInterval(beat);
    report({ type: "settle", token, attempt, sent, from });
  };
}
