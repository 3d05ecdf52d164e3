import { createHash, createHmac, randomBytes } from "node:crypto";
import { type Clock, DaypassError, type UseStore } from "daypass";
import { currentVisits } from "./links/current-visit.ts";
import { visitRenewal } from "./links/renew-visit.ts";
import { visitCookies } from "./links/visit.ts";
import type { GatewayLinks, GatewayOptions } from "./options.ts";
import type { Limits } from "./pipeline/limits.ts";
import { ownerScopes } from "./pipeline/owner-scopes.ts";
import { type Sessions, sessions } from "./pipeline/sessions.ts";
import { checkHandOver } from "./protocols/link/hand-over.ts";
import { linkProtocol } from "./protocols/link/index.ts";
import { hasLinkTargets } from "./protocols/link/path.ts";
import type { Protocol } from "./protocols/protocol.ts";
import { type RouteProtocolOptions, routeProtocol } from "./protocols/route/index.ts";
import { s3Protocol } from "./protocols/s3/index.ts";
import { stsProtocol } from "./protocols/sts/index.ts";
import { urlProtocol } from "./protocols/url/index.ts";
import type { State } from "./state/contract/state.ts";
import { hostsOf } from "./upstream/route-table.ts";

/** The one list of protocols: those that have keys. The first one also answers those who speak none. */
export function protocolsOf(options: GatewayOptions, limits: Limits, clock: Clock): readonly [Protocol, ...Protocol[]] {
  const {
    origins,
    keys,
    region = "us-east-1",
    regions = [region],
    audience,
    debugFields = true,
    redirectOrigins = [],
    routes,
    tolerate = [],
  } = options;
  const common = { origins, limits, clock };
  const protocols: Protocol[] = [];
  if (keys.s3 !== undefined) {
    const sessions = sessionsOf(options);
    protocols.push(
      s3Protocol({
        ...common,
        keys: keys.s3,
        region,
        regions,
        debugFields,
        createHash,
        sessions,
        redirectOrigins,
        tolerate,
      }),
    );
    if (sessions !== undefined)
      protocols.push(stsProtocol({ ...common, keys: keys.s3, regions, sessions, createHash }));
  }
  if (keys.url !== undefined) {
    const signed = { ...common, keys: keys.url, audience, uses: options.links && usesOf(options.links.links.state) };
    protocols.push(urlProtocol({ ...signed, isRouted: (request) => routes?.find(request) !== undefined }));
    if (routes !== undefined) protocols.push(routeProtocol({ ...signed, ...visitsOf(options, clock), routes }));
  }
  if (options.links !== undefined) protocols.push(linksOf(options, options.links, clock));
  const [first, ...others] = protocols;
  if (first === undefined) throw new TypeError("a gateway was checked to have keys, and has none");
  return [first, ...others];
}

/** What visits to routes need of the links. */
export function visitsOf({ links, keys }: Pick<GatewayOptions, "links" | "keys">, clock: Clock): VisitOptions {
  if (links === undefined) return { visits: undefined, current: undefined, scopesOf: undefined, renew: undefined };
  const { state, stateKey } = links.links;
  const visits = visitCookies(stateKey);
  const current = currentVisits(links.links, clock);
  return { visits, current, scopesOf: ownerScopes(state, keys.s3), renew: visitRenewal(state, visits) };
}

type VisitOptions = Pick<RouteProtocolOptions, "visits" | "current" | "scopesOf" | "renew">;

/** The uses of Daypass URLs in the state of the gateway. */
export function usesOf(state: State): UseStore {
  return { claim: (kid, grantId, uses, until) => state.claimUse({ kid, grantId, uses, until: until.getTime() }) };
}

function linksOf(
  { origins, keys, routes, storage }: GatewayOptions,
  { links, sharedBy, handOver, hosts = [], ...wanted }: GatewayLinks,
  clock: Clock,
): Protocol {
  const { opener, stateKey, state } = links;
  const origin = wanted.origin ?? origins.find((one) => !one.includes("*"));
  if (origin === undefined)
    throw new DaypassError("INVALID_INPUT", "links.origin is missing: links need an origin without `*`");
  const own = hostsOf(origin);
  const taken = routes?.list.find(
    (route) => hasLinkTargets(route.prefix) && hostsOf(route.origin).some((host) => own.includes(host)),
  );
  if (taken !== undefined)
    throw new DaypassError(
      "INVALID_INPUT",
      `the route ${taken.prefix} has the paths /l/ or /d/ of links on ${origin}: use another prefix, or set links.origin to another origin`,
    );
  const sites = [...new Set([...(routes?.list.map((route) => route.origin) ?? []), ...hosts])];
  if (handOver !== undefined) checkHandOver(handOver);
  const filePath = storage.filePath?.bind(storage);
  const scopesOf = ownerScopes(state, keys.s3);
  return linkProtocol({ opener, stateKey, origin, sites, scopesOf, sharedBy, clock, handOver, filePath });
}

const MIN_SECRET = 32;

function sessionsOf({ sessionSecret, random = randomBytes }: GatewayOptions): Sessions | undefined {
  if (sessionSecret === undefined) return undefined;
  if (sessionSecret.length < MIN_SECRET) {
    throw new DaypassError("INVALID_KEY", `sessionSecret is too short. Pass at least ${MIN_SECRET} bytes`);
  }
  return sessions((text) => createHmac("sha256", sessionSecret).update(text).digest(), random);
}
