/**
 * Signed routes in Hono, on any runtime: {@link signedRoute}.
 *
 * @module
 */
import type {
  FetchRequest,
  FetchResponse,
  GlobalResponse,
  GuardFetchOptions,
  RequestFacts,
} from "../adapters/fetch/index.ts";
import { fetchAdapter } from "./fetch-adapter.ts";
import type { RouteParams } from "./pattern.ts";
import {
  signedRoute as bare,
  type RouteGrant,
  type RouteSigner,
  type SignedRoute,
  type SignedRouteOptions,
} from "./route.ts";

/** The parts of a Hono context that are used. */
export interface HonoContext {
  readonly req: { raw: FetchRequest };
  /** On Node, `@hono/node-server` puts the request of `node:http` there. */
  readonly env?: unknown;
}

/** Makes a Hono handler of a handler that receives grant and parameters first. Accepts the options of `guardFetch`, with the context. */
export type HonoAdapter<P extends string> = <
  // biome-ignore lint/suspicious/noExplicitAny: Hono infers the context of a handler only from its own types
  C extends HonoContext = any,
  Res extends FetchResponse = GlobalResponse,
>(
  handler: (grant: RouteGrant<P>, params: RouteParams<P>, c: C) => Res | Promise<Res>,
  options?: GuardFetchOptions<FetchRequest, Res, [C]>,
) => (c: C) => Promise<Res | GlobalResponse>;

/**
 * `signedRoute` of `daypass/routes` with `hono(handler, options)`, which returns a Hono handler. On Node it verifies the raw target, which a
 * `Request` loses, and the peer's address. If a grant limits the body or strips parameters, `c.req.raw` is replaced accordingly. Below
 * `app.mount("/api", …)`, which shortens the request's path, pass `facts: () => ({ basePath: "/api" })`.
 *
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts no-run
 * import { signedRoute } from "daypass/routes/hono";
 * import { urlSigner, urlVerifier } from "daypass/url";
 * import { Hono } from "hono";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * new Hono().get(invoice.path, invoice.hono((_grant, { id }, c) => c.json({ id })));
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> & { readonly hono: HonoAdapter<P> } {
  const route = bare(options);
  const fetch = fetchAdapter(route);
  const hono: HonoAdapter<P> = <C extends HonoContext, Res extends FetchResponse>(
    handler: (grant: RouteGrant<P>, params: RouteParams<P>, c: C) => Res | Promise<Res>,
    guardOptions?: GuardFetchOptions<FetchRequest, Res, [C]>,
  ) => {
    const guarded = fetch<FetchRequest, Res, [C]>(
      (grant, params, request, c) => {
        if (request !== c.req.raw) c.req.raw = request;
        return handler(grant, params, c);
      },
      {
        ...guardOptions,
        facts: (request, c) => ({ ...nodeFacts(c.env), ...guardOptions?.facts?.(request, c) }),
      },
    );
    return (c: C) => guarded(c.req.raw, c);
  };
  return { ...route, hono };
}

interface NodeBindings {
  readonly incoming?: {
    readonly url?: string;
    readonly socket?: { readonly remoteAddress?: string };
  };
}

function nodeFacts(env: unknown): RequestFacts {
  const { incoming } = (env ?? {}) as NodeBindings;
  if (incoming === undefined) return {};
  return { rawTarget: incoming.url, remoteAddress: incoming.socket?.remoteAddress };
}
