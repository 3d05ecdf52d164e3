/**
 * Routes as a dialect: a Daypass URL on a route's origin and below its prefix is forwarded to the route's upstream, and so is a visit.
 * @module
 */
import type { ObligationKind } from "daypass";
import type { RenewVisit } from "../../links/renew-visit.ts";
import type { ForwardRequest } from "../../operations/forward-request.ts";
import type { Limits } from "../../pipeline/limits.ts";
import type { Routes } from "../../upstream/contract.ts";
import type { Protocol, Task } from "../protocol.ts";
import { refuseUrl } from "../url/refuse.ts";
import { countUse, type PlaceOptions, placeGrants } from "./grants.ts";
import { type RouteGrant, routeTask } from "./task.ts";

export interface RouteProtocolOptions extends Omit<PlaceOptions<never>, "find" | "places" | "enforces"> {
  readonly routes: Routes;
  readonly limits: Limits;
  /** Renews the cookie of a visit in use; without it, a visit ends after its hour. */
  readonly renew: RenewVisit | undefined;
}

/** `task.ts` enforces them; `strip` by forwarding `grant.target`. No upstream promises `create-only`. */
const ENFORCED: readonly ObligationKind[] = ["body-length", "body-sha256", "response", "strip"];

/** Daypass URLs and visits on routes. */
export function routeProtocol({ routes, limits, renew, ...options }: RouteProtocolOptions): Protocol<RouteGrant> {
  const { list: places, find } = routes;
  return {
    dialect: "route",
    ...placeGrants({ ...options, places, find, enforces: ENFORCED }),
    task(permit, received, body) {
      const { grant } = permit;
      const task = routeTask({ permit, received, body, limits, clock: options.clock });
      if (grant.visit !== undefined && renew !== undefined) {
        return renew(grant.visit, permit.at).then((cookie) => (cookie === undefined ? task : withCookie(task, cookie)));
      }
      if (grant.obligations.every(({ kind }) => kind !== "uses")) return task;
      return countUse(options.uses, received.request.method, grant).then(() => task);
    },
    refuse: refuseUrl,
  };
}

/** Sets a cookie, unless a shared cache may store the answer and hand the cookie to others. */
function withCookie(task: Task<ForwardRequest>, cookie: string): Task<ForwardRequest> {
  return {
    ...task,
    present(response, exchange) {
      const answer = task.present(response, exchange);
      const at = answer.headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "cache-control");
      const directives = at < 0 ? [] : (answer.headers[at + 1] ?? "").split(",");
      // `private="name"` protects the named header only: RFC 9111, section 5.2.2.7.
      if (directives.some((one) => /^\s*(?:private|no-store)\s*$/i.test(one)))
        answer.headers.push("set-cookie", cookie);
      return answer;
    },
  };
}
