import type { Log } from "@daypass/gateway/node";
import { type StateOwners, stateOwners } from "../../state-owner/state-owner.ts";
import { onReload, untilStopped } from "./process-events.ts";
import { linkFault, openInstance, type ServerInstance } from "./server-instance.ts";
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
  /** Called once the gateway accepts requests. `reload` rejects if the links cannot open. */
  readonly onListening: (listening: Listening, reload: () => Promise<void>) => Promise<void>;
  /** Called after a reload. */
  readonly onReloaded: (settings: LoadedSettings) => void;
}

/** Serves in this process until a signal stops it. */
export async function runSingle(options: RunOptions): Promise<void> {
  const { settings, env, log, onListening, onReloaded } = options;
  const owner = stateOwners(settings, log);
  let isWaiting = true;
  const onStateOpen = (): void => {
    isWaiting = false;
  };
  const opening = owner.ensure().then(() => openInstance(settings, { env, log, onStateOpen }));
  const stopped = untilStopped({
    drain: async () => (isWaiting ? endStart(owner, log) : drain(await opening, log)),
    kill: () => process.exit(1),
  });
  const serve = async (): Promise<void> => {
    const instance = await opening;
    const reloadInstance = reloader(instance, options);
    const reload = (): Promise<void> =>
      owner.ensure().finally(async () => {
        await reloadInstance();
        onReloaded(instance.settings);
      });
    onReload(() => reload().catch(linkFault(log)));
    // A reader of the announcement may send a signal at once.
    await onListening(instance, reload);
  };
  await Promise.all([stopped, serve()]).finally(() => owner.stop());
}

/** Ends a gateway that has read no request. What waits for the state would keep the process alive. */
export async function endStart(owner: StateOwners, log: Log): Promise<never> {
  await owner.stop();
  await log.close();
  process.exit(0);
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
