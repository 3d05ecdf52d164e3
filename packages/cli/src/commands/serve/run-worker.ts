import { worker } from "@daypass/gateway/node";
import type { ExitStatus } from "../../command.ts";
import type { Report, SettingsMessage } from "./run-cluster.ts";
import { type RunOptions, reloader } from "./run-single.ts";
import { openInstance, type ServerInstance } from "./server-instance.ts";
import type { LoadedSettings } from "./settings.ts";

/** Requests the settings from the primary. */
export function settingsOfPrimary(): Promise<LoadedSettings> {
  return new Promise((resolve) => {
    const take = (message: SettingsMessage): void => {
      if (message.daypass !== "settings") return;
      process.off("message", take);
      resolve(message.settings);
    };
    process.on("message", take);
    process.send?.({ daypass: "settings?" } satisfies Report);
  });
}

/** Serves as one of several processes. The primary sends reloads and the stop. */
export async function runWorker(options: Omit<RunOptions, "onListening" | "onReloaded">): Promise<ExitStatus> {
  const { settings, env, log } = options;
  let instance: ServerInstance | undefined;
  let isWaiting = true;
  const onStateOpen = (): void => {
    isWaiting = false;
  };
  let reloadInstance: () => Promise<void> = async () => undefined;
  let isReloadDue = false;
  let stopped: () => void = () => undefined;
  const untilDrained = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const reload = async (): Promise<void> => {
    isReloadDue = instance === undefined;
    if (instance === undefined) return;
    await reloadInstance();
    end.channel.send({ daypass: "settings", settings: instance.settings } satisfies Report);
  };
  const end = worker({
    onReload: reload,
    async onDrain(timeoutMs) {
      // No request was read, and the state may stay away.
      if (isWaiting) process.exit(0);
      await instance?.drain(timeoutMs);
      stopped();
    },
  });
  try {
    instance = await openInstance(settings, { env, log, channel: end.channel, onStateOpen });
    reloadInstance = reloader(instance, options);
  } catch (error) {
    await reportFailure((error as Error).message);
    return 1;
  }
  end.channel.send({ daypass: "start", port: instance.port, madeKeys: instance.madeKeys } satisfies Report);
  end.ready();
  if (isReloadDue) await reload();
  await untilDrained;
  return 0;
}

/**
 * Reports a failure to the primary, which prints it once for all workers. Then disconnects, because the connection would keep this process alive,
 * unless the primary has stopped it already.
 */
async function reportFailure(failure: string): Promise<void> {
  const report: Report = { daypass: "failure", failure };
  await new Promise((resolve) => process.send?.(report, undefined, undefined, resolve));
  if (process.connected) process.disconnect();
}
