/**
 * Routes as a dialect: a Daypass URL on a route's origin and below its prefix is forwarded to the route's upstream, and so is a visit.
 * @module
 */
import type { ObligationKind } from "daypass";
import type { Limits } from "../../pipeline/limits.ts";
import type { Routes } from "../../upstream/contract.ts";
import type { Protocol } from "../protocol.ts";
import { refuseUrl } from "../url/refuse.ts";
import { countUse, type PlaceOptions, placeGrants } from "./grants.ts";
import { type RouteGrant, routeTask } from "./task.ts";

export interface RouteProtocolOptions extends Omit<PlaceOptions<never>, "find" | "places" | "enforces"> {
  readonly routes: Routes;
  readonly limits: Limits;
}

/** `task.ts` enforces them; `strip` by forwarding `grant.target`. No upstream promises `create-only`. */
const ENFORCED: readonly ObligationKind[] = ["body-length", "body-sha256", "response", "strip"];

/** Daypass URLs and visits on routes. */
export function routeProtocol({ routes, limits, ...options }: RouteProtocolOptions): Protocol<RouteGrant> {
  const { list: places, find } = routes;
  return {
    dialect: "route",
    ...placeGrants({ ...options, places, find, enforces: ENFORCED }),
    task(permit, received, body) {
      const { grant } = permit;
      const task = routeTask({ permit, received, body, limits });
      if (grant.obligations.every(({ kind }) => kind !== "uses")) return task;
      return countUse(options.uses, received.request.method, grant).then(() => task);
    },
    refuse: refuseUrl,
  };
}
