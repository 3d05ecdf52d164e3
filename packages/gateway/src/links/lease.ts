/** A response in progress: its delivery stays alive while it runs, and gets back at its end what was not sent. */
import type { Applied, Command, Covered } from "../state/contract/deliveries.ts";
import type { State } from "../state/contract/state.ts";

/** Milliseconds between two signs of life. A lease lasts an hour after each. */
const ALIVE_EVERY = 60_000;

/** A response whose delivery is kept alive. */
export interface HeldLease {
  /** Ends the response. */
  settle(sent: number): void;
  /** Registers the function that cuts the response when its delivery is over; the result removes it. */
  onRunning(cut: () => void): () => void;
}

/** The response that holds a lease: the variant's delivery by the SHA-256 of its token, its attempt, and its range of one object, if known. */
export interface LeaseHolder {
  readonly variant: string;
  readonly token: string;
  readonly attempt: string;
  readonly range?: Covered | undefined;
}

/** Keeps the lease of a delivery while a response runs: a transfer that stalls is cut by the server, so running means moving. */
export function holdLease(state: State, { variant, token, attempt, range }: LeaseHolder): HeldLease {
  let cut: (() => void) | undefined;
  // Both are lazy: a lost sign of life is followed by another, and a lost end leaves its bytes reserved.
  const report = (command: Command): Promise<Applied | undefined> =>
    state.deliver(variant, command).catch(() => undefined);
  const beat = setInterval(async () => {
    const result = await report({ type: "alive", token, range });
    if (result?.ok === false && result.reason === "expired") cut?.();
  }, ALIVE_EVERY).unref();
  return {
    settle(sent) {
      clearInterval(beat);
      void report({ type: "settle", token, attempt, sent, from: range?.[0] });
    },
    onRunning(end) {
      cut = end;
      return () => {
        cut = undefined;
      };
    },
  };
}
