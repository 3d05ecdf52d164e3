/**
 * Signed routes on servers of `node:http`, and in frameworks that hand over its requests: {@link signedRoute}.
 *
 * @module
 */
import { type NodeAdapter, nodeAdapter } from "./node-adapter.ts";
import { signedRoute as bare, type RouteSigner, type SignedRoute, type SignedRouteOptions } from "./route.ts";

export type { NodeAdapter, NodeRouteHandler } from "./node-adapter.ts";

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
