/** What a permitted request asks of an upstream, and how the response is presented. */
import type { Clock } from "daypass";
import type { ForwardRequest } from "../../operations/forward-request.ts";
import type { Permit } from "../../permit.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Route } from "../../upstream/contract.ts";
import { headersDown, headersUp, isNeverForwarded } from "../../upstream/headers.ts";
import { limitedBody } from "../../upstream/limited-body.ts";
import { mayUpgrade } from "../../upstream/route-table.ts";
import type { Task } from "../protocol.ts";
import type { PlaceGrant } from "./grants.ts";

/** The grant of a request on a route. */
export type RouteGrant = PlaceGrant<Route>;

/** A permitted request on a route. */
export interface RouteCall {
  readonly permit: Permit<RouteGrant>;
  readonly received: Received;
  readonly body: AsyncIterable<Uint8Array>;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** Reads the task of a permitted request. @throws {Refusal} `METHOD_NOT_ALLOWED`, `INVALID_REQUEST`, `BODY_LENGTH` */
export function routeTask({ permit, received, body, limits, clock }: RouteCall): Task<ForwardRequest> {
  const { request, fields } = received;
  const { grant } = permit;
  const { place: route } = grant;
  const { method } = request;
  if (!route.methods.includes(method)) {
    const allow = route.methods.join(", ");
    throw new Refusal("METHOD_NOT_ALLOWED", `the route forwards ${allow}, not ${method}`, { method, allow });
  }
  const hidden = grant.signedHeaders.find(isNeverForwarded);
  if (hidden !== undefined) {
    throw new Refusal("INVALID_ARGUMENT", `the URL binds ${hidden}, which no route forwards`, { header: hidden });
  }
  const upgrade = mayUpgrade({ find: () => route }, request) ? "websocket" : undefined;
  const headers = headersUp({
    route,
    headers: request.headers,
    bound: grant.signedHeaders,
    contentLength: fields.contentLength,
    isUpgrade: upgrade !== undefined,
    identity: {
      grant: grant.id,
      key: grant.keyId,
      subject: grant.subject,
      remoteAddress: request.remoteAddress,
    },
  });
  return {
    request: {
      operation: "forward-request",
      permit,
      route,
      method,
      headers,
      upgrade,
      charge: chargeOf(grant),
      target: grant.target,
      body: bodyOf({ permit, received, body, limits, clock }),
    },
    present: (response, { requestId }) => {
      const isUpgrade = response.tunnel !== undefined;
      const overrides = overridesOf(grant, response.status);
      const secondsLeft = (grant.expiresAt.getTime() - clock().getTime()) / 1000;
      const down = headersDown(response.headers, { route, path: grant.path, overrides, secondsLeft, isUpgrade });
      down.push("x-request-id", requestId);
      const endsAt = isUpgrade || isEventStream(response.headers) ? grant.expiresAt.getTime() : undefined;
      const lease = "settle" in response ? response : undefined;
      return {
        status: response.status,
        headers: down,
        body: response.body,
        tunnel: response.tunnel,
        endsAt,
        onDelivered: lease?.settle,
        onRunning: lease?.onRunning,
      };
    },
  };
}

/** The visit to which bytes are charged. */
function chargeOf({ visit }: RouteGrant): ForwardRequest["charge"] {
  return visit?.charged === undefined ? undefined : { variant: visit.variant, token: visit.charged };
}

/** The body to forward; `undefined` if the request has none. */
function bodyOf({ permit: { grant }, received, body, limits }: RouteCall): AsyncIterable<Uint8Array> | undefined {
  const { fields, request } = received;
  const hasBody = fields.transferEncoding !== undefined || Number(fields.contentLength ?? 0) > 0;
  if (request.method === "GET" || request.method === "HEAD") {
    if (hasBody) throw new Refusal("INVALID_REQUEST", `the ${request.method} request has a body. Leave it out`);
    return undefined;
  }
  const length = grant.obligations.find(({ kind }) => kind === "body-length");
  const max = length?.kind === "body-length" ? Math.min(length.max, limits.body) : limits.body;
  const min = length?.kind === "body-length" ? length.min : 0;
  const announced = fields.transferEncoding === undefined ? Number(fields.contentLength ?? 0) : undefined;
  if (announced !== undefined && (announced > max || announced < min)) {
    const code = length === undefined ? "TOO_LARGE" : "BODY_LENGTH";
    throw new Refusal(code, `the body has ${announced} bytes. Send ${min} to ${max}`, { limit: max });
  }
  // Without a body its rules still hold: an empty one may have another digest.
  return limitedBody(grant.limitBody(body), {
    max,
    isDigested: grant.obligations.some(({ kind }) => kind === "body-sha256"),
  });
}

function overridesOf({ obligations }: RouteGrant, status: number): Readonly<Record<string, string>> {
  const response = obligations.find(({ kind }) => kind === "response");
  return response?.kind === "response" && status < 400 ? response.headers : {};
}

function isEventStream(headers: readonly string[]): boolean {
  const at = headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === "content-type");
  return at >= 0 && /^text\/event-stream/i.test(headers[at + 1] ?? "");
}
