import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

const LATE = "ERR_HTTP_REQUEST_TIMEOUT";

/**
 * Node's own answers to requests that it cannot parse, except its 408 for a late head, which AWS clients do not retry
 * (docs/decisions/0106-slow-clients.md).
 */
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  [LATE]: "503 Service Unavailable",
};

/**
 * Returns the listener for bytes that are not HTTP, and for late heads. Node would answer 400 and close at once, in place of the responses to
 * earlier requests of the connection, even after `Connection: close`, when no request follows (RFC 9112 §9.6). Here these are sent first.
 */
export function clientErrors(): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  // Node emits the error again for each further chunk.
  const ending = new WeakSet<Duplex>();

  function endAfterResponses(socket: Duplex, error: NodeJS.ErrnoException): void {
    const response = responseOf(socket);
    // A response whose own request body is broken never finishes.
    if (response?.req.complete === true) {
      response.once("finish", () => endAfterResponses(socket, error));
      return;
    }
    // A client that has sent nothing could take the answer for the response to its next request.
    const isSilent = error.code === LATE && (socket as Socket).bytesRead === 0;
    if (socket.writable && !isSilent && response?.headersSent !== true)
      socket.write(`HTTP/1.1 ${STATUS[error.code ?? ""] ?? "400 Bad Request"}\r\nConnection: close\r\n\r\n`);
    socket.destroy(error);
  }

  return (error, socket) => {
    if (ending.has(socket)) return;
    ending.add(socket);
    endAfterResponses(socket, error);
  };
}

/** The response in progress on a connection. Node's own listener reads the same property. */
function responseOf(socket: Duplex): ServerResponse | undefined {
  return Reflect.get(socket, "_httpMessage") ?? undefined;
}
