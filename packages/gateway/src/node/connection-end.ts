import type { Socket } from "node:net";

/** Why: the same for all, as a new one each time would cost each connection a stack. */
const LEFT = new Error("the client is gone");

/**
 * The signal that a connection has ended. One for all of its requests, which are answered one after the other: a signal for each
 * would cost more than all else that is made for a small answer.
 */
export function connectionEnds(): (socket: Socket) => AbortSignal {
  const signals = new WeakMap<Socket, AbortSignal>();
  return (socket) => {
    const known = signals.get(socket);
    if (known !== undefined) return known;
    const end = new AbortController();
    socket.once("close", () => end.abort(LEFT));
    signals.set(socket, end.signal);
    return end.signal;
  };
}
