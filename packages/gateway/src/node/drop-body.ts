import type { IncomingMessage } from "node:http";
import { stopReading } from "./stop-reading.ts";

const MAX_BYTES = 64 * 1024;

/**
 * Throws a little away of a body that nobody will read, and takes no more of it from the socket. Left with its stream it would be held for as
 * long as the answer takes, and each chunk of it is an object: a hundred megabytes for 256 KB that come byte by byte.
 */
export function dropBody(request: IncomingMessage): void {
  let dropped = 0;
  const count = (chunk: Uint8Array): void => {
    dropped += chunk.length;
    // Behind one that is here as a whole the next request may come.
    if (dropped <= MAX_BYTES || request.complete) return;
    // What was read already is thrown away all the same, as nobody listens.
    request.off("data", count);
    stopReading(request.socket);
  };
  request.on("data", count).on("error", () => {});
}
