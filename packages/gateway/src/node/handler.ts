import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { WireRequest } from "daypass";
import type { Gateway } from "../gateway.ts";
import { callback, expectForms, type FormsOf, given, timer, wholeNumber } from "../http/validate-options.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { connectionEnds } from "./connection-end.ts";
import { inTurn } from "./pipelined-requests.ts";
import { requestBody, type Waiting } from "./request-body.ts";
import { type PendingResponse, responseBatch } from "./response-batch.ts";
import { send } from "./send.ts";
import { type MinimumRate, uploadWatch, waitingBytes } from "./slow-client.ts";

/** The listener that `node:http` calls. Register it for `checkContinue` too, or `Expect: 100-continue` is answered too early. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Options of {@link toNodeHandler}. */
export interface NodeHandlerOptions {
  /** 1 KB/s over 10 s by default. */
  readonly minimumRate?: MinimumRate | undefined;
  /** Whether connections should be closed with their next response. */
  readonly isDraining?: (() => boolean) | undefined;
}

/** The default minimum rate: clients that send a body more slowly are disconnected. */
export const defaultMinimumRate: MinimumRate = { bytesPerSecond: 1024, windowMs: 10_000 };

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export const RATE: FormsOf<MinimumRate> = { bytesPerSecond: wholeNumber(0), windowMs: timer };
const OPTIONS: FormsOf<NodeHandlerOptions> = { minimumRate: RATE, isDraining: callback };

/**
 * Turns a gateway into a request listener for `node:http` or `node:https`.
 *
 * Sets no timeouts and no header limits: those belong to the server, see `listen`.
 *
 * @param gateway answers the requests
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import type { Gateway } from "@daypass/gateway";
 * import { toNodeHandler } from "@daypass/gateway/node";
 *
 * export const serve = (gateway: Gateway) => {
 *   const handler = toNodeHandler(gateway);
 *   return createServer(handler).on("checkContinue", handler).listen(8080, "127.0.0.1");
 * };
 * ```
 */
export function toNodeHandler(gateway: Omit<Gateway, "verify">, options: NodeHandlerOptions = {}): NodeHandler {
  expectForms(options, OPTIONS);
  // The server belongs to the caller, who may have read the request and kept its chunks.
  return requestListener(gateway, { ...options, ownsRequests: false });
}

export interface RequestListenerOptions extends NodeHandlerOptions {
  /** Whether no other code can see the requests, because our own server receives them. */
  readonly ownsRequests: boolean;
  /** The most response bytes that may wait in the process. */
  readonly maxWaitingBytes?: number | undefined;
  /** What the gateway works on, by connection, until the response is complete. */
  readonly atWork?: WeakMap<Socket, Waiting> | undefined;
  /** Returns the TCP socket of a connection; by default the connection itself. */
  readonly tcpSocket?: ((socket: Socket) => Socket) | undefined;
}

// 64 of the longest lists, or two buffers of a stream for each request.
const LEAST_WAITING_BYTES = 256 * 1024 * 1024;
const WAITING_BYTES_PER_REQUEST = 512 * 1024;

/** The most response bytes that may wait in the process. */
export function mostWaitingBytes({ inFlight }: Gateway["limits"]): number {
  return Math.max(LEAST_WAITING_BYTES, inFlight * WAITING_BYTES_PER_REQUEST);
}

/** Returns the same listener for our own server too. */
export function requestListener(gateway: Omit<Gateway, "verify">, options: RequestListenerOptions): NodeHandler {
  const minimumRate: MinimumRate = { ...defaultMinimumRate, ...given(options.minimumRate) };
  const {
    isDraining = () => false,
    ownsRequests,
    maxWaitingBytes = mostWaitingBytes(gateway.limits),
    atWork = new WeakMap<Socket, Waiting>(),
    tcpSocket,
  } = options;
  const bodyOptions = {
    watch: uploadWatch(minimumRate, () => performance.now()),
    ownsRequest: ownsRequests,
    tcpSocket,
  };
  const waiting = waitingBytes(maxWaitingBytes);
  // Requests that were pipelined behind the last response of a connection are ignored.
  const ended = new WeakSet<Socket>();
  const endOf = connectionEnds();

  /** Until its response is sent, a connection waits for the gateway; after that, for the rest of a stream. */
  function noteAnswer({ outcome, request: { socket }, response }: PendingResponse): void {
    atWork.delete(socket);
    if (outcome.body?.kind !== "stream") return;
    const streaming: Waiting = { awaitsClient: () => response.writableLength > 0 };
    atWork.set(socket, streaming);
    // The next request of the connection may have begun by then.
    response.once("close", () => {
      if (atWork.get(socket) === streaming) atWork.delete(socket);
    });
  }

  const post = responseBatch((pending) => {
    noteAnswer(pending);
    if (send(pending.outcome, pending, { waiting, close: isDraining() })) ended.add(pending.request.socket);
  });

  return inTurn((request, response) => {
    const { socket } = request;
    if (ended.has(socket)) return;
    const answer = (outcome: Outcome): void => {
      if (outcome.close) ended.add(socket);
      post({ outcome, request, response });
    };
    // A change whose request has arrived continues without its client.
    const isRead = READS.has(request.method ?? "");
    const received = requestBody(request, response, bodyOptions);
    const { body, signal = isRead ? () => endOf(socket, response) : undefined } = received;
    const outcome = gateway.handle(wireRequest(request), body, signal);
    // A gateway never rejects. If it did, only this request would be lost.
    if (outcome instanceof Promise) {
      atWork.set(socket, received);
      outcome.then(answer, () => response.destroy());
    } else answer(outcome);
  });
}

/**
 * Returns the request as it was sent. It uses `rawHeaders`, because `headers` drops and joins repeated fields, and the target of the request
 * line, because a URL object rewrites it.
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
    // `headers` has the first of two Host fields; the gateway refuses two of them by the list above.
    authority: message.headers.host ?? "",
    headers,
    remoteAddress: message.socket.remoteAddress,
  };
}
