import type { IncomingMessage, ServerResponse } from "node:http";

/** The body of a request and the signal that its sender is gone. */
export interface RequestBody {
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

const EMPTY: RequestBody = {
  body: {
    async *[Symbol.asyncIterator]() {},
  },
};

/** `100 Continue` goes out when somebody begins to read: by then the request has been let through. */
export function requestBody(request: IncomingMessage, response: ServerResponse): RequestBody {
  const { headers, method } = request;
  if (method === "GET" || method === "HEAD" || (headers["content-length"] ?? "0") === "0") {
    if (headers["transfer-encoding"] === undefined) return EMPTY;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return {
    signal: gone.signal,
    body: {
      [Symbol.asyncIterator]() {
        if (headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
        return request[Symbol.asyncIterator]();
      },
    },
  };
}
