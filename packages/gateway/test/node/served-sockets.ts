import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * Watches the connections of a server, from now on. What it returns does to each of them that has had a request what Node does when nothing
 * has moved for its time, and tells after how many milliseconds it would do so again.
 */
export function servedSockets(port: number): () => (number | undefined)[] {
  const sockets = new Set<Socket>();
  const see = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) sockets.add(socket);
  };
  subscribe("http.server.request.start", see);
  onTestFinished(() => void unsubscribe("http.server.request.start", see));
  return () => {
    for (const socket of sockets) {
      if (socket.destroyed) sockets.delete(socket);
      else socket.emit("timeout");
    }
    return [...sockets].map((socket) => (socket.destroyed ? undefined : socket.timeout));
  };
}
