import type { Log } from "@daypass/gateway/node";
import { stateOwners } from "../../state-owner/state-owner.ts";
import { untilStopped } from "./process-events.ts";
import { openInstance, type ServerInstance } from "./server-instance.ts";
import type { LoadedSettings } from "./settings.ts";

/** The result of a start. */
export interface Listening {
  readonly port: number;
  /** Whether the first keys were created. */
  readonly madeKeys: boolean;
}

/** Options of a run in one process or in several. */
export interface RunOptions {
  readonly settings: LoadedSettings;
  /** Reads the settings again. */
  readonly reread: () => Promise<LoadedSettings>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Called once the gateway accepts requests. */
  readonly onListening: (listening: Listening) => Promise<void>;
  /** Called after a reload. */
  readonly onReloaded: (settings: LoadedSettings) => void;
}

/** Serves in this process until a signal stops it. */
export async function runSingle(options: RunOptions): Promise<void> {
  const { settings, env, log, onListening, onReloaded } = options;
  const owner = stateOwners(settings, log);
  await owner.ensure();
  const instance = await openInstance(settings, { env, log });
  const reload = reloader(instance, options);
  const stopped = untilStopped({
    reload: async () => {
      await owner.ensure();
      await reload();
      onReloaded(instance.settings);
    },
    drain: () => drain(instance, log),
    kill: () => process.exit(1),
  });
  // A reader of the announcement may send a signal at once.
  await Promise.all([stopped, onListening(instance)]).finally(() => owner.stop());
}

/** The same grace period as for workers. */
const GRACE_MS = 1000;

/** Stops the gateway. A change in an upstream may take any time, so the stop does not wait for it. */
async function drain(instance: ServerInstance, log: Log): Promise<void> {
  const { drainDelayMs, drainMs } = instance.settings;
  const stopMs = drainDelayMs + drainMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, stopMs + GRACE_MS, true);
  });
  const isLate = await Promise.race([late, instance.drain(stopMs).then(() => false)]).finally(() =>
    clearTimeout(timer),
  );
  if (!isLate) return;
  log.logger.error({ drainMs }, "a change was still in progress and is cut off");
  await log.close();
  process.exit(0);
}

/**
 * A function that reloads configuration and keys. Errors are logged and change nothing. Calls run one after another, so that the last one
 * counts.
 */
export function reloader(
  instance: ServerInstance,
  { reread, log }: Pick<RunOptions, "reread" | "log">,
): () => Promise<void> {
  let last = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      await instance.reload(await reread());
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
