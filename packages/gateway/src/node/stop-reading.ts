import type { Socket } from "node:net";

/** Takes no more from a socket. Behind each message Node reads on, and so does the stream of a body, whoever has paused it. */
export function stopReading(socket: Socket): void {
  socket.on("resume", stop).pause();
}

/** Goes on after one {@link stopReading}. */
export function readOn(socket: Socket): void {
  socket.off("resume", stop).resume();
}

function stop(this: Socket): void {
  this.pause();
}
