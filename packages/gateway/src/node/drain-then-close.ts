import type { IncomingMessage, ServerResponse } from "node:http";
import { stopReading } from "./stop-reading.ts";
import { reachedBytes, takenBytes } from "./taken-bytes.ts";

const MAX_BYTES = 256 * 1024;
const WAIT_MS = 500;
/** Of a response that has not reached its client: a packet that is lost comes again in a second, and a reset would be there before it. */
const LONGEST_WAITS = 10;

/**
 * Ends a response whose request has a body that nobody will read. To close at once would make the kernel answer the bytes that
 * are still coming with a reset, and that can overtake the response (RFC 9112 §9.6 asks for a close in stages). So the response
 * goes out whole, a little of the body is thrown away, the rest waits with its sender, and then the connection ends, whatever is
 * still to come. Over a network that loses packets that is some seconds later.
 */
export function linger(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array | undefined): void {
  let discarded = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off("data", count).off("end", finish).off("close", finish).off("error", ignore);
    response.end();
    request.socket.destroySoon();
  };
  const count = (chunk: Uint8Array): void => {
    discarded += chunk.length;
    if (discarded <= MAX_BYTES) return;
    request.off("data", count);
    // A proxy that is sending on would be told of the reset before it has read the response, and answer 502 in its place. Only the socket stops:
    // a request that does keeps what was read of it, a quarter of a megabyte, and nobody has to be known to be refused.
    stopReading(request.socket);
  };
  const ignore = (): void => {};
  let waits = 0;
  const wait = async (): Promise<void> => {
    waits += 1;
    const reached = await reachedBytes(request.socket);
    // The client may have ended while the kernel was asked.
    if (response.writableEnded) return;
    const isUnderWay = reached !== undefined && reached < (takenBytes(request.socket) ?? 0);
    if (isUnderWay && waits < LONGEST_WAITS) timer = setTimeout(wait, WAIT_MS).unref();
    else finish();
  };
  let timer = setTimeout(wait, WAIT_MS).unref();
  // A reader that stopped early has paused it.
  request.on("data", count).on("end", finish).on("close", finish).on("error", ignore).resume();
  if (bytes === undefined) response.flushHeaders();
  else response.write(bytes);
}
