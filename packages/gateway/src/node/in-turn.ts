import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests that may wait on a connection before nothing more is read from it. */
const MANY = 16;

/**
 * Begins with a request that is pipelined behind others when they are answered. Node hands out all at once: whoever had one URL
 * could have a thousand requests under way on one connection, each with buffers of its own, and a response whose turn never
 * comes, because the connection has ended, is never closed.
 */
export function inTurn(listener: Listener): Listener {
  const waiting = new WeakMap<Socket, number>();

  return (request, response) => {
    // It has the socket when it is its turn, which it nearly always is.
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count >= MANY) socket.pause();
    response.once("socket", () => {
      const left = (waiting.get(socket) ?? 1) - 1;
      waiting.set(socket, left);
      if (left === MANY - 1) socket.resume();
      listener(request, response);
    });
  };
}
