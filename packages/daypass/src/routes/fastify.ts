/**
 * Signed routes in Fastify 5: {@link signedRoute}.
 *
 * @module
 */
import {
  type GuardNodeOptions,
  guardNode,
  type Next,
  type NodeRequest,
  type NodeResponse,
} from "../adapters/node/index.ts";
import { refusal } from "../core/errors.ts";
import type { RouteParams } from "./pattern.ts";
import {
  signedRoute as bare,
  type RouteGrant,
  type RouteSigner,
  type SignedRoute,
  type SignedRouteOptions,
} from "./route.ts";

/** The parts of a Fastify request that are used. */
export interface FastifyRequest {
  readonly raw: NodeRequest;
}

/** The parts of a Fastify reply that are used. */
export interface FastifyReply {
  readonly raw: NodeResponse;
}

/** What `app.get(path, options)` takes: the guard runs before the body is read, the handler afterwards. */
export interface FastifyRouteOptions<Req, Rep> {
  readonly onRequest: (request: Req, reply: Rep, done: Next) => void;
  readonly handler: (request: Req, reply: Rep) => unknown;
}

/** Makes route options of a handler that receives grant and parameters first. Accepts the options of `guardNode`. */
export type FastifyAdapter<P extends string> = <
  // biome-ignore lint/suspicious/noExplicitAny: Fastify infers them only from its own types
  Req extends FastifyRequest = any,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  Rep extends FastifyReply = any,
>(
  handler: (grant: RouteGrant<P>, params: RouteParams<P>, request: Req, reply: Rep) => unknown,
  options?: GuardNodeOptions<NodeRequest, NodeResponse>,
) => FastifyRouteOptions<Req, Rep>;

/**
 * `signedRoute` of `daypass/routes` with `fastify(handler, options)`, which returns the options of a route: a guard in `onRequest`, which answers
 * refused requests itself, and the handler. In a plugin that is registered with a `prefix`, set `mount` to that prefix.
 *
 * `request.query` still has the parameters that may vary: read `grant.parameters`. URLs that bind the body are refused, unless the
 * verifier's `enforces` says that a content type parser enforces it.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts no-run
 * import { signedRoute } from "daypass/routes/fastify";
 * import { urlSigner, urlVerifier } from "daypass/url";
 * import fastify from "fastify";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * fastify().get(invoice.path, invoice.fastify((_grant, { id }) => ({ id })));
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly fastify: FastifyAdapter<P> } {
  const route = bare(options);
  const fastify: FastifyAdapter<P> = (handler, guardOptions) => {
    const granted = new WeakMap<NodeRequest, RouteGrant<P>>();
    const guard = guardNode<RouteGrant<P>, NodeRequest, NodeResponse>(
      route.verifier,
      (grant, req, _res, next) => {
        granted.set(req, grant);
        next();
      },
      { uses: route.uses, ...guardOptions },
    );
    return {
      onRequest: (request, reply, done) => void guard(request.raw, reply.raw, done),
      handler(request, reply) {
        const grant = granted.get(request.raw);
        // An app may have replaced the hook, and must not reach the handler without it.
        if (grant === undefined)
          throw refusal(
            "NO_SIGNATURE",
            "the onRequest hook of the route did not verify this request. Add it to the route",
          );
        return handler(grant, grant.params, request, reply);
      },
    };
  };
  return { ...route, fastify };
}
