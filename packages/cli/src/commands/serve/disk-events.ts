import type { ReadProgress } from "@daypass/gateway/disk";
import type { Log } from "@daypass/gateway/node";

/** Logs why a first listing of the served folder takes long. */
export function diskEvents({ logger }: Log): { onRead(progress: ReadProgress): void } {
  return {
    onRead: (progress) =>
      logger.info(
        progress,
        progress.ended ? "read the folders of a bucket" : "reading the folders of a bucket, its listings wait",
      ),
  };
}
