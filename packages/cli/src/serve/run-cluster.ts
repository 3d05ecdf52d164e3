import { openDiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
import { type Channel, primary } from "@daypass/gateway/node";
import { CommandError } from "../command.ts";
import { logReading } from "./log-reading.ts";
import { logFull, logReadOnly } from "./log-storage.ts";
import type { RunOptions } from "./run-single.ts";
import { untilStopped } from "./signals.ts";

/** What a worker says of its start, beside the traffic of the index. */
export type StartReport =
  | { readonly daypass: "start"; readonly port: number; readonly madeKeys: boolean }
  | { readonly daypass: "start"; readonly failure: string };

function isStartReport(message: unknown): message is StartReport {
  return typeof message === "object" && message !== null && Reflect.get(message, "daypass") === "start";
}

/** Serves in several processes that share the port. This one serves nothing: it owns the index, if there is one, and minds the others. */
export async function runCluster({ settings, log, onListening }: RunOptions): Promise<void> {
  // Only a disk has an index, and only one process may write it.
  const index =
    settings.storage?.driver === "s3"
      ? undefined
      : await openDiskIndex(settings.root, {
          onRead: logReading(log),
          onFull: logFull(log),
          onReadOnly: logReadOnly(log),
        });
  let port = settings.port;
  let madeKeys = false;
  let failure: string | undefined;
  const listenTo = (channel: Channel): void => {
    channel.onMessage((message) => {
      if (!isStartReport(message)) return;
      if ("port" in message) {
        port = message.port;
        madeKeys ||= message.madeKeys;
      } else failure = message.failure;
    });
  };
  const workers = primary({
    workers: settings.workers,
    onWorker(channel) {
      if (index !== undefined) serveIndexWriter(channel, index.writer);
      listenTo(channel);
    },
    onExit: (exit) => log.logger.error(exit, "a worker ended, another takes its place"),
  });
  try {
    await workers.ready().catch(async (error: Error) => {
      await workers.drain(0);
      throw failure === undefined ? error : new CommandError(failure);
    });
    await onListening({ port, madeKeys });
    await untilStopped({
      reload: async () => workers.reload(),
      drain: () => workers.drain(settings.drainMs),
      kill: () => process.exit(1),
    });
  } finally {
    index?.close();
  }
}
