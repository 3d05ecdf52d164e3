import {
  type GuardNodeOptions,
  guardNode,
  type Next,
  type NodeRequest,
  type NodeResponse,
} from "../adapters/node/index.ts";
import type { RouteParams } from "./pattern.ts";
import type { RouteGrant, RouteSigner, SignedRoute } from "./route.ts";

/** Receives the grant and the parameters, so a request that was not verified cannot reach it. */
export type NodeRouteHandler<P extends string, Req, Res> = (
  grant: RouteGrant<P>,
  params: RouteParams<P>,
  req: Req,
  res: Res,
  next: Next,
) => unknown;

/** Makes a listener or a middleware of a handler. Accepts the options of `guardNode`. */
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
