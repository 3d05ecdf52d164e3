import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";

/** Why: the same for all, as a new one each time would cost each connection a stack. */
export const LEFT: Error = new Error("the client is gone");

/** Tells many of an end: a DeleteObjects over an upstream waits for sixteen answers at once, and of eleven Node would write that they leak. */
export function endSignal(): AbortController {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  return end;
}

/**
 * The signal that a connection has ended. One for all of its requests, which are answered one after the other, and made for those
 * that wait for something: where each small answer had a connection of its own, the signals took a seventh of the rate.
 */
export function connectionEnds(): (socket: Socket) => AbortSignal {
  const signals = new WeakMap<Socket, AbortSignal>();
  return (socket) => {
    const known = signals.get(socket);
    if (known !== undefined) return known;
    const end = endSignal();
    signals.set(socket, end.signal);
    // It may have ended while something else was looked up, such as who may read the answer, and tells that only once.
    if (socket.destroyed) {
      end.abort(LEFT);
      return end.signal;
    }
    socket.once("close", () => end.abort(LEFT));
    if (socket.readableEnded) closeInSilence(socket);
    else socket.once("end", () => closeInSilence(socket));
    return end.signal;
  };
}

const SILENCE_MS = 1000;

/**
 * A client that sends nothing more may have left, or wait for its answer: TCP says the same of both, until something is sent to it. So
 * it is taken for gone where a second brings nothing that could be sent. Where it is slow itself the rate it has to keep decides.
 */
function closeInSilence(socket: Socket): void {
  let sent = socket.bytesWritten;
  const timer = setInterval(() => {
    if (socket.bytesWritten === sent && socket.writableLength === 0) socket.destroy();
    sent = socket.bytesWritten;
  }, SILENCE_MS).unref();
  socket.once("close", () => clearInterval(timer));
}
