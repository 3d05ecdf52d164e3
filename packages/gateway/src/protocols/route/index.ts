/**
 * Routes as a dialect: a Daypass URL on a route's origin and below its prefix is forwarded to the route's upstream.
 * @module
 */
import {
  type Clock,
  DaypassError,
  type KeyResolver,
  type ObligationKind,
  type UseStore,
  type WireRequest,
} from "daypass";
import { type UrlGrant, type UrlKey, urlVerifier } from "daypass/url";
import type { Limits } from "../../pipeline/limits.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { Resource } from "../../pipeline/scope-match.ts";
import type { Route, RouteRequirement, Routes } from "../../upstream/contract.ts";
import type { Protocol } from "../protocol.ts";
import { refuseUrl } from "../url/refuse.ts";
import { type RouteGrant, routeTask } from "./task.ts";

export interface RouteProtocolOptions {
  readonly routes: Routes;
  readonly keys: KeyResolver<UrlKey> | readonly UrlKey[];
  readonly audience: string | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Counts uses; without a store, URLs with `uses` are refused. */
  readonly uses: UseStore | undefined;
}

/** `task.ts` enforces them; `strip` by forwarding `grant.target`. No upstream promises `create-only`. */
const ENFORCED: readonly ObligationKind[] = ["body-length", "body-sha256", "response", "strip"];

/** The bucket of a route in scopes and revocations; no bucket of a storage has a `:`. */
export function routeBucket(origin: string): string {
  return `route:${origin}`;
}

/** Daypass URLs on routes. A request below a route belongs to it, signed or not. */
export function routeProtocol(options: RouteProtocolOptions): Protocol<RouteGrant> {
  const { routes, keys, audience, limits, clock, uses } = options;
  const signed = urlVerifier({
    keys,
    origins: [...new Set(routes.list.map(({ origin }) => origin))],
    audience,
    clock,
    enforces: uses === undefined ? ENFORCED : [...ENFORCED, "uses"],
  });

  async function verify(request: WireRequest): Promise<RouteGrant> {
    const route = routes.find(request);
    if (route === undefined) throw new DaypassError("NO_SIGNATURE", "expected the path of a route, found another");
    const subject = route.subjects ? subjectOf(request) : undefined;
    const grant = await signed.verify(request, { subject });
    expectRequired(route, grant);
    return Object.assign(grant, { route });
  }

  return {
    dialect: "route",
    verifiers: [{ detects: (request) => routes.find(request) !== undefined, verify }],
    resource: ({ origin, path }): Resource => ({ bucket: routeBucket(origin), key: path.slice(1) }),
    life: ({ expiresAt, notBefore }) => (expiresAt.getTime() - notBefore.getTime()) / 1000,
    task(permit, received, body) {
      const task = routeTask({ permit, received, body, limits });
      const limited = permit.grant.obligations.find(({ kind }) => kind === "uses");
      if (uses === undefined || limited?.kind !== "uses" || received.request.method === "HEAD") return task;
      const { keyId, id, expiresAt } = permit.grant;
      return uses.claim(keyId, id, limited.limit, expiresAt).then((isLeft) => {
        if (isLeft) return task;
        throw new DaypassError("USES_SPENT", "expected a URL with a use left, found none: ask for a new one");
      });
    },
    refuse: refuseUrl,
  };
}

/** The subject that a URL names. The upstream compares it with the identity of the client. */
function subjectOf({ target }: WireRequest): string | undefined {
  const [, value] = /[?&]dp-subject=([^&]*)/.exec(target) ?? [];
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

const REQUIREMENTS: Readonly<Record<RouteRequirement, (grant: UrlGrant) => boolean>> = {
  "body-length": (grant) => hasObligation(grant, "body-length"),
  "body-sha256": (grant) => hasObligation(grant, "body-sha256"),
  exact: ({ prefix }) => prefix === undefined,
  uses: (grant) => hasObligation(grant, "uses"),
};

function hasObligation({ obligations }: UrlGrant, kind: ObligationKind): boolean {
  return obligations.some((obligation) => obligation.kind === kind);
}

/** @throws {Refusal} `ROUTE_REQUIREMENT` */
function expectRequired({ requires }: Route, grant: UrlGrant): void {
  const missing = requires.find((requirement) => !REQUIREMENTS[requirement](grant));
  if (missing === undefined) return;
  throw new Refusal("ROUTE_REQUIREMENT", `the route requires ${missing} of each URL: sign one with it`, { missing });
}
