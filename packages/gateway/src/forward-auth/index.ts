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
import type { GatewayOptions } from "../options.ts";
import type { Permit } from "../permit.ts";
import { type AuditEvent, type Notes, notesOf, requestIds } from "../pipeline/audit.ts";
import { authenticator } from "../pipeline/authenticate.ts";
import { authorize } from "../pipeline/authorize.ts";
import { defaultLimits, type Limits } from "../pipeline/limits.ts";
import type { Answer, Outcome } from "../pipeline/outcome.ts";
import { answerProbe, type Tally, tally } from "../pipeline/probes.ts";
import { receive } from "../pipeline/receive.ts";
import { Refusal, toRefusal } from "../pipeline/refusal.ts";
import { responder } from "../pipeline/respond.ts";
import { expectNotRevoked } from "../pipeline/revocation.ts";
import { steadyClock } from "../pipeline/steady-clock.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { countUse, type PlaceGrant, placeGrants } from "../protocols/route/grants.ts";
import { refuseUrl } from "../protocols/url/refuse.ts";
import { usesOf, visitsOf } from "../protocols.ts";
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
  readonly audit?: ((event: AuditEvent) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Requests in progress and counters, by default of this object only. */
  readonly tally?: Tally | undefined;
}

/** Answers proxies. Served by `listen` of `@daypass/gateway/node`, on an address that only proxies reach. */
export interface ForwardAuth extends Decider, Pick<Gateway, "limits" | "handle" | "close"> {}

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
  const { hosts, keys, links, audience, audit, tally: counts = tally() } = options;
  const clock = steadyClock(options.clock ?? (() => new Date()));
  const limits: Limits = { ...defaultLimits, ...given(options.limits) };
  const places = placesOf(hosts);
  const uses = links && usesOf(links.links.state);
  const dialect: Protocol<PlaceGrant> = {
    dialect: "route",
    ...placeGrants({
      ...{ places, find: routeTable(places), keys: keys.url, audience, clock, uses, enforces: [] },
      ...visitsOf({ links, keys }, clock),
    }),
    task() {
      throw new TypeError("a decision has no task");
    },
    refuse: refuseUrl,
  };
  const { authenticate } = authenticator({
    protocols: [dialect as Protocol],
    hosts: undefined,
    unverifiedBodies: { places: 0, perAddress: 0, occupied: counts.unverified },
  });
  const respond = responder({
    cors: {},
    clock,
    onDelivered(event) {
      counts.metrics.count(event);
      try {
        audit?.(event);
      } catch {
        // A failing log must not end the server.
      }
    },
    onOver() {
      counts.inFlight -= 1;
    },
  });
  const nextRequestId = requestIds();
  let closed = false;
  const probes = {
    obstacle: () => (closed ? "draining" : undefined),
    linkObstacle: () => links?.links.obstacle(),
    auditFault: () => links?.links.state.auditFault?.(),
  };

  async function permit(request: WireRequest, notes: Notes): Promise<Permit<PlaceGrant>> {
    const received = receive(request, limits);
    if (!isPlainPath(pathOf(request.target)))
      throw new Refusal("INVALID_REQUEST", "the path is ambiguous. Send no dot segments and no encoded slashes");
    const authenticated = await authenticate(received, EMPTY);
    notes.signer = authenticated.grant;
    notes.resource = dialect.resource(authenticated.grant as PlaceGrant);
    const permitted = await authorize(authenticated, {
      findRevoked: links?.links.revocations.findPrefix,
      now: clock().getTime(),
    });
    if (links !== undefined) expectNotRevoked(permitted, links.links);
    const { grant } = permitted as Permit<PlaceGrant>;
    // The proxy sends the bytes, so a limit on them could not hold.
    if (grant.visit?.charged !== undefined) throw new LinkRefused("over-budget");
    const { methods } = grant.place;
    if (!methods.includes(request.method)) {
      const allow = methods.join(", ");
      throw new Refusal("METHOD_NOT_ALLOWED", `the host allows ${allow}, not ${request.method}`, { allow });
    }
    if (grant.obligations.length > 0) await countUse(uses, request.method, grant);
    return permitted as Permit<PlaceGrant>;
  }

  async function decide(
    { method, host, target, remoteAddress }: OriginalRequest,
    headers: WireRequest["headers"],
    { denial = (status) => status, wantsEmptyHeaders = false }: Omit<ProxyDialect, "read"> = {},
  ): Promise<Outcome> {
    const request: WireRequest = { method, target, authority: host, headers, remoteAddress };
    const notes = notesOf(request, { requestId: nextRequestId(), time: clock().getTime() });
    counts.inFlight += 1;
    try {
      if (counts.inFlight > limits.inFlight)
        throw new Refusal("BUSY", `more than ${limits.inFlight} requests are in progress. Try again`);
      const { grant } = await permit(request, notes);
      const identity = identityHeaders({ grant: grant.id, key: grant.keyId, subject: grant.subject });
      if (wantsEmptyHeaders && grant.subject === undefined) identity.push("daypass-subject", "");
      return respond({ status: 200, headers: [...identity, "content-length", "0"], body: undefined }, notes);
    } catch (error) {
      const refusal = toRefusal(error);
      notes.code = refusal.code;
      const answer: Answer = refuseUrl(refusal, { requestId: notes.requestId, request, permit: undefined });
      if (answer.status >= 500) notes.error = refusal.cause;
      return respond({ ...answer, status: denial(answer.status) }, notes);
    }
  }

  return {
    limits,
    decide: (original, headers) => decide(original, headers),
    handle(request) {
      const [, name = ""] = /^\/-\/auth\/([a-z]+)(?:[/?]|$)/.exec(request.target) ?? [];
      const proxy = Object.hasOwn(proxies, name) ? proxies[name] : undefined;
      const original = proxy?.read(request);
      if (original !== undefined) return decide(original, request.headers, proxy);
      counts.inFlight += 1;
      const notes = notesOf(request, { requestId: nextRequestId(), time: clock().getTime() });
      const probe = answerProbe(request, probes);
      if (probe instanceof Promise) return probe.then((answer) => respond(answer, notes));
      if (probe !== undefined) return respond(probe, notes);
      notes.code = "INVALID_REQUEST";
      const refusal = new Refusal(
        "INVALID_REQUEST",
        "the proxy did not send the original method, host and URI. Configure it to send them",
      );
      const answer = refuseUrl(refusal, { requestId: notes.requestId, request, permit: undefined });
      return respond({ ...answer, status: proxy?.denial?.(answer.status) ?? answer.status }, notes);
    },
    async close() {
      closed = true;
    },
  };
}

const EMPTY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};
