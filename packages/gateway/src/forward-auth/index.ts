/**
 * Decisions for proxies: nginx, Caddy, HAProxy, Apache, Varnish, Traefik and Envoy ask whether a request may pass.
 *
 * @module
 */
import type { Clock, KeyResolver, WireRequest } from "daypass";
import type { UrlKey } from "daypass/url";
import type { Gateway } from "../gateway.ts";
import { given } from "../http/validate-options.ts";
import { LinkRefused } from "../links/open-link.ts";
import { linkOfCookies } from "../links/visit.ts";
import type { GatewayOptions } from "../options.ts";
import type { AccessEvent } from "../pipeline/access-log.ts";
import { defaultLimits, type Limits } from "../pipeline/limits.ts";
import type { Outcome } from "../pipeline/outcome.ts";
import { type Begun, NO_BODY, pipeline } from "../pipeline/pipeline.ts";
import { type Tally, tally } from "../pipeline/probes.ts";
import { Refusal } from "../pipeline/refusal.ts";
import { steadyClock } from "../pipeline/steady-clock.ts";
import { LINK_BASE } from "../protocols/link/path.ts";
import { wantsPage } from "../protocols/page.ts";
import type { PermittingProtocol } from "../protocols/protocol.ts";
import { countUse, type PlaceGrant, placeGrants } from "../protocols/route/grants.ts";
import { refuseUrl } from "../protocols/url/refuse.ts";
import { ownersOf, usesOf, visitsOf } from "../protocols.ts";
import { identityHeaders } from "../upstream/headers.ts";
import { isPlainPath } from "../upstream/plain-path.ts";
import { pathOf, routeTable } from "../upstream/route-table.ts";
import { type ForwardAuthHost, placesOf } from "./places.ts";
import { proxies } from "./proxies/index.ts";
import type { Decider, OriginalRequest, ProxyDialect } from "./proxy-request.ts";

export { type FastCgiServer, serveFastCgi } from "./fastcgi.ts";
export type { ForwardAuthHost } from "./places.ts";
export type { Decider, OriginalRequest } from "./proxy-request.ts";

