/**
 * Signed routes on servers of `node:http`, and in frameworks that hand over its requests: {@link signedRoute}.
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
import type { RouteParams } from "./pattern.ts";
import {
  signedRoute as bare,
  type RouteGrant,
  type RouteSigner,
  type SignedRoute,
  type SignedRouteOptions,
} from "./route.ts";

/** Receives the grant and the parameters, so a request that was not verified cannot reach it. */
export type NodeRouteHandler<P extends string, Req, Res> = (
  grant: RouteGrant<P>,
  params: RouteParams<P>,
  req: Req,
  res: Res,
  next: Next,
) => unknown;

/** Makes a listener or a middleware of a handler. Its options are those of `guardNode`. */
export type NodeAdapter<P extends string> = <
  // What a framework puts on them is unknown here.
  // biome-ignore lint/suspicious/noExplicitAny: only `any` compiles in `app.get(route.path, route.express((grant, params, req, res) => …))`
  Req extends NodeRequest = any,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  Res extends NodeResponse = any,
>(
  handler: NodeRouteHandler<P, Req, Res>,
  options?: GuardNodeOptions<Req, Res>,
) => (req: Req, res: Res, next?: Next) => Promise<void>;

/** The adapter of a route for Node's requests and responses. */
export function nodeAdapter<P extends string, S extends RouteSigner>(route: SignedRoute<P, S>): NodeAdapter<P> {
  return (handler, options) =>
    guardNode(route.verifier, (grant, req, res, next) => handler(grant, grant.params, req, res, next), {
      uses: route.uses,
      ...options,
    });
}

/**
 * `signedRoute` of `daypass/routes` with `node(handler, options)`, which returns a listener for `createServer`. It does what `guardNode` does.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { signedRoute } from "daypass/routes/node";
 * import { urlSigner, urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["http://127.0.0.1:8080"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * createServer(invoice.node((_grant, { id }, _req, res) => res.end(`invoice ${id}`)));
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly node: NodeAdapter<P> } {
  const route = bare(options);
  return { ...route, node: nodeAdapter(route) };
}
