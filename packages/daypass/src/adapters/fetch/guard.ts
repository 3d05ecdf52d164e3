import type { Grant, Verifier } from "../../core/contracts.ts";
import type { DaypassError } from "../../core/errors.ts";
import type { Problem } from "../../core/problem.ts";
import { admit, bodyRefusalOf, type GuardOptions, overridesOf, type Refusal, refusalOf } from "../guard.ts";
import { presentRequest } from "./body.ts";
import {
  type FetchRequest,
  type FetchResponse,
  type GlobalRequest,
  type GlobalResponse,
  type RequestFacts,
  requestToWire,
} from "./request.ts";

declare const Response: new (
  body: unknown,
  init: { readonly status: number; readonly headers: unknown; readonly statusText?: string },
) => GlobalResponse;

/** Options of {@link guardFetch}. Each function also receives the host's further arguments. */
export interface GuardFetchOptions<Req, Res, Rest extends readonly unknown[]> extends GuardOptions {
  /** What the host knows about a request in addition to the `Request` itself. */
  readonly facts?: ((request: Req, ...rest: Rest) => RequestFacts) | undefined;
  /** The identity that the sender proved by other means, e.g. a session: what a grant's subject is compared with. */
  readonly subject?: ((request: Req, ...rest: Rest) => string | undefined | Promise<string | undefined>) | undefined;
  /** Answers a refused request in place of the guard. The error's message is for the operator, its code for anyone. */
  readonly onRefusal?: ((error: DaypassError, request: Req, ...rest: Rest) => Res | Promise<Res>) | undefined;
}

/**
 * Runs a handler only with the grant of a verified request. Works with Next route handlers, Workers, Deno and Bun without
 * changes, and with any framework that provides a Fetch API `Request`.
 *
 * Refuses a path that a router could read differently from the verifier (empty segments, encoded slashes, needless
 * percent-encoding, and `;` unless allowed). A refusal is answered with a page if a browser opened the link, else with RFC 9457 problem
 * details that contain only the error's code.
 * All other errors, including the handler's own, reject the promise of the returned function.
 *
 * Enforces `response` (sets the headers of every response that is not an error), `strip` (removes the parameters that may
 * vary from `request.url`), `body-length` and `body-sha256` (reading `request.body` fails with the error, which the guard
 * answers as a refusal), and with a store `uses`: the verifier's `enforces` need not list them. Act on a body only after all of it has been read. What
 * `openBody` of `daypass/s3/header` throws for chunks is answered as a refusal as well.
 *
 * The guard enforces these on its handler's own response. A handler that passes the request to another server, such as middleware or an edge
 * function, must refuse a grant whose `obligations` are not empty.
 *
 * @param handler called only for verified requests; the host's further arguments follow the request
 * @throws {DaypassError} from the returned function `INVALID_INPUT` if a grant limits the body and it has already been read, or the
 * host's request does not provide it
 * @example
 * ```ts
 * import { guardFetch } from "daypass/fetch";
 * import { urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * export const GET = guardFetch(verifier, (grant) => Response.json({ until: grant.expiresAt }));
 * ```
 */
export function guardFetch<
  G extends Grant,
  Req extends FetchRequest = GlobalRequest,
  Res extends FetchResponse = GlobalResponse,
  Rest extends readonly unknown[] = [],
>(
  verifier: Verifier<G>,
  handler: (grant: G, request: Req, ...rest: Rest) => Res | Promise<Res>,
  options: GuardFetchOptions<Req, Res, Rest> = {},
): (request: Req, ...rest: Rest) => Promise<Res | GlobalResponse> {
  const { facts, subject, onRefusal, uses, semicolons } = options;
  const refuse = ({ error, answer }: Refusal, request: Req, rest: Rest): Promise<Res> | Res | GlobalResponse =>
    onRefusal === undefined ? toResponse(answer) : onRefusal(error, request, ...rest);

  return async (request, ...rest) => {
    let grant: G;
    let presented: Req;
    try {
      const wire = requestToWire(request, facts?.(request, ...rest));
      const enforces = ["response", "strip", "body-length", "body-sha256"] as const;
      grant = await admit(verifier, wire, { subject: await subject?.(request, ...rest), uses, semicolons, enforces });
      presented = await presentRequest(request, grant);
    } catch (error) {
      const refusal = refusalOf(error, acceptOf(request));
      if (refusal === undefined) throw error;
      return refuse(refusal, request, rest);
    }
    try {
      return withOverrides(await handler(grant, presented, ...rest), grant);
    } catch (error) {
      const refusal = bodyRefusalOf(error, acceptOf(request));
      if (refusal === undefined) throw error;
      return refuse(refusal, request, rest);
    }
  };
}

function acceptOf(request: FetchRequest): string | undefined {
  let accept: string | undefined;
  // Absent if the host passed an event or a context instead of a request.
  request?.headers?.forEach?.((value, name) => {
    if (name.toLowerCase() === "accept") accept = value;
  });
  return accept;
}

function toResponse({ status, headers, body }: Problem): GlobalResponse {
  return new Response(body, { status, headers });
}

/** Sets the response headers of the grant, on a copy: the headers of a fetched response cannot be changed. An error keeps its own. */
function withOverrides<Res extends FetchResponse>(response: Res, grant: Grant): Res | GlobalResponse {
  const overrides = overridesOf(grant);
  if (overrides === undefined) return response;
  const { body, status } = response as { readonly body?: unknown; readonly status: number };
  // `Response.error()` has status 0 and cannot be copied.
  if (status < 200 || status >= 400) return response;
  const copy = new Response(body, response);
  for (const [name, value] of Object.entries(overrides)) copy.headers.set(name, value);
  return copy;
}
