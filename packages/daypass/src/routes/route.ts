import { admit } from "../adapters/guard.ts";
import type {
  AsyncSigner,
  Bindings,
  Proof,
  SignedOrError,
  SignedRequest,
  Signer,
  UseStore,
  Verifier,
  WireRequest,
} from "../core/contracts.ts";
import { invalidInput, refusal } from "../core/errors.ts";
import { signMany } from "../core/sign-many.ts";
import type { UrlGrant, UrlSignRequest, UrlVerifier } from "../schemes/url/index.ts";
import { patternOf, type RouteParams, type RouteValues } from "./pattern.ts";

/** What signs the URLs of routes: a `urlSigner` with either kind of key. */
export type RouteSigner = Signer<UrlSignRequest> | AsyncSigner<UrlSignRequest>;

/** Options of {@link signedRoute}. */
export interface SignedRouteOptions<P extends string, S extends RouteSigner> {
  /**
   * The path as the framework's router reads it: fixed segments and parameters that are whole segments, such as `/invoices/:id`. Wildcards,
   * optional parts and `:id.pdf` are refused, because routers read them in different ways.
   */
  readonly path: P;
  /** The path that a mount puts before {@link SignedRouteOptions.path}, such as `/api` for `app.use("/api", router)`. Empty by default. */
  readonly mount?: string | undefined;
  /** What clients call, `scheme://host[:port]`. By default, the only origin of the verifier. */
  readonly origin?: string | undefined;
  /** Methods that are signed, `["GET"]` by default. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** Signs the URLs. A service that only verifies omits it. */
  readonly signer?: S | undefined;
  /** Verifies the URLs. A service that only signs omits it. */
  readonly verifier?: UrlVerifier | undefined;
  /** Counts the uses of URLs that were signed with `uses`. Without a store, these are refused. */
  readonly uses?: UseStore | undefined;
}

/** Options of {@link SignedRoute.sign}: the lifetime, the URL's own query, and everything else that a Daypass URL can bind. */
export interface RouteSignOptions extends Omit<UrlSignRequest, "url" | "methods" | "prefix"> {
  /** The query of the URL, signed. The handler reads it from `grant.parameters`. */
  readonly query?: Bindings["query"];
}

/** The grant of a request to this route. */
export interface RouteGrant<P extends string> extends UrlGrant {
  /** The parameters, decoded from the path that was verified. The router's own may have been decoded in another way. */
  readonly params: RouteParams<P>;
}

/** What is known about a URL that is verified outside of a request. */
export interface DetachedUse extends Proof {
  /** The method that the URL must grant: by default, the first of the route's `methods`. */
  readonly method?: string | undefined;
  /** Headers that the URL may bind. */
  readonly headers?: WireRequest["headers"] | undefined;
}

/** A route that signs its own URLs. Made by {@link signedRoute}. */
export interface SignedRoute<P extends string, S extends RouteSigner> {
  /** The path for the framework's router. */
  readonly path: P;
  /** The store that counts uses. */
  readonly uses: UseStore | undefined;
  /**
   * Signs a URL of this route.
   *
   * @throws {DaypassError} `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS` for the parameter `.` or `..`, and the other codes of `urlSigner`
   */
  sign(params: RouteValues<P>, options: RouteSignOptions): ReturnType<S["sign"]>;
  /**
   * Signs many URLs, in order, each when its result is consumed. A bad item yields its error and does not stop the others.
   *
   * @param items the arguments of {@link SignedRoute.sign}, such as the rows of a database
   */
  signMany(items: Iterable<RouteItem<P>> | AsyncIterable<RouteItem<P>>): AsyncIterableIterator<SignedOrError>;
  /** Verifies requests to this route: what the adapters use, and any guard may. Rejects the URL of another route with `WRONG_AUDIENCE`. */
  readonly verifier: Verifier<RouteGrant<P>>;
  /**
   * Verifies a URL outside of a request, for example from a queue. Counts a use if it has `uses`. Body constraints and
   * `response` are obligations, which the verifier's `enforces` must list.
   *
   * @throws {DaypassError} `WRONG_AUDIENCE` for the URL of another route, `WRONG_ORIGIN`, and the other codes of `urlVerifier`
   */
  verify(url: string, use?: DetachedUse): Promise<RouteGrant<P>>;
}

