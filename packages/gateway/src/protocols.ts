import { createHash, createHmac, randomBytes } from "node:crypto";
import { type Clock, DaypassError, type KeyResolver } from "daypass";
import type { UrlKey } from "daypass/url";
import type { Form } from "./http/validate-options.ts";
import { currentVisits } from "./links/current-visit.ts";
import { visitRenewal } from "./links/renew-visit.ts";
import { visitCookies } from "./links/visit.ts";
import type { PictureSize } from "./operations/picture-head.ts";
import { virtualBucket } from "./pipeline/addressed-bucket.ts";
import type { Limits } from "./pipeline/limits.ts";
import { type FindScopes, ownerScopes } from "./pipeline/owner-scopes.ts";
import { type Sessions, sessions } from "./pipeline/sessions.ts";
import { checkHandOver } from "./protocols/link/hand-over.ts";
import { linkProtocol } from "./protocols/link/index.ts";
import { hasLinkTargets } from "./protocols/link/path.ts";
import type { Protocol, UseCounter } from "./protocols/protocol.ts";
import { type RouteProtocolOptions, routeProtocol } from "./protocols/route/index.ts";
import { s3Protocol } from "./protocols/s3/index.ts";
import { type S3AccessKey, scopesOf } from "./protocols/s3/verifiers.ts";
import { stsProtocol } from "./protocols/sts/index.ts";
import { urlProtocol } from "./protocols/url/index.ts";
import type { GatewayLinks, GatewaySettings } from "./settings.ts";
import type { State } from "./state/contract/state.ts";
import { boundedMap } from "./storage/contract/bounded-map.ts";
import { hostsOf } from "./upstream/route-table.ts";

/** The keys of each dialect that has keys. */
export interface FrontKeys {
  /** A function that finds access keys by their id. */
  readonly s3?: KeyResolver<S3AccessKey> | undefined;
  /** JWKs or a function that finds one by its kid; their scopes apply. */
  readonly url?: KeyResolver<UrlKey> | readonly UrlKey[] | undefined;
}

/**
 * A dialect that has keys: `s3` is all of S3, including forms and the Security Token Service; `url` are Daypass URLs, also those that are
 * forwarded to upstreams.
 */
export type Dialect = keyof FrontKeys;

/** What the gateway knows of a dialect that has keys. */
export interface Front<K = unknown> {
  /** The form of its keys. */
  readonly keys: Form;
  /** Returns its protocols. Called only if the gateway has keys for it. */
  make(keys: K, context: FrontContext): readonly Protocol[];
  /** Returns the function that finds the scopes of a key which owns links. Absent if its keys own none. */
  ownerScopes?(keys: K): FindScopes;
}

/** What a front may read to make its protocols. */
export interface FrontContext {
  readonly settings: GatewaySettings;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Find the scopes of the keys that own links. */
  readonly owners: readonly FindScopes[];
}

/** A registry of fronts. The first one with keys also answers those who speak none. */
export type Fronts = Readonly<Record<string, Front>>;

/** The options of a gateway with the fronts of any registry. */
export interface OpenOptions extends GatewaySettings {
  readonly keys: object;
  readonly hosts?: Readonly<Record<string, readonly string[]>> | undefined;
}

const isFunction = (value: unknown): boolean => typeof value === "function";

/** The fronts of the gateway. */
export const fronts: { readonly [D in Dialect]-?: Front<NonNullable<FrontKeys[D]>> } = {
  s3: {
    keys: [isFunction, "a function that finds keys by their id"],
    make: s3Protocols,
    ownerScopes: (keys) => (id) => scopesOf(keys, id),
  },
  url: {
    keys: [
      (value) => isFunction(value) || Array.isArray(value),
      "a list of keys, or a function that finds them by their kid",
    ],
    make: urlProtocols,
  },
};

/** Returns the protocols of the fronts that have keys, and of links. */
export function protocolsOf(
  rows: Fronts,
  options: OpenOptions,
  { limits, clock }: Pick<FrontContext, "limits" | "clock">,
): readonly [Protocol, ...Protocol[]] {
  const { keys, links } = options;
  const context = { settings: options, limits, clock, owners: ownersOf(keys, rows) };
  const protocols = spoken(rows, keys).flatMap(([front, own]) => front.make(own, context));
  if (links !== undefined) protocols.push(linksOf(links, context));
  const [first, ...others] = protocols;
  if (first === undefined) throw new TypeError("a gateway was checked to have keys, and has none");
  return [first, ...others];
}

/** The fronts that have keys, with their keys and names. */
export function spoken(
  rows: Fronts,
  keys: object,
): readonly (readonly [front: Front, keys: unknown, dialect: string])[] {
  const given = new Map<string, unknown>(Object.entries(keys));
  return Object.entries(rows).flatMap(([dialect, front]) => {
    const own = given.get(dialect);
    return own === undefined ? [] : [[front, own, dialect] as const];
  });
}

