import type { Log } from "@daypass/gateway/node";
import { untilStopped } from "./process-events.ts";
import { openSite, type Site } from "./server-instance.ts";
import type { ReadSettings } from "./settings.ts";

/** What a start has come to. */
export interface Listening {
  readonly port: number;
  /** Whether the first keys were made. */
  readonly madeKeys: boolean;
}

/** What running a gateway needs, in one process or in several. */
export interface RunOptions {
  readonly settings: ReadSettings;
  /** Reads the settings anew, for this process. */
  readonly reread: () => Promise<ReadSettings>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Told once requests are answered. */
  readonly onListening: (listening: Listening) => Promise<void>;
}

/** Serves in this process until it is told to stop. */
export async function runSingle(options: RunOptions): Promise<void> {
  const { settings, env, log, onListening } = options;
  const site = await openSite(settings, { env, log });
  const stopped = untilStopped({
    reload: siteReloader(site, options),
    drain: () => drain(site, log),
    kill: () => process.exit(1),
  });
  // Whoever is told that it listens may send a signal at once.
  await Promise.all([stopped, onListening(site)]);
}

/** What workers have as well, which are ended behind it. */
const GRACE_MS = 1000;

/** A change goes on without its client, and one inside an upstream may take as long as that likes: a stop does not wait for it. */
async function drain(site: Site, log: Log): Promise<void> {
  const { drainMs } = site.settings;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, drainMs + GRACE_MS, true);
  });
  const isLate = await Promise.race([late, site.drain(drainMs).then(() => false)]).finally(() => clearTimeout(timer));
  if (!isLate) return;
  log.logger.error({ drainMs }, "a change was still in progress and is cut off");
  await log.close();
  process.exit(0);
}

/**
 * Makes what reads configuration and keys again. A mistake in them must not end a gateway that serves, and of two calls the second is the last to
 * count, however long the first one takes.
 */
export function siteReloader(site: Site, { reread, log }: Pick<RunOptions, "reread" | "log">): () => Promise<void> {
  let last = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      await site.reload(await reread());
      log.logger.info("configuration and keys were reloaded");
    } catch (error) {
      log.logger.error({ error: String(error) }, "reload failed, nothing was changed");
    }
  };
  return () => {
    last = last.then(reload);
    return last;
  };
}