/** The arguments of {@link SignedRoute.sign}. */
export type RouteItem<P extends string> = readonly [params: RouteValues<P>, options: RouteSignOptions];

/**
 * Signs and verifies the URLs of one route of an app, with parameters typed from its path. The adapters for frameworks are subpaths whose
 * `signedRoute` adds a method: `daypass/routes/node`, `/fetch`, `/express`, `/fastify`, `/hono`, `/next`.
 *
 * Does not register the route, and does not check that no other route matches the same URL: with `/invoices/:id` and `/invoices/new`,
 * signing the id `new` grants the other route. Keep parameters out of reach of fixed segments, or give the routes verifiers with
 * different audiences.
 *
 * @throws {DaypassError} `INVALID_INPUT` for a path that frameworks read in different ways, or without an origin
 * @example
 * ```ts
 * import { signedRoute } from "daypass/routes";
 * import { urlSigner, urlVerifier } from "daypass/url";
 *
 * const key = { kty: "oct", kid: "k1", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
 * const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
 * export const { url } = invoice.sign({ id: 7 }, { expiresIn: 900, query: { customer: "cus_42" } });
 * export const { id } = (await invoice.verify(url)).params; // "7"
 * ```
 */
export function signedRoute<P extends string, S extends RouteSigner>(
  options: SignedRouteOptions<P, S>,
): SignedRoute<P, S> {
  const { path, mount = "", signer, verifier, uses, methods = ["GET"] } = options;
  const pattern = patternOf(path, mount);
  const origin = options.origin ?? (signer && onlyOrigin(verifier));

  const sign = (params: RouteValues<P>, { query, bind, ...rest }: RouteSignOptions): ReturnType<S["sign"]> => {
    const bound = query === undefined ? bind : { ...bind, query };
    const request: UrlSignRequest = { ...rest, url: `${origin}${pattern.build(params)}`, methods, bind: bound };
    return given("signer", signer).sign(request) as ReturnType<S["sign"]>;
  };

  const ofRoute: Verifier<RouteGrant<P>> = {
    detects: (request) => verifier?.detects(request) ?? false,
    async verify(request, proof) {
      const grant = await given("verifier", verifier).verify(request, proof);
      const params = pattern.match(grant.path);
      // A router may match more: other letter case, a slash at the end, what middleware rewrote.
      if (params === undefined) throw refusal("WRONG_AUDIENCE", `the URL is for another route than ${path}`);
      return Object.assign(grant, { params });
    },
  };

  return {
    path,
    uses,
    sign,
    signMany: (items) =>
      signMany(
        { sign: ([params, rest]: RouteItem<P>): SignedRequest | Promise<SignedRequest> => sign(params, rest) },
        items,
      ),
    verifier: ofRoute,
    async verify(url, { method = methods[0] ?? "GET", headers = [], subject } = {}) {
      const [, found = "", authority = "", target = ""] = /^(https?:\/\/([^/?#]*))([^#]*)$/.exec(url) ?? [];
      const request: WireRequest = { method, target, authority, headers };
      // A request has no scheme on the wire, but this URL has one.
      const ofOrigin: Verifier<RouteGrant<P>> = {
        ...ofRoute,
        async verify(wire, proof) {
          const grant = await ofRoute.verify(wire, proof);
          if (grant.origin !== found) throw refusal("WRONG_ORIGIN", `the URL is for ${grant.origin}`);
          return grant;
        },
      };
      return admit(ofOrigin, request, { subject, uses, semicolons: "allow", enforces: [] });
    },
  };
}

function onlyOrigin(verifier: UrlVerifier | undefined): string {
  const [origin, second] = verifier?.origins ?? [];
  if (origin !== undefined && second === undefined) return origin;
  throw invalidInput("origin", "the origin that clients call, because the verifier has none or several", undefined);
}

function given<T>(option: "signer" | "verifier", value: T | undefined): T {
  if (value === undefined) throw invalidInput(option, "it to this route", value);
  return value;
}
