import type { ReadProgress } from "@daypass/gateway/disk";
import type { Log } from "@daypass/gateway/node";

/** Says in the log what becomes of a folder that is served, and what to do. */
export function diskEvents({ logger }: Log): {
  onRead(progress: ReadProgress): void;
  onFull(): void;
  onReadOnly(): void;
} {
  return {
    onRead: (progress) =>
      logger.info(
        progress,
        progress.ended ? "read the folders of a bucket" : "reading the folders of a bucket, its listings wait",
      ),
    onFull: () =>
      logger.error(
        "the disk is full: objects are served but nothing is stored; free some space and restart the gateway",
      ),
    onReadOnly: () =>
      logger.warn(
        "the gateway may not write to the folder: objects are served but nothing is stored or removed; grant it write permission and restart it",
      ),
  };
}
