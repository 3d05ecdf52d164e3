import { MessageChannel } from "node:worker_threads";

/** Since Node 21. */
interface Transferable {
  transfer?(newByteLength: number): ArrayBuffer;
}

/**
 * Frees the memory of an `ArrayBuffer` at once. Every view of it becomes empty.
 *
 * Node 20 has no call for that. There the buffer is sent to a port that is closed: sending takes the memory away from this side,
 * and as nobody can receive it, it is dropped.
 */
export const freeMemory: (buffer: ArrayBuffer) => void =
  "transfer" in ArrayBuffer.prototype ? byTransfer : byClosedPort(new MessageChannel());

function byTransfer(buffer: ArrayBuffer & Transferable): void {
  buffer.transfer?.(0);
}

function byClosedPort({ port1 }: MessageChannel): (buffer: ArrayBuffer) => void {
  port1.close();
  return (buffer) => port1.postMessage(undefined, [buffer]);
}
