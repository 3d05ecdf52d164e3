import type { Log } from "@daypass/gateway/node";
import type { KeyRing } from "./key-ring.ts";

/** What is looked at for as long as a site runs. */
export interface Watched {
  readonly keys: KeyRing;
  readonly clock: () => Date;
  readonly log: Log;
}

// A revoked key has to be refused within a second.
const POLL_MS = 400;

/** Takes over keys that have changed, and tells the log once what is wrong with them or with the clock. Returns what ends it. */
export function watch({ keys, clock, log }: Watched): () => void {
  const lookAtClock = clockWatch(clock, log);
  const lookAtKeys = keyWatch(keys, log);
  const poll = setInterval(() => {
    lookAtClock();
    lookAtKeys();
  }, POLL_MS);
  poll.unref();
  return () => clearInterval(poll);
}

/** What is set back by less is mended before anybody sees what it does. */
const TOLD_SECONDS = 5;
const SET_BACK =
  "the system clock was set back: the gateway's time stands still until it catches up, and URLs that end before then are refused; if the clock was wrong before, restart the gateway";

/** A worker that is asked nothing for a while has to know as well how late it has been, should the clock be set back. */
function clockWatch(clock: () => Date, { logger }: Log): () => void {
  let standsStill = false;
  return () => {
    const seconds = Math.round((clock().getTime() - Date.now()) / 1000);
    if (seconds >= TOLD_SECONDS && !standsStill) logger.error({ seconds }, SET_BACK);
    standsStill = seconds >= TOLD_SECONDS;
  };
}

function keyWatch(keys: KeyRing, { logger }: Log): () => void {
  let fault: string | undefined;
  return () => {
    keys.refresh().then(
      () => {
        if (fault !== undefined) logger.info("keys can be read again");
        fault = undefined;
      },
      (error: unknown) => {
        // Once: it stays until somebody mends it.
        if (fault !== String(error))
          logger.error({ error: String(error) }, "could not read the keys, the previous ones stay in use");
        fault = String(error);
      },
    );
  };
}
