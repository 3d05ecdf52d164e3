import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { readOn, stopReading } from "./stop-reading.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

// Of what may wait on a connection before nothing more is read from it. More than a client has that means well: a head of which the half
// was read has its time limit all the same, so whoever got here could be cut for what he has sent in time.
const MANY = 256;
const MANY_BYTES = 1024 * 1024;

/** Requests of a connection that wait for those before them. */
interface Queue {
  count: number;
  /** What had been read of the connection when the first of them had come. */
  since: number;
  /** Nothing more is read. */
  held: boolean;
}

/**
 * Begins with a request that is pipelined behind others when they are answered. Node hands out all at once: whoever had one URL
 * could have a thousand requests under way on one connection, each with buffers of its own, and a response whose turn never
 * comes, because the connection has ended, is never closed.
 */
export function inTurn(listener: Listener): Listener {
  const queues = new WeakMap<Socket, Queue>();

  return (request, response) => {
    // It has the socket when it is its turn, which it nearly always is.
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const { socket } = request;
    const read = socket.bytesRead;
    const queue = queues.get(socket) ?? { count: 0, since: read, held: false };
    queues.set(socket, queue);
    if (queue.count === 0) queue.since = read;
    queue.count += 1;
    hold(socket, queue);
    response.once("socket", () => {
      queue.count -= 1;
      queue.since = read;
      hold(socket, queue);
      listener(request, response);
    });
  };
}

/** Stops reading, or goes on. What is waited for is there as a whole, so it can be answered meanwhile. */
function hold(socket: Socket, queue: Queue): void {
  const { count, since } = queue;
  const isMuch = count >= MANY || (count > 0 && socket.bytesRead - since >= MANY_BYTES);
  if (isMuch === queue.held) return;
  queue.held = isMuch;
  if (isMuch) stopReading(socket);
  else readOn(socket);
}