/** The functions that find the scopes of the keys that own links. */
export function ownersOf(keys: object, rows: Fronts = fronts): readonly FindScopes[] {
  return spoken(rows, keys).flatMap(([front, own]) => front.ownerScopes?.(own) ?? []);
}

function s3Protocols(keys: KeyResolver<S3AccessKey>, { settings, limits, clock }: FrontContext): readonly Protocol[] {
  const { origins, region = "us-east-1", regions = [region], redirectOrigins = [], tolerate } = settings;
  const sessions = sessionsOf(settings);
  const common = { keys, origins, regions, clock, createHash };
  const { debugFields = true } = settings;
  const s3 = s3Protocol({ ...common, limits, region, debugFields, sessions, redirectOrigins, tolerate });
  return sessions === undefined ? [s3] : [s3, stsProtocol({ ...common, sessions })];
}

function urlProtocols(
  keys: KeyResolver<UrlKey> | readonly UrlKey[],
  { settings, limits, clock, owners }: FrontContext,
): readonly Protocol[] {
  const { origins, audience, routes, links } = settings;
  const uses = links && usesOf(links.links.state);
  const signed = { origins, limits, clock, keys, audience, uses };
  const url = urlProtocol({ ...signed, isRouted: (request) => routes?.find(request) !== undefined });
  return routes === undefined ? [url] : [url, routeProtocol({ ...signed, ...visitsOf(links, owners, clock), routes })];
}

/** What visits to routes need of the links. */
export function visitsOf(links: GatewayLinks | undefined, owners: readonly FindScopes[], clock: Clock): VisitOptions {
  if (links === undefined) return { visits: undefined, current: undefined, scopesOf: undefined, renew: undefined };
  const { state, stateKey } = links.links;
  const visits = visitCookies(stateKey);
  const current = currentVisits(links.links, clock);
  return { visits, current, scopesOf: ownerScopes(state, owners), renew: visitRenewal(state, visits) };
}

type VisitOptions = Pick<RouteProtocolOptions, "visits" | "current" | "scopesOf" | "renew">;

/** The uses of Daypass URLs in the state of the gateway. */
export function usesOf(state: State): UseCounter {
  return {
    claim: ({ keyId: kid, id: grantId, notBefore, expiresAt }, uses) =>
      state.claimUse({ kid, grantId, uses, until: expiresAt.getTime(), validFrom: notBefore.getTime() }),
  };
}

function linksOf(
  { links, sharedBy, handOver, hosts = [], ...wanted }: GatewayLinks,
  { settings: { origins, routes, storage }, owners, clock }: FrontContext,
): Protocol {
  const { opener, counts, stateKey, state } = links;
  const origin = wanted.origin ?? origins.find((one) => !one.includes("*"));
  if (origin === undefined)
    throw new DaypassError("INVALID_INPUT", "links.origin is missing: links need an origin without `*`");
  const own = hostsOf(origin);
  const routeAt = (hosts: readonly string[]) =>
    routes?.list.find(
      (route) => hasLinkTargets(route.prefix) && hostsOf(route.origin).some((host) => hosts.includes(host)),
    );
  const taken = routeAt(own);
  if (taken !== undefined)
    throw new DaypassError(
      "INVALID_INPUT",
      `the route ${taken.prefix} has the paths /l/ or /d/ of links on ${origin}: use another prefix, or set links.origin to another origin`,
    );
  // wget2 omits the port in Host. Without it, a route or a bucket may have this host, and links have no other.
  const withoutPort = new URL(origin).hostname;
  const isFree = routeAt([withoutPort]) === undefined && !virtualBucket(origins)(withoutPort);
  const sites = [...new Set([...(routes?.list.map((route) => route.origin) ?? []), ...hosts])];
  if (handOver !== undefined) checkHandOver(handOver);
  const filePath = storage.filePath?.bind(storage);
  return linkProtocol({
    opener,
    counts,
    stateKey,
    origin,
    hosts: isFree ? [...own, withoutPort] : own,
    sites,
    scopesOf: ownerScopes(state, owners),
    sharedBy,
    clock,
    handOver,
    filePath,
    sizes: boundedMap<PictureSize>(PICTURES),
  });
}

/** Pictures whose size is known, about 100 bytes each. */
const PICTURES = 20_000;
const MIN_SECRET = 32;

function sessionsOf({ sessionSecret, random = randomBytes }: GatewaySettings): Sessions | undefined {
  if (sessionSecret === undefined) return undefined;
  if (sessionSecret.length < MIN_SECRET) {
    throw new DaypassError("INVALID_KEY", `sessionSecret is too short. Pass at least ${MIN_SECRET} bytes`);
  }
  return sessions((text) => createHmac("sha256", sessionSecret).update(text).digest(), random);
}
