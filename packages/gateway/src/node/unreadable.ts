import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

const LATE = "ERR_HTTP_REQUEST_TIMEOUT";

/**
 * What Node says itself, where nobody listens, to a client that it does not understand; but not its 408 to a late head, which the clients of
 * AWS do not repeat (docs/decisions/0106-slow-clients.md).
 */
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  [LATE]: "503 Service Unavailable",
};

/**
 * Listens for what is no HTTP, and for heads that do not end. Node says 400 and ends the connection at once, in the place of the answers to the
 * requests in front of it: to one with `Connection: close` as well, where whatever follows is no request at all (RFC 9112 §9.6). These are
 * answered here first.
 */
export function unreadable(): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  // It is told again with all that comes after it.
  const ending = new WeakSet<Duplex>();

  function endBehindAnswers(socket: Duplex, error: NodeJS.ErrnoException): void {
    const response = responseOf(socket);
    // Of one whose own body it is no more comes.
    if (response?.req.complete === true) {
      response.once("finish", () => endBehindAnswers(socket, error));
      return;
    }
    // A client that has asked for nothing would take it for the answer to what it may ask just now.
    const isSilent = error.code === LATE && (socket as Socket).bytesRead === 0;
    if (socket.writable && !isSilent && response?.headersSent !== true)
      socket.write(`HTTP/1.1 ${STATUS[error.code ?? ""] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
    socket.destroy(error);
  }

  return (error, socket) => {
    if (ending.has(socket)) return;
    ending.add(socket);
    endBehindAnswers(socket, error);
  };
}

/** The response whose turn it is on a connection; Node's own listener looks at it, too. */
function responseOf(socket: Duplex): ServerResponse | undefined {
  return Reflect.get(socket, "_httpMessage") ?? undefined;
}
