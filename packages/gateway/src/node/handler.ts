import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Gateway } from "../gateway.ts";
import { callback, expectForms, type FormsOf, given, object, timer, wholeNumber } from "../http/validate-options.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { connectionEnds } from "./connection-end.ts";
import { heldAnswers } from "./held-answers.ts";
import { inTurn } from "./pipelined-requests.ts";
import { requestBody, type Waiting } from "./request-body.ts";
import { type Letter, outbox } from "./response-batch.ts";
import { send } from "./send.ts";
import { type MinimumRate, type TransferWatch, transferWatch } from "./transfer-watch.ts";
import { wireRequest } from "./wire-request.ts";

/** The listener that `node:http` calls. Register it for `checkContinue` too, or `Expect: 100-continue` is answered too early. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Options of {@link toNodeHandler}. */
export interface NodeHandlerOptions {
  /** 1 KB/s over 10 s by default. */
  readonly minimumRate?: MinimumRate | undefined;
  /** Whether connections should be closed with their next response. */
  readonly isDraining?: (() => boolean) | undefined;
}

/** The default minimum rate: clients that send or receive a body more slowly are disconnected. */
export const defaultMinimumRate: MinimumRate = { bytesPerSecond: 1024, windowMs: 10_000 };

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

const OPTIONS: FormsOf<NodeHandlerOptions> = { minimumRate: object, isDraining: callback };
const RATE: FormsOf<MinimumRate> = { bytesPerSecond: wholeNumber(0), windowMs: timer };

/**
 * Turns a gateway into a request listener for `node:http` or `node:https`.
 *
 * Sets no timeouts and no header limits: those belong to the server, see `listen`.
 *
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
export function toNodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  expectForms(options, OPTIONS);
  // The server is not ours: whoever made it may have looked at the request, and kept what it brought.
  return requestListener(gateway, { ...options, ownsRequests: false });
}

export interface RequestListenerOptions extends NodeHandlerOptions {
  /** Whether the requests come from a server of our own, where nobody else can see them. */
  readonly ownsRequests: boolean;
  /** Bytes that answers made in memory may hold together while their clients take their time; see {@link heldAnswers}. */
  readonly heldBytes?: number | undefined;
  /** Where the request of each connection is put while the gateway works on it, until the last of its answer is there. */
  readonly atWork?: WeakMap<Socket, Waiting> | undefined;
}

/** The same for a server of our own too. */
export function requestListener(gateway: Gateway, options: RequestListenerOptions): NodeHandler {
  if (options.minimumRate !== undefined) expectForms(options.minimumRate, RATE, "minimumRate");
  const minimumRate: MinimumRate = { ...defaultMinimumRate, ...given(options.minimumRate) };
  const { isDraining = () => false, ownsRequests, atWork = new WeakMap<Socket, Waiting>() } = options;
  const watch: TransferWatch = transferWatch(minimumRate, () => performance.now());
  const held = heldAnswers(options.heldBytes);
  // Requests that were pipelined behind the last response of a connection are not looked at.
  const ended = new WeakSet<Socket>();

  const endOf = connectionEnds();

  /** Until an answer goes out its connection waits for it, and then for what the storage has still to bring. */
  function noteAnswer({ outcome, request: { socket }, response }: Letter): void {
    atWork.delete(socket);
    if (outcome.body?.kind !== "stream") return;
    const waiting: Waiting = { awaitsClient: () => response.writableLength > 0 };
    atWork.set(socket, waiting);
    // The next request on the connection may have begun by then.
    response.once("close", () => {
      if (atWork.get(socket) === waiting) atWork.delete(socket);
    });
  }

  const post = outbox((letter) => {
    noteAnswer(letter);
    if (send(letter.outcome, letter, { watch, held, close: isDraining() })) ended.add(letter.request.socket);
  });

  return inTurn((request, response) => {
    const { socket } = request;
    if (ended.has(socket)) return;
    const answer = (outcome: Outcome): void => {
      if (outcome.close) ended.add(socket);
      post({ outcome, request, response });
    };
    // What changes something goes on without its client, where it needs no more of him.
    const isRead = READS.has(request.method ?? "");
    const received = requestBody(request, response, { watch, ownsRequest: ownsRequests });
    const { body, signal = isRead ? () => endOf(socket, response) : undefined } = received;
    const outcome = gateway.handle(wireRequest(request), body, signal);
    // A gateway never rejects. Were it wrong in that, this request would be lost and the process would live on.
    if (outcome instanceof Promise) {
      atWork.set(socket, received);
      outcome.then(answer, () => response.destroy());
    } else answer(outcome);
  });
}
