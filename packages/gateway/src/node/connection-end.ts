import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";

/** Why: the same for all, as a new one each time would cost each connection a stack. */
const LEFT = new Error("the client is gone");

/**
 * The signal that a connection has ended. One for all of its requests, which are answered one after the other, and made for those
 * that wait for something: where each small answer had a connection of its own, the signals took a seventh of the rate.
 */
export function connectionEnds(): (socket: Socket) => AbortSignal {
  const signals = new WeakMap<Socket, AbortSignal>();
  return (socket) => {
    const known = signals.get(socket);
    if (known !== undefined) return known;
    const end = new AbortController();
    // A DeleteObjects over an upstream waits for sixteen answers at once. Node would write of a leak into the log from eleven on.
    setMaxListeners(0, end.signal);
    socket.once("close", () => end.abort(LEFT));
    signals.set(socket, end.signal);
    return end.signal;
  };
}
