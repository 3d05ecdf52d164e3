/** Connections that change their protocol: a WebSocket of a route. Every other request with an `Upgrade` header is served as if it had none. */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Gateway } from "../gateway.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { endSignal, LEFT } from "./connection-end.ts";
import { wireRequest } from "./handler.ts";
import { hasBody } from "./request-body.ts";
import { send } from "./send.ts";
import type { WaitingBytes } from "./slow-client.ts";

const EMPTY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};

type Upgrading = Pick<Gateway, "handle" | "upgrades">;

export interface UpgradeOptions {
  readonly waiting: WaitingBytes;
  /** The event of the server that takes a connection. */
  readonly event: "connection" | "secureConnection";
}

/** Listens for upgrades. Node then hands over the raw connection of each request with the header, whether it may change or not. */
export function listenForUpgrades(server: Server, gateway: Upgrading, { waiting, event }: UpgradeOptions): void {
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Until a listener is added, an error of the connection would end the process.
    socket.on("error", () => socket.destroy());
    const wire = wireRequest(request);
    // The response to an earlier request is still in progress, and the new protocol would begin in the middle of it.
    if (Reflect.get(socket, "_httpMessage")) {
      socket.destroy();
      return;
    }
    if (hasBody(request) || gateway.upgrades?.(wire) !== true) {
      restart(server, event, { request, socket, head });
      return;
    }
    const end = endSignal();
    socket.once("close", () => end.abort(LEFT));
    const answered = gateway.handle(wire, EMPTY, end.signal);
    const answer = (outcome: Outcome): void => {
      if (outcome.tunnel !== undefined) join(outcome, outcome.tunnel, { socket, head });
      else refuse(outcome, { request, socket, waiting });
    };
    if (answered instanceof Promise) answered.then(answer, () => socket.destroy());
    else answer(answered);
  });
}

interface Handed {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

/** Reads the request again without the offer: RFC 9110 §7.8 allows to ignore it, and the body and later requests need the parser. */
function restart(server: Server, event: string, { request, socket, head }: Handed): void {
  const { rawHeaders, method, url, httpVersion } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== "upgrade") text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  // Node writes the error of a broken request to a socket without other listeners.
  socket.removeAllListeners("error");
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), head]));
  server.emit(event, socket);
}

/** Joins both connections until one of them ends. */
function join(outcome: Outcome, tunnel: Duplex, { socket, head }: Omit<Handed, "request">): void {
  let bytes = 0;
  let text = `HTTP/1.1 ${outcome.status} Switching Protocols\r\n`;
  for (let i = 0; i + 1 < outcome.headers.length; i += 2)
    text += `${outcome.headers[i]}: ${outcome.headers[i + 1]}\r\n`;
  socket.write(Buffer.from(`${text}\r\n`, "latin1"));
  if (head.length > 0) tunnel.write(head);
  socket.setTimeout(0);
  const ended = outcome.onRunning?.(() => socket.destroy());
  tunnel.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  tunnel.on("error", () => socket.destroy()).on("close", () => socket.destroySoon());
  socket.once("close", () => {
    tunnel.destroy();
    ended?.();
    outcome.delivered(bytes, true);
  });
  socket.pipe(tunnel);
  tunnel.pipe(socket);
}

/** Answers in HTTP, and closes: what the client sends next would be of the other protocol. */
function refuse(
  outcome: Outcome,
  { request, socket, waiting }: Omit<Handed, "head"> & Pick<UpgradeOptions, "waiting">,
): void {
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  response.once("finish", () => socket.end());
  send(outcome, { request, response }, { waiting, close: true });
}
