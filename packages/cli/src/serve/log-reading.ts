import type { ReadProgress } from "@daypass/gateway/disk";
import type { Log } from "@daypass/gateway/node";

/** Says in the log what the first listing of a large folder waits for. */
export function logReading({ logger }: Log): (progress: ReadProgress) => void {
  return (progress) =>
    logger.info(
      progress,
      progress.ended ? "read the folders of a bucket" : "reading the folders of a bucket, listings of it wait",
    );
}
