import type { IncomingMessage } from "node:http";
import type { WireRequest } from "daypass";

/**
 * The request as it stood on the wire. From `rawHeaders`, because `headers` has already dropped and joined repeats, and the
 * target from the request line, because a URL object would have rewritten it.
 */
export function wireRequest(message: IncomingMessage): WireRequest {
  const { rawHeaders } = message;
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  }
  return {
    method: message.method ?? "",
    target: message.url ?? "",
    // The parser's `headers` keeps the first of two; the gateway refuses two of them from the list above.
    authority: message.headers.host ?? "",
    headers,
    remoteAddress: message.socket.remoteAddress,
  };
}
