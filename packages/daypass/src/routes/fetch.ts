/**
 * Signed routes in handlers of the Fetch API: Workers, Deno, Bun, SvelteKit, h3: {@link signedRoute}.
 *
 * @module
 */
import {
  type FetchRequest,
  type FetchResponse,
  type GlobalRequest,
  type GlobalResponse,
  type GuardFetchOptions,
  guardFetch,
} from "../adapters/fetch/index.ts";
import type { RouteParams } from "./pattern.ts";
import {
  signedRoute as bare,
  type RouteGrant,
  type RouteSigner,
  type SignedRoute,
  type SignedRouteOptions,
} from "./route.ts";

/** Makes a fetch handler of a handler that receives grant and parameters first. Its options are those of `guardFetch`. */
export type FetchAdapter<P extends string> = <
  Req extends FetchRequest = GlobalRequest,
  Res extends FetchResponse = GlobalResponse,
  Rest extends readonly unknown[] = [],
>(
  handler: (grant: RouteGrant<P>, params: RouteParams<P>, request: Req, ...rest: Rest) => Res | Promise<Res>,
  options?: GuardFetchOptions<Req, Res, Rest>,
) => (request: Req, ...rest: Rest) => Promise<Res | GlobalResponse>;

/** The adapter of a route for requests and responses of the Fetch API. */
export function fetchAdapter<P extends string, S extends RouteSigner>(route: SignedRoute<P, S>): FetchAdapter<P> {
  return (handler, options) =>
    guardFetch(route.verifier, (grant, request, ...rest) => handler(grant, grant.params, request, ...rest), {
      uses: route.uses,
      ...options,
    });
}

/**
 * `signedRoute` of `daypass/routes` with `fetch(handler, options)`, which returns a handler of the Fetch API. It does what `guardFetch` does.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { signedRoute } from "daypass/routes/fetch";
 * import { urlSigner, urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * export const GET = invoice.fetch((_grant, { id }) => Response.json({ id }));
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly fetch: FetchAdapter<P> } {
  const route = bare(options);
  return { ...route, fetch: fetchAdapter(route) };
}
