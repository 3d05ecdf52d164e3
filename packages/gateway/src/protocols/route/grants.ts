/** Who may use a place: the holder of a Daypass URL for it, or of a visit that a link began. The same for upstreams and for forward-auth. */
import { type Clock, DaypassError, type KeyResolver, type ObligationKind, type WireRequest } from "daypass";
import { type UrlGrant, type UrlKey, urlVerifier } from "daypass/url";
import { isAllowedFrom } from "../../links/create-link.ts";
import type { CurrentVisit } from "../../links/current-visit.ts";
import { LinkRefused } from "../../links/open-link.ts";
import { placeBucket } from "../../links/route-target.ts";
import type { Visit, VisitCookies } from "../../links/visit.ts";
import type { FoundScopes } from "../../pipeline/key-scope.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import type { RouteRequirement } from "../../upstream/contract.ts";
import { isPlainPath } from "../../upstream/plain-path.ts";
import { covers, type Place, pathOf } from "../../upstream/route-table.ts";
import type { PermittingProtocol, UseCounter } from "../protocol.ts";

/** A place that grants are for. */
export interface GrantPlace extends Place {
  readonly methods: readonly string[];
  readonly requires: readonly RouteRequirement[];
  /** Whether the server behind compares the subject of a URL with its own user. */
  readonly subjects: boolean;
}

/** The grant of a request on a place. */
export interface PlaceGrant<P extends GrantPlace = GrantPlace> extends UrlGrant {
  readonly place: P;
  /** The link behind a visit. */
  readonly link?: { readonly id: string };
  readonly visit?: Visit | undefined;
}

export interface PlaceOptions<P extends GrantPlace> {
  readonly find: (request: Pick<WireRequest, "authority" | "target">) => P | undefined;
  readonly places: readonly P[];
  readonly keys: KeyResolver<UrlKey> | readonly UrlKey[];
  readonly audience: string | undefined;
  readonly clock: Clock;
  /** Without it, URLs with `uses` are refused. */
  readonly uses: UseCounter | undefined;
  /** Which obligations the server behind is held to. */
  readonly enforces: readonly ObligationKind[];
  /** Opens the cookies of visits; without it there are no links. */
  readonly visits: VisitCookies | undefined;
  /** Applies the edits of a link to its visits. */
  readonly current: CurrentVisit | undefined;
  /** The present scopes of the owner of a link. */
  readonly scopesOf: ((owner: string) => FoundScopes | Promise<FoundScopes>) | undefined;
}

/** The part of a dialect that finds the grant of a request on a place. A request on a place belongs to it, signed or not. */
export function placeGrants<P extends GrantPlace>(
  options: PlaceOptions<P>,
): Pick<PermittingProtocol<PlaceGrant<P>>, "verifiers" | "resource" | "scopes" | "signedAt" | "life"> {
  const { find, places, keys, audience, clock, uses, enforces, visits, current, scopesOf } = options;
  const signed = urlVerifier({
    keys,
    origins: [...new Set(places.map(({ origin }) => origin))],
    audience,
    clock,
    enforces: uses === undefined ? enforces : [...enforces, "uses"],
  });

  async function verify(request: WireRequest): Promise<PlaceGrant<P>> {
    const place = find(request);
    if (place === undefined) throw new DaypassError("NO_SIGNATURE", "no route has this path. Check the URL");
    if (!signed.detects(request)) return visited(request, place);
    const grant = await signed.verify(request, { subject: place.subjects ? subjectOf(request) : undefined });
    expectRequired(place, grant);
    return Object.assign(grant, { place });
  }

  async function visited(request: WireRequest, place: P): Promise<PlaceGrant<P>> {
    const path = pathOf(request.target);
    const headers = request.headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value);
    // Every server must read the path in the same way: the cookie is for a prefix of it.
    const own = isPlainPath(path) ? (visits?.open(headers) ?? []) : [];
    // A browser also keeps the cookie of an earlier link to the same path, which may be over or revoked.
    const [sealed] = own
      .filter((one) => one.origin === place.origin && covers(one.path, path))
      .sort((a, b) => b.until - a.until);
    if (sealed === undefined) throw new DaypassError("NO_SIGNATURE", "the URL is not signed. Open the link again");
    if (clock().getTime() >= sealed.until) throw new LinkRefused("expired");
    const changed = current?.(sealed) ?? sealed;
    const visit = changed instanceof Promise ? await changed : changed;
    if (!isAllowedFrom(visit.networks, request.remoteAddress)) throw new LinkRefused("network");
    return {
      scheme: "link",
      id: visit.variant,
      keyId: visit.owner,
      link: { id: visit.link },
      visit,
      place,
      path,
      methods: place.methods,
      obligations: [],
      signedHeaders: [],
      parameters: [],
      target: request.target,
      origin: place.origin,
      subject: visit.name,
      prefix: visit.path,
      audience: undefined,
      nonce: undefined,
      notBefore: new Date(visit.startsAt),
      expiresAt: new Date(visit.until),
      limitBody: (body) => body,
    };
  }

  return {
    verifiers: [{ detects: (request) => find(request) !== undefined, verify }],
    resource: ({ origin, path }) => ({ bucket: placeBucket(origin), key: path.slice(1) }),
    // The verifier of Daypass URLs applies the scope of their key itself.
    scopes: ({ visit }) => (visit === undefined ? [] : scopesOf?.(visit.owner)),
    signedAt: ({ visit, notBefore }) => (visit === undefined ? notBefore.getTime() : undefined),
    life: ({ expiresAt, notBefore }) => (expiresAt.getTime() - notBefore.getTime()) / 1000,
  };
}

/** The subject that a URL names. The server behind compares it with its own user. */
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
function expectRequired({ requires }: GrantPlace, grant: UrlGrant): void {
  const missing = requires.find((requirement) => !REQUIREMENTS[requirement](grant));
  if (missing === undefined) return;
  throw new Refusal("ROUTE_REQUIREMENT", `the route requires ${missing} of each URL: sign one with it`, { missing });
}

/** Counts a use of a URL before the request continues. HEAD does not count. @throws {DaypassError} `USES_SPENT` */
export async function countUse(uses: UseCounter | undefined, method: string, grant: PlaceGrant): Promise<void> {
  const limited = grant.obligations.find(({ kind }) => kind === "uses");
  if (limited?.kind !== "uses" || method === "HEAD") return;
  if (await uses?.claim(grant, limited.limit)) return;
  throw new DaypassError("USES_SPENT", "the URL has no uses left. Ask for a new one");
}
