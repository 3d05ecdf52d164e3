/** When an attempt to guess a password may be decided. Pure, so that every engine decides alike. */
import type { Millis } from "./deliveries.ts";

/** Attempts for one link in a window that need not wait. */
const FREE_ATTEMPTS = 10;
/** Then the new clients of the link share one attempt in this time. */
const PACE: Millis = 1000;
const MAX_WAIT: Millis = 30_000;

/** What an engine knows about an attempt. */
export interface AttemptFacts extends Pick<CountedFailure, "link" | "most"> {
  readonly counts: FailureCounts;
  /** Attempts of the address for this link that wait. */
  readonly waiting: number;
  readonly now: Millis;
}

/** The instant; `undefined` refuses the attempt. Of one address, one attempt waits: others must not fill the time of a link. */
export function scheduleAttempt({ link, most, counts, waiting, now }: AttemptFacts): Millis | undefined {
  if (counts.byAddress >= most) return undefined;
  if (link === "" || counts.byLink < FREE_ATTEMPTS) return now;
  const at = Math.max(now, (counts.lastByLink ?? 0) + PACE);
  return waiting > 0 || at > now + MAX_WAIT ? undefined : at;
}

/** An attempt to guess. */
export interface CountedFailure {
  /** The network of the client, or its browser. */
  readonly address: string;
  /** The link whose new clients share attempts; empty for a browser that proved the password. */
  readonly link: string;
  /** Milliseconds in which failures count. */
  readonly windowMs: number;
  /** Failures of the address in the window, at most. */
  readonly most: number;
}

/** The counts with the attempt, if it was not refused. */
export interface RecordedFailure extends FailureCounts {
  /** When the attempt may be decided, milliseconds since 1970; absent if it was refused. */
  readonly at?: Millis | undefined;
}

/** Failures in a window. */
export interface FailureCounts {
  /** Number of failures from the network. */
  readonly byAddress: number;
  /** Number of failures at the link. */
  readonly byLink: number;
  /** When the last one at the link was, milliseconds since 1970. */
  readonly lastByLink: Millis | undefined;
}
