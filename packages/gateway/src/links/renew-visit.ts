/** Renews a visit to a route while its holder uses it, as the lease of a download is renewed while its bytes move. */
import { closedReason, LEASE, type Millis } from "../state/contract/deliveries.ts";
import type { State } from "../state/contract/state.ts";
import { type Visit, type VisitCookies, visitCookie } from "./visit.ts";

/** A visit is renewed at most this often. */
const EVERY: Millis = 60_000;
const MAX_KEPT = 1000;

/** Returns the new cookie of a visit; `undefined` if its cookie is younger than a minute, or if its link no longer opens. */
export type RenewVisit = (visit: Visit, now: Millis) => Promise<string | undefined>;

/** Renews the leases of visits in a state. A failure of the state is no failure of the request: the old cookie stays valid. */
export function visitRenewal(state: State, cookies: VisitCookies): RenewVisit {
  /** By token. Several requests with an old cookie share one renewal. */
  const renewals = new Map<string, { readonly at: Millis; readonly cookie: Promise<string | undefined> }>();

  async function renew(visit: Visit, token: string, now: Millis): Promise<string | undefined> {
    const found = await state.findDelivery(token);
    // A visit must not outlive its expired link by more than the last lease.
    if (found === undefined || closedReason(found.link, now) !== undefined) return undefined;
    const result = await state.deliver(visit.variant, { type: "alive", token });
    if (!result.ok) return undefined;
    const { networks, startsAt } = found.link;
    const charged = found.variant.maxBytes === undefined ? undefined : token;
    const until = result.delivery.leaseUntil;
    return visitCookie(cookies, { ...visit, sealedAt: now, until, networks, startsAt, charged });
  }

  return async (visit, now) => {
    const { token, until } = visit;
    if (token === undefined || until - now > LEASE - EVERY || state.isAvailable?.() === false) return undefined;
    const known = renewals.get(token);
    if (known !== undefined && now - known.at < EVERY) return known.cookie;
    const cookie = renew(visit, token, now).catch(() => undefined);
    if (renewals.size >= MAX_KEPT) renewals.clear();
    renewals.set(token, { at: now, cookie });
    return cookie;
  };
}
