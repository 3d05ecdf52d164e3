import { openDiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
import { type Channel, primary } from "@daypass/gateway/node";
import { CommandError } from "../../command.ts";
import { diskEvents } from "./disk-events.ts";
import { untilStopped } from "./process-events.ts";
import type { RunOptions } from "./run-single.ts";
import { logLevel, type ReadSettings } from "./settings.ts";
import { driverOf } from "./storage.ts";

/** What a worker says to its primary, beside the traffic of the index. */
export type Report =
  | { readonly daypass: "start"; readonly port: number; readonly madeKeys: boolean }
  | { readonly daypass: "failure"; readonly failure: string }
  /** It has come up and wants to know by what to serve: answered with `SettingsMessage`. */
  | { readonly daypass: "settings?" }
  | SettingsMessage;

/** What is served by: the primary's answer to a new worker, and a worker's news after a reload. */
export interface SettingsMessage {
  readonly daypass: "settings";
  readonly settings: ReadSettings;
}

function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && Object.hasOwn(message, "daypass");
}

/** Serves in several processes that share the port. This one serves nothing: it owns the index, if there is one, and minds the others. */
export async function runCluster({ settings, log, onListening }: RunOptions): Promise<void> {
  // Only one process may write the index of a folder.
  const { servesFolder } = driverOf(settings.storage);
  const index = servesFolder ? await openDiskIndex(settings.root, diskEvents(log)) : undefined;
  // A worker that replaces another serves by what the others do, and not by a file that has changed since.
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
      // Nobody holds the port any more, and asked for "a free one" the next worker would get another.
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
          // What comes after it may be its consequence: the others are stopped while they start.
          failure ??= message.failure;
          if (serves) log.logger.error({ error: message.failure }, "a replacement worker could not start");
          break;
        case "settings?":
          channel.send({ daypass: "settings", settings: current } satisfies SettingsMessage);
          break;
        case "settings":
          current = message.settings;
          log.logger.level = logLevel(current);
      }
    });
  };
  const workers = primary({
    workers: settings.workers,
    onWorker(channel) {
      if (index !== undefined) serveIndexWriter(channel, index.writer);
      listenTo(channel);
    },
    onExit: (exit) => log.logger.error(exit, "a worker exited, another replaces it"),
    onCut({ id }) {
      // One that is ended as its start failed has been told of.
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
      reload: async () => workers.reload(),
      drain: () => workers.drain(current.drainMs),
      kill: () => process.exit(1),
    });
    await Promise.all([stopped, onListening({ port, madeKeys })]);
  } finally {
    index?.close();
  }
}
