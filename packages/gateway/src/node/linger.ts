import type { IncomingMessage, ServerResponse } from "node:http";

const MAX_BYTES = 256 * 1024;
const MAX_MILLISECONDS = 500;

/**
 * Answers a request whose body nobody will read, and closes. Closing at once would make the kernel send a reset for the bytes
 * that are still coming, which can overtake the answer (RFC 9112 §9.6: the server "performs a half-close … then continues to read
 * until … it is reasonably certain that the client has received the last response"). So the answer goes out whole, a little of
 * the body is thrown away, and then the connection ends, whatever is still to come.
 */
export function linger(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    let discarded = 0;
    const end = (): void => {
      clearTimeout(timer);
      request.off("data", count);
      response.off("close", end);
      response.end();
      // Pipelined requests behind the unread body must not be served.
      request.socket.destroySoon();
      resolve();
    };
    const count = (chunk: Uint8Array): void => {
      discarded += chunk.length;
      if (discarded > MAX_BYTES) end();
    };
    const timer = setTimeout(end, MAX_MILLISECONDS);
    response.once("close", end);
    request.once("end", end);
    request.on("data", count);
    if (bytes === undefined) response.flushHeaders();
    else response.write(bytes);
  });
}
