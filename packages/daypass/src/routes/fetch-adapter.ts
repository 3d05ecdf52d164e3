import {
  type FetchRequest,
  type FetchResponse,
  type GlobalRequest,
  type GlobalResponse,
  type GuardFetchOptions,
  guardFetch,
  type RequestFacts,
} from "../adapters/fetch/index.ts";
import type { RouteParams } from "./pattern.ts";
import type { RouteGrant, RouteSigner, SignedRoute } from "./route.ts";

/** Makes a fetch handler of a handler that receives grant and parameters first. Accepts the options of `guardFetch`. */
export type FetchAdapter<P extends string> = <
  Req extends FetchRequest = GlobalRequest,
  Res extends FetchResponse = GlobalResponse,
  Rest extends readonly unknown[] = [],
>(
  handler: (grant: RouteGrant<P>, params: RouteParams<P>, request: Req, ...rest: Rest) => Res | Promise<Res>,
  options?: GuardFetchOptions<Req, Res, Rest>,
) => (request: Req, ...rest: Rest) => Promise<Res | GlobalResponse>;

/**
 * The adapter of a route for requests and responses of the Fetch API.
 *
 * @param known what the host is known to do to each request, in addition to what `facts` says
 */
export function fetchAdapter<P extends string, S extends RouteSigner>(
  route: SignedRoute<P, S>,
  known?: (request: FetchRequest) => RequestFacts,
): FetchAdapter<P> {
  return (handler, options) =>
    guardFetch(route.verifier, (grant, request, ...rest) => handler(grant, grant.params, request, ...rest), {
      uses: route.uses,
      ...options,
      facts: (request, ...rest) => ({ ...known?.(request), ...options?.facts?.(request, ...rest) }),
    });
}
