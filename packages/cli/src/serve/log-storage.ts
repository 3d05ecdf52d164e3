import type { Log } from "@daypass/gateway/node";

/** Says in the log that nothing may be written, and what to do. */
export function logReadOnly({ logger }: Log): () => void {
  return () =>
    logger.warn(
      "may not write to the folder: objects are served and nothing is stored or removed, give the right to and start the gateway again",
    );
}

/** Says in the log that nothing can be stored, and what to do. */
export function logFull({ logger }: Log): () => void {
  return () =>
    logger.error(
      "found no room on the disk: objects are served and nothing is stored, make room and start the gateway again",
    );
}