/** Options of {@link createForwardAuth}. */
export interface ForwardAuthOptions {
  /** The hosts that proxies may ask about. */
  readonly hosts: readonly ForwardAuthHost[];
  readonly keys: {
    /** Needed for links whose owner is an S3 key. */
    readonly s3?: GatewayOptions["keys"]["s3"];
    /** Keys of Daypass URLs. */
    readonly url: KeyResolver<UrlKey> | readonly UrlKey[];
  };
  /** Links and revocations: none by default. Their pages are served by a gateway. */
  readonly links?: GatewayOptions["links"];
  /** The audience that Daypass URLs must have been signed for; if not set, only URLs without an audience are accepted. */
  readonly audience?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Called once for each decision, with the original request. */
  readonly accessLog?: ((event: AccessEvent) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Requests in progress and counters, by default of this object only. */
  readonly tally?: Tally | undefined;
}

/** Answers proxies. Served by `listen` of `@daypass/gateway/node`, on an address that only proxies reach. */
export interface ForwardAuth extends Decider, Pick<Gateway, "limits" | "handle" | "close"> {}

/** Why a visit does not open any more. When a visit is over, the browser removes its cookie and keeps the cookie with the name of the link. */
const ENDED: ReadonlySet<string | undefined> = new Set([
  "NO_SIGNATURE",
  "LINK_CLOSED",
  "REVOKED",
  "KEY_SCOPE",
  "UNKNOWN_KEY",
]);

/**
 * Creates the service that proxies ask before they let a request pass. A request passes with a Daypass URL, or with the cookie of a visit.
 * Only paths that every server reads in the same way pass; only GET and HEAD, unless the host lists more methods.
 *
 * Does not check that a proxy asks: its listener must be out of reach of clients. Bytes are not counted, and a WebSocket that a proxy has
 * opened is not cut.
 *
 * @throws {DaypassError} `INVALID_INPUT`, `INVALID_KEY`
 * @example
 * ```ts
 * import { createForwardAuth } from "@daypass/gateway/forward-auth";
 * import { listen } from "@daypass/gateway/node";
 *
 * const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
 * const auth = createForwardAuth({ hosts: [{ origin: "https://photos.example.com" }], keys: { url: [key] } });
 * const server = await listen(auth, { port: 0 });
 * const headers = { "x-original-method": "GET", "x-original-uri": "/album/7/", "x-original-host": "photos.example.com" };
 * console.log((await fetch(`${server.url}/-/auth/nginx`, { headers })).status); // 403
 * await server.drain(0);
 * ```
 */
export function createForwardAuth(options: ForwardAuthOptions): ForwardAuth {
  const { hosts, keys, links, audience } = options;
  const clock = steadyClock(options.clock ?? (() => new Date()));
  const limits: Limits = { ...defaultLimits, ...given(options.limits) };
  const places = placesOf(hosts);
  const uses = links && usesOf(links.links.state);
  const protocol: PermittingProtocol<PlaceGrant> = {
    dialect: "route",
    refuse: refuseUrl,
    ...placeGrants({
      ...visitsOf(links, ownersOf(keys), clock),
      places,
      find: routeTable(places),
      keys: keys.url,
      audience,
      clock,
      uses,
      enforces: [],
    }),
  };
  let closed = false;
  const { begin, probe, receive, admit, respond, answer } = pipeline({
    ...options,
    hosts: undefined,
    protocols: [protocol],
    limits,
    clock,
    tally: options.tally ?? tally(),
    isCounting: true,
    obstacle: () => (closed ? "draining" : undefined),
    linkObstacle: () => links?.links.obstacle(),
  });

  async function permitted(request: WireRequest, begun: Begun): Promise<PlaceGrant> {
    const { notes, reached } = begun;
    const received = receive(begun);
    if (!isPlainPath(pathOf(request.target)))
      throw new Refusal("INVALID_REQUEST", "the path is ambiguous. Send no dot segments and no encoded slashes");
    const { permit } = await admit({ notes, reached, received, body: NO_BODY });
    const grant = permit.grant as PlaceGrant;
    // The proxy sends the bytes, so a limit on them could not hold.
    if (grant.visit?.charged !== undefined) throw new LinkRefused("over-budget");
    const { methods } = grant.place;
    if (!methods.includes(request.method)) {
      const allow = methods.join(", ");
      throw new Refusal("METHOD_NOT_ALLOWED", `the host allows ${allow}, not ${request.method}`, { allow });
    }
    if (grant.obligations.length > 0) await countUse(uses, request.method, grant);
    return grant;
  }

  async function decide(
    { method, host, target, remoteAddress }: OriginalRequest,
    headers: WireRequest["headers"],
    proxy: Omit<ProxyDialect, "read"> = {},
  ): Promise<Outcome> {
    const request: WireRequest = { method, target, authority: host, headers, remoteAddress };
    const begun = begin(request);
    try {
      const { id, keyId, subject } = await permitted(request, begun);
      const identity = identityHeaders({ grant: id, key: keyId, subject });
      if (proxy.wantsEmptyHeaders && subject === undefined) identity.push("daypass-subject", "");
      return respond({ status: 200, headers: [...identity, "content-length", "0"], body: undefined }, begun.notes);
    } catch (error) {
      return deny(error, begun, proxy.denial);
    }
  }

  function deny(error: unknown, { notes, reached }: Begun, denial: ProxyDialect["denial"]): Outcome {
    const denied = answer(error, notes, reached);
    const page = ENDED.has(notes.code) ? linkPageOf(notes.request) : undefined;
    const headers = page === undefined ? denied.headers : [...denied.headers, "daypass-link", page];
    return respond({ ...denied, headers, status: denial?.(denied.status) ?? denied.status }, notes);
  }

  /** Where a browser with a visit that is over learns why: the proxy would ask for a login, which a visitor has not. */
  function linkPageOf(request: WireRequest): string | undefined {
    if (!wantsPage(request) || !/^(?:GET|HEAD)$/.test(request.method)) return undefined;
    const cookies = request.headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value);
    const link = linkOfCookies(cookies);
    return link && `${LINK_BASE}/l/${link}`;
  }

  return {
    limits,
    decide: (original, headers) => decide(original, headers),
    handle(request) {
      const [, name = ""] = /^\/-\/auth\/([a-z]+)(?:[/?]|$)/.exec(request.target) ?? [];
      const proxy = Object.hasOwn(proxies, name) ? proxies[name] : undefined;
      const original = proxy?.read(request);
      if (original !== undefined) return decide(original, request.headers, proxy);
      const begun = begin(request);
      const unasked = new Refusal(
        "INVALID_REQUEST",
        "the proxy did not send the original method, host and URI. Configure it to send them",
      );
      return probe(begun) ?? deny(unasked, begun, proxy?.denial);
    },
    async close() {
      closed = true;
    },
  };
}
