import { openDiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
import { type Channel, metricsCollector, type Primary, primary } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { stateOwners } from "../../state-owner/state-owner.ts";
import { onReload, untilStopped } from "./process-events.ts";
import { endStart, type RunOptions } from "./run-single.ts";
import { linkFault } from "./server-instance.ts";
import { type LoadedSettings, logLevel } from "./settings.ts";
import { diskEvents, driverOf } from "./storage.ts";

/** A message of a worker to its primary. The index has other messages. */
export type Report =
  | { readonly daypass: "start"; readonly port: number; readonly madeKeys: boolean }
  | { readonly daypass: "failure"; readonly failure: string }
  /** A new worker requests its settings. The reply is a `SettingsMessage`. */
  | { readonly daypass: "settings?" }
  | SettingsMessage;

/** The settings: a reply to a new worker, and a report of a worker after a reload. */
export interface SettingsMessage {
  readonly daypass: "settings";
  readonly settings: LoadedSettings;
}

function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && Object.hasOwn(message, "daypass");
}

/** Serves in several processes that share the port. The primary owns the index of a folder and supervises the workers. */
export async function runCluster({ settings, log, onListening, onReloaded }: RunOptions): Promise<void> {
  const owner = stateOwners(settings, log);
  let workers: Primary | undefined;
  // A replacement worker uses the settings of the other workers, not a file that has changed since.
  let current = settings;
  let port = settings.port;
  let madeKeys = false;
  let failure: string | undefined;
  let serves = false;
  const stopped = untilStopped({
    drain: () => workers?.drain(serves ? current.drainDelayMs + current.drainMs : 0) ?? endStart(owner, log),
    kill: () => process.exit(1),
  });
  // Only one process may write the index of a folder.
  const { servesFolder } = driverOf(settings.storage);
  const index = servesFolder ? await openDiskIndex(settings.root, diskEvents(log)) : undefined;
  await owner.ensure();
  const alive = new Set<Channel>();
  /** Reloads, with the workers that have not reported yet. */
  const reloads = new Map<Set<Channel>, () => void>();
  const noteReload = (channel: Channel): void => {
    for (const [left, done] of reloads) if (left.delete(channel) && left.size === 0) done();
  };
  const listenTo = (channel: Channel): void => {
    alive.add(channel);
    channel.onClose(() => {
      alive.delete(channel);
      noteReload(channel);
      // No worker holds the port. With port 0 the next worker would get another port.
      if (alive.size === 0) current = { ...current, port };
    });
    channel.onMessage((message) => {
      if (!isReport(message)) return;
      switch (message.daypass) {
        case "start":
          port = message.port;
          madeKeys ||= message.madeKeys;
          break;
        case "failure":
          // Later failures may be consequences, because the other workers are stopped.
          failure ??= message.failure;
          if (serves) log.logger.error({ error: message.failure }, "a replacement worker could not start");
          break;
        case "settings?":
          channel.send({ daypass: "settings", settings: current } satisfies SettingsMessage);
          break;
        case "settings":
          current = message.settings;
          log.logger.level = logLevel(current);
          onReloaded(current);
          noteReload(channel);
      }
    });
  };
  const collector = metricsCollector();
  const started = primary({
    workers: settings.workers,
    onWorker(channel) {
      if (index !== undefined) serveIndexWriter(channel, index.writer);
      collector.add(channel);
      listenTo(channel);
    },
    onExit: (exit) => log.logger.error(exit, "a worker exited, another replaces it"),
    onCut({ id }) {
      // A failed start has been reported already.
      if (serves) log.logger.error({ id, drainMs: current.drainMs }, "a change was still in progress and is cut off");
    },
  });
  workers = started;
  try {
    const ready = started.ready().catch(async (error: Error) => {
      await started.drain(0);
      throw failure === undefined ? error : new CommandError(failure);
    });
    serves = await Promise.race([ready.then(() => true), stopped.then(() => false)]);
    if (!serves) return;
    const reload = (): Promise<void> =>
      owner.ensure().finally(async () => {
        const left = new Set(alive);
        started.reload();
        if (left.size > 0) await new Promise<void>((done) => reloads.set(left, done));
        reloads.delete(left);
      });
    onReload(() => reload().catch(linkFault(log)));
    await Promise.all([stopped, onListening({ port, madeKeys }, reload)]);
  } finally {
    await owner.stop();
    index?.close();
  }
}
