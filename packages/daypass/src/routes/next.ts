/**
 * Signed routes as route handlers of Next: {@link signedRoute}.
 *
 * @module
 */
import type { FetchRequest } from "../adapters/fetch/index.ts";
import { type FetchAdapter, fetchAdapter } from "./fetch-adapter.ts";
import { signedRoute as bare, type RouteSigner, type SignedRoute, type SignedRouteOptions } from "./route.ts";

/**
 * `signedRoute` of `daypass/routes` with `next(handler, options)`, which returns a route handler for `app/…/route.ts`. It knows what Next does to
 * a request: the query is re-serialised as a form, the authority is only in `Host`, and the `basePath` of `next.config` is removed. Set
 * `mount` to that `basePath`.
 *
 * The client's address is unknown: URLs bound to an address are refused unless `facts` says it. With `trailingSlash: true`, end `path`
 * with a slash.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { signedRoute } from "daypass/routes/next";
 * import { urlSigner, urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * export const GET = invoice.next((_grant, { id }) => Response.json({ id })); // app/invoices/[id]/route.ts
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly next: FetchAdapter<P> } {
  const route = bare(options);
  const next = fetchAdapter(route, (request) => ({
    query: "form",
    basePath: options.mount,
    authority: hostOf(request),
  }));
  return { ...route, next };
}

function hostOf({ headers }: FetchRequest): string | undefined {
  let host: string | undefined;
  headers.forEach((value, name) => {
    if (name.toLowerCase() === "host") host = value;
  });
  return host;
}
