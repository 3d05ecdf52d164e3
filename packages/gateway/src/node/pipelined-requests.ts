import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { resumeReading, stopReading } from "./unread-body.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

// What may wait on a connection before the socket is no longer read. More than a well-behaved client sends: a head that is half read keeps its
// time limit.
const MANY = 256;
const MANY_BYTES = 1024 * 1024;

/** Requests of a connection that wait for earlier ones. */
interface Queue {
  count: number;
  /** `bytesRead` of the connection when the first of them arrived. */
  since: number;
  /** Whether reading has stopped. */
  paused: boolean;
}

/**
 * Handles pipelined requests one after the other. Node emits all of them at once: with one URL, a client could have a thousand requests in
 * progress on one connection, each with its buffers. Node never closes a response whose turn does not come.
 */
export function inTurn(listener: Listener): Listener {
  const queues = new WeakMap<Socket, Queue>();

  return (request, response) => {
    // A response has the socket when it is its turn.
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const { socket } = request;
    const read = socket.bytesRead;
    const queue = queues.get(socket) ?? { count: 0, since: read, paused: false };
    queues.set(socket, queue);
    if (queue.count === 0) queue.since = read;
    queue.count += 1;
    pauseIfLong(socket, queue);
    response.once("socket", () => {
      queue.count -= 1;
      queue.since = read;
      pauseIfLong(socket, queue);
      listener(request, response);
    });
  };
}

/** Pauses or resumes a connection. The waiting requests are complete, so they can be answered meanwhile. */
function pauseIfLong(socket: Socket, queue: Queue): void {
  const { count, since } = queue;
  const isMuch = count >= MANY || (count > 0 && socket.bytesRead - since >= MANY_BYTES);
  if (isMuch === queue.paused) return;
  queue.paused = isMuch;
  if (isMuch) stopReading(socket);
  else resumeReading(socket);
}
