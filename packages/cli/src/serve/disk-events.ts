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
        progress.ended ? "read the folders of a bucket" : "reading the folders of a bucket, listings of it wait",
      ),
    onFull: () =>
      logger.error(
        "found no room on the disk: objects are served and nothing is stored, make room and start the gateway again",
      ),
    onReadOnly: () =>
      logger.warn(
        "may not write to the folder: objects are served and nothing is stored or removed, give the right to and start the gateway again",
      ),
  };
}
