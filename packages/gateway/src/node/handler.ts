import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../gateway.ts";
import { requestBody } from "./request-body.ts";
import { send } from "./send.ts";
import { wireRequest } from "./wire-request.ts";

/** The listener that `node:http` calls; give it to `checkContinue` too, or `Expect: 100-continue` is answered too early. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Makes a gateway a request listener of `node:http` or `node:https`.
 *
 * Does not set timeouts or header limits: those belong to the server, see `listen`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { toNodeHandler } from "@daypass/gateway/node";
 *
 * const handler = toNodeHandler(gateway);
 * createServer(handler).on("checkContinue", handler).listen(8080, "127.0.0.1");
 * ```
 */
export function toNodeHandler(gateway: Gateway): NodeHandler {
  return (request, response) => {
    const wire = wireRequest(request);
    const { body, signal } = requestBody(request, response);
    const outcome = gateway.handle(wire, body, signal);
    if (outcome instanceof Promise) outcome.then((settled) => send(settled, request, response));
    else send(outcome, request, response);
  };
}
