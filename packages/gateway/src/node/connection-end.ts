import { setMaxListeners } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Why: the same for all, as a new one each time would cost each connection a stack. */
export const LEFT: Error = new Error("the client disconnected");

/** Tells many of an end: a DeleteObjects over an upstream waits for sixteen answers at once, and of eleven Node would write that they leak. */
export function endSignal(): AbortController {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  return end;
}

type Waiting = Pick<ServerResponse, "writableFinished">;

interface ConnectionEnd {
  readonly signal: AbortSignal;
  /** The response that last waited for something. Node holds it until it is out, and a connection that is idle has no need of its 4 KB. */
  waiting: WeakRef<Waiting>;
}

/**
 * The signal that a connection has ended. One for all of its requests, which are answered one after the other, and made for those
 * that wait for something: where each small answer had a connection of its own, the signals took a seventh of the rate.
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
    // It may have ended while something else was looked up, such as who may read the answer, and tells that only once.
    if (socket.destroyed) {
      controller.abort(LEFT);
      return end.signal;
    }
    socket.once("close", () => controller.abort(LEFT));
    if (socket.readableEnded) closeInSilence(socket, end);
    else socket.once("end", () => closeInSilence(socket, end));
    return end.signal;
  };
}

const SILENCE_MS = 1000;

/**
 * A client that sends nothing more may have left, or wait for its answer: TCP says the same of both, until something is sent to it. So
 * it is taken for gone where a second brings nothing that could be sent. Where it is slow itself the rate it has to keep decides; and a change
 * behind what it has read goes on without it, so that its answer may as well be waited for.
 */
function closeInSilence(socket: Socket, end: ConnectionEnd): void {
  let sent = socket.bytesWritten;
  const timer = setInterval(() => {
    const waits = end.waiting.deref()?.writableFinished === false;
    if (waits && socket.bytesWritten === sent && socket.writableLength === 0) socket.destroy();
    sent = socket.bytesWritten;
  }, SILENCE_MS).unref();
  socket.once("close", () => clearInterval(timer));
}
