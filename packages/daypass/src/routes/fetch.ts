/**
 * Signed routes in handlers of the Fetch API: Workers, Deno, Bun, SvelteKit, h3: {@link signedRoute}.
 *
 * @module
 */
import { type FetchAdapter, fetchAdapter } from "./fetch-adapter.ts";
import { signedRoute as bare, type RouteSigner, type SignedRoute, type SignedRouteOptions } from "./route.ts";

export type { FetchAdapter } from "./fetch-adapter.ts";

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
