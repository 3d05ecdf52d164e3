/**
 * Signed routes in Express 5, and in other frameworks with its middleware: {@link signedRoute}.
 *
 * @module
 */
import { type NodeAdapter, nodeAdapter } from "./node-adapter.ts";
import { signedRoute as bare, type RouteSigner, type SignedRoute, type SignedRouteOptions } from "./route.ts";

/**
 * `signedRoute` of `daypass/routes` with `express(handler, options)`, which returns a middleware. Put it before body parsers. In a router that is
 * mounted at a path, set `mount` to that path.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts no-run
 * import { signedRoute } from "daypass/routes/express";
 * import { urlSigner, urlVerifier } from "daypass/url";
 * import express from "express";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * express().get(invoice.path, invoice.express((_grant, { id }, _req, res) => res.json({ id })));
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly express: NodeAdapter<P> } {
  const route = bare(options);
  return { ...route, express: nodeAdapter(route) };
}
