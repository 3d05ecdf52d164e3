/** Request bodies that the gateway does not read. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

const MAX_DROPPED_BYTES = 64 * 1024;

/**
 * Discards the start of a body and then stops reading the socket. A stream that is not read would hold its chunks until the response
 * ends: 256 KB sent byte by byte took a hundred megabytes.
 */
export function dropBody(request: IncomingMessage): void {
  let dropped = 0;
  const count = (chunk: Uint8Array): void => {
    dropped += chunk.length;
    // Behind a complete body, the next request may follow.
    if (dropped <= MAX_DROPPED_BYTES || request.complete) return;
    request.off("data", count);
    stopReading(request.socket);
  };
  request.on("data", count).on("error", () => {});
}

const MAX_DRAINED_BYTES = 256 * 1024;
/** Time for a lost packet of the response to be sent again. */
const LINGER_MS = 2000;

/**
 * Sends a response whose request body is not read, then closes the connection in stages (RFC 9112 §9.6). If the server closed at once, the
 * kernel would answer further bytes of the body with a reset, which can overtake the response.
 */
export function drainThenClose(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array | undefined,
): void {
  let drained = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off("data", count).off("end", finish).off("close", finish).off("error", ignore);
    response.end();
    request.socket.destroySoon();
  };
  const count = (chunk: Uint8Array): void => {
    drained += chunk.length;
    if (drained <= MAX_DRAINED_BYTES) return;
    request.off("data", count);
    // A proxy that still sends would see the reset before the response, and answer 502. A paused request would keep its buffers.
    stopReading(request.socket);
  };
  const ignore = (): void => {};
  const timer = setTimeout(finish, LINGER_MS).unref();
  // A reader that stopped early has paused the request.
  request.on("data", count).on("end", finish).on("close", finish).on("error", ignore).resume();
  if (bytes === undefined) response.flushHeaders();
  else response.write(bytes);
}

/** Stops reading a socket, although Node resumes it after each message and body. */
export function stopReading(socket: Socket): void {
  socket.on("resume", pause).pause();
}

/** Reverts {@link stopReading}. */
export function resumeReading(socket: Socket): void {
  socket.off("resume", pause).resume();
}

function pause(this: Socket): void {
  this.pause();
}
