import { openDiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
import { type Channel, metricsCollector, primary } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { stateOwners } from "../../state-owner/state-owner.ts";
import { untilStopped } from "./process-events.ts";
import type { RunOptions } from "./run-single.ts";
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
  // Only one process may write the index of a folder.
  const { servesFolder } = driverOf(settings.storage);
  const index = servesFolder ? await openDiskIndex(settings.root, diskEvents(log)) : undefined;
  const owner = stateOwners(settings, log);
  await owner.ensure();
  // A replacement worker uses the settings of the other workers, not a file that has changed since.
  let current = settings;
  let port = settings.port;
  let madeKeys = false;
  let failure: string | undefined;
  let serves = false;
  let alive = 0;
  const listenTo = (channel: Channel): void => {
    alive += 1;
    channel.onClose(() => {
      alive -= 1;
      // No worker holds the port. With port 0 the next worker would get another port.
      if (alive === 0) current = { ...current, port };
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
      }
    });
  };
  const collector = metricsCollector();
  const workers = primary({
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
  try {
    await workers.ready().catch(async (error: Error) => {
      await workers.drain(0);
      throw failure === undefined ? error : new CommandError(failure);
    });
    serves = true;
    const stopped = untilStopped({
      reload: async () => {
        await owner.ensure();
        workers.reload();
      },
      drain: () => workers.drain(current.drainDelayMs + current.drainMs),
      kill: () => process.exit(1),
    });
    await Promise.all([stopped, onListening({ port, madeKeys })]);
  } finally {
    await owner.stop();
    index?.close();
  }
}
