/** Limits on guesses of passwords. They count by network: what one network does never refuses another. */
import type { Millis } from "../state/contract/deliveries.ts";
import type { State } from "../state/contract/state.ts";

const WINDOW: Millis = 10 * 60_000;
/** Failures in {@link WINDOW} of one network, or of a browser that proved the password. */
const MOST = 10;
/** A client may have a whole IPv6 /48, which is 65,536 networks. */
const MOST_OF_48 = 40;

/** An attempt that may be decided now. */
export interface Attempt {
  /** Failures of new clients of the link in ten minutes, this attempt among them; 0 without a link. */
  readonly byLink: number;
  /** Takes the attempt back: it was right. */
  forget(): Promise<void>;
}

/** Counts attempts. */
export interface Attempts {
  /** Counts an attempt and waits for its turn. Returns when to try again if it is refused. */
  begin(network: string, link: string): Promise<Attempt | Millis>;
  /** The same for a browser, by a counter that no network shares. */
  beginProved(browser: string): Promise<Attempt | Millis>;
}

/** What {@link attemptsOf} works with. */
export interface AttemptOptions {
  readonly state: State;
  readonly clock: () => Date;
  /** Waits. */
  readonly pause: (ms: Millis) => Promise<void>;
}

type Counter = Pick<Parameters<State["recordFailure"]>[0], "address" | "most" | "link">;

/** The counters of a network. The widest one names the link, so that each attempt for it counts once. */
function countersOf(network: string, link: string): readonly Counter[] {
  if (!network.includes(":")) return [{ address: network, most: MOST, link }];
  const wide = network.split(":").slice(0, 3).join(":");
  return [
    { address: network, most: MOST, link: "" },
    { address: wide, most: MOST_OF_48, link },
  ];
}

/** The counters of a state. */
export function attemptsOf({ state, clock, pause }: AttemptOptions): Attempts {
  const now = (): Millis => clock().getTime();

  async function begin(counters: readonly Counter[]): Promise<Attempt | Millis> {
    const counted: Parameters<State["forgetFailure"]>[0][] = [];
    const forget = async (): Promise<void> => {
      for (const failure of counted) await state.forgetFailure(failure);
    };
    let turn = { at: 0, byLink: 0 };
    for (const { address, link, most } of counters) {
      const { at, byAddress, byLink, lastByLink } = await state.recordFailure({
        address,
        link,
        most,
        windowMs: WINDOW,
      });
      if (at === undefined) {
        await forget();
        return byAddress >= most ? now() + WINDOW : (lastByLink ?? now());
      }
      counted.push({ address, link, at });
      turn = { at, byLink: link === "" ? 0 : byLink };
    }
    const wait = turn.at - now();
    if (wait > 0) await pause(wait);
    return { byLink: turn.byLink, forget };
  }

  return {
    begin: (network, link) => begin(countersOf(network, link)),
    beginProved: (browser) => begin([{ address: `browser ${browser}`, most: MOST, link: "" }]),
  };
}
