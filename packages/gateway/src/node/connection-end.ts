import { setMaxListeners } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The reason of the signals. One for all, because each new error captures a stack. */
export const LEFT: Error = new Error("the client disconnected");

/** A signal without a listener limit: a DeleteObjects over an upstream has sixteen, and Node warns of a leak at eleven. */
export function endSignal(): AbortController {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  return end;
}

type Waiting = Pick<ServerResponse, "writableFinished">;

interface ConnectionEnd {
  readonly signal: AbortSignal;
  /** The response in progress. Weak, because an idle connection does not need its 4 KB. */
  waiting: WeakRef<Waiting>;
}

/**
 * Returns the signal that a connection has ended. All requests of a connection share one, and only a request that waits creates it: with
 * one connection for each small response, the signals took a seventh of the rate.
 */
export function connectionEnds(): (socket: Socket, waiting: Waiting) => AbortSignal {
  const ends = new WeakMap<Socket, ConnectionEnd>();
  return (socket, waiting) => {
    const known = ends.get(socket);
    if (known !== undefined) {
      known.waiting = new WeakRef(waiting);
      return known.signal;
    }
    const controller = endSignal();
    const end: ConnectionEnd = { signal: controller.signal, waiting: new WeakRef(waiting) };
    ends.set(socket, end);
    // The socket may have closed before this call, and emits `close` only once.
    if (socket.destroyed) {
      controller.abort(LEFT);
      return end.signal;
    }
    socket.once("close", () => controller.abort(LEFT));
    if (socket.readableEnded) closeIfSilent(socket, end);
    else socket.once("end", () => closeIfSilent(socket, end));
    return end.signal;
  };
}

const SILENCE_MS = 1000;

/**
 * Closes a half-closed connection if nothing can be sent for a second. Until something is sent, TCP shows no difference between a client
 * that has left and a client that waits for its response. A client that is slow to accept bytes is left to the rule for slow clients.
 */
function closeIfSilent(socket: Socket, end: ConnectionEnd): void {
  let sent = socket.bytesWritten;
  const timer = setInterval(() => {
    const waits = end.waiting.deref()?.writableFinished === false;
    if (waits && socket.bytesWritten === sent && socket.writableLength === 0) socket.destroy();
    sent = socket.bytesWritten;
  }, SILENCE_MS).unref();
  socket.once("close", () => clearInterval(timer));
}
