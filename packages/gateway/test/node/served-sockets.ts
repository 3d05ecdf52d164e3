import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * Watches the connections of a server from now on. The returned function emits `timeout` on each that has had a request, as Node does when
 * it is idle, and returns their timeouts in milliseconds afterwards.
 *
 * @param seen receives these connections
 */
export function servedSockets(port: number, seen: Socket[] = []): () => (number | undefined)[] {
  const sockets = new Set<Socket>();
  const see = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort !== port || sockets.has(socket)) return;
    sockets.add(socket);
    seen.push(socket);
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
