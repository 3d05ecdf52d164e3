import { ipcIndexWriter } from "@daypass/gateway/disk";
import { worker } from "@daypass/gateway/node";
import type { ExitStatus } from "../../command.ts";
import type { Report, SettingsMessage } from "./run-cluster.ts";
import { type RunOptions, siteReloader } from "./run-single.ts";
import { openSite, type Site } from "./server-instance.ts";
import type { ReadSettings } from "./settings.ts";

/** Asks the primary by what to serve. */
export function settingsOfPrimary(): Promise<ReadSettings> {
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

/** Serves as one of several processes. The primary says when to reload and when to stop. */
export async function runWorker(options: Omit<RunOptions, "onListening">): Promise<ExitStatus> {
  const { settings, env, log } = options;
  let site: Site | undefined;
  let reloadSite: () => Promise<void> = async () => undefined;
  let isReloadDue = false;
  let stopped: () => void = () => undefined;
  const untilDrained = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const reload = async (): Promise<void> => {
    isReloadDue = site === undefined;
    if (site === undefined) return;
    await reloadSite();
    end.channel.send({ daypass: "settings", settings: site.settings } satisfies Report);
  };
  const end = worker({
    onReload: reload,
    async onDrain(timeoutMs) {
      await site?.drain(timeoutMs);
      stopped();
    },
  });
  try {
    site = await openSite(settings, { env, log, writer: ipcIndexWriter(end.channel) });
    reloadSite = siteReloader(site, options);
  } catch (error) {
    await reportFailure((error as Error).message);
    return 1;
  }
  end.channel.send({ daypass: "start", port: site.port, madeKeys: site.madeKeys } satisfies Report);
  end.ready();
  if (isReloadDue) await reload();
  await untilDrained;
  return 0;
}

/**
 * Tells the primary, which says it once for all workers. The connection would keep this process alive, but the primary
 * may have ended it: after the first failure it stops the workers that are still starting.
 */
async function reportFailure(failure: string): Promise<void> {
  const report: Report = { daypass: "failure", failure };
  await new Promise((resolve) => process.send?.(report, undefined, undefined, resolve));
  if (process.connected) process.disconnect();
}
