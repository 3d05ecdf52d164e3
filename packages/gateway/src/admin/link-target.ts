/** Targets of links: `bucket/key`, `bucket/prefix/`, or a path of a route. */
import type { LinkRequest } from "../links/create-link.ts";
import { isPrefix } from "../links/link-kinds.ts";
import { type LinkPlace, meantRoute, placeBucket, readRouteTarget } from "../links/route-target.ts";
import { sharedFolder } from "../links/set-names.ts";
import { scopeBreach } from "../pipeline/scope-match.ts";
import type { AdminToken } from "../state/contract/tokens.ts";
import type { Hints, Named } from "./existing-target.ts";
import { AdminProblem, type Caller, invalid } from "./http.ts";
import type { AdminOptions } from "./options.ts";

type Limits = Pick<LinkRequest, "maxBytes" | "networks" | "recipients">;
type Place = Pick<LinkRequest, "bucket" | "key" | "kind" | "targets">;

/** Several targets as one set. @throws {AdminProblem} */
export function setOf(places: readonly Place[]): Place {
  const bucket = places[0]?.bucket ?? "";
  if (places.some(({ kind }) => kind === "route")) throw invalid("targets: a route needs a separate link");
  const other = places.find((place) => place.bucket !== bucket);
  if (other !== undefined)
    throw invalid(`targets: ${bucket} and ${other.bucket} are two buckets. Use one link for each`);
  const keys = places.map(({ key }) => key);
  return { bucket, key: sharedFolder(keys), kind: "set", targets: keys };
}

/** Bucket, key and kind of a target. @throws {AdminProblem} */
export function readTarget(
  text: string,
  { maxBytes, networks, recipients }: Limits,
  places: readonly LinkPlace[],
  { route, sees }: Hints = { route: undefined, sees: () => true },
): Pick<LinkRequest, "bucket" | "key" | "kind"> {
  if (text.startsWith("route:")) {
    // Both are in the cookie of a visit, and browsers drop one of more than 4 KB.
    if (networks !== undefined && networks.length > 20) throw invalid("networks: a route takes at most 20");
    if (recipients?.some((name) => name.length > 200))
      throw invalid("recipients: a route takes names of at most 200 characters");
    const { bucket, key, countsBytes } = readRouteTarget(text, places, sees);
    if (maxBytes !== undefined && !countsBytes)
      throw invalid("maxBytes: the proxy sends the bytes of this host, so they cannot be counted");
    return { bucket, key, kind: "route" };
  }
  const [, host] = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(text) ?? [];
  const slash = host === undefined ? text.indexOf("/") : -1;
  if (slash < 1) {
    // The rest of a URL may be a secret.
    const what = host === undefined ? `the target ${text}` : `the target, a URL of ${host},`;
    if (route !== undefined) throw invalid(`${what} is on a route: write ${route}`);
    throw invalid(`${what} is in no bucket and on no route. Use bucket/key, bucket/prefix/ or route:/path.`);
  }
  const key = text.slice(slash + 1);
  return { bucket: text.slice(0, slash), key, kind: isPrefix(key) ? "prefix" : "object" };
}

/** What the refusal of a target may tell a caller. */
export function hintsFor(
  text: string,
  { token }: Caller,
  { links, places = () => [] }: Pick<AdminOptions, "links" | "places">,
): Hints {
  const isInScope = (name: Named): boolean => token === undefined || breachOf(token, name) === undefined;
  const isRevoked = ({ bucket, key = "" }: Named): boolean =>
    links.revocations.findPrefix(`${bucket}/${key}`) !== undefined;
  const sees = (name: Named): boolean => isInScope(name) && !isRevoked(name);
  const visible = places().filter(({ origin, prefix }) => sees({ bucket: placeBucket(origin), key: prefix.slice(1) }));
  return { sees, route: meantRoute(text, visible) };
}

function breachOf({ buckets, prefix }: AdminToken, name: Named): string | undefined {
  return scopeBreach({ buckets, prefix, methods: undefined }, name, "GET");
}

/** @throws {AdminProblem} if the target is outside the buckets or the prefix of the caller's token */
export function expectTarget({ token }: Caller, { bucket, key }: Pick<LinkRequest, "bucket" | "key">): void {
  if (token === undefined) return;
  const breach = breachOf(token, { bucket, key });
  if (breach !== undefined) throw new AdminProblem(403, "TOKEN_SCOPE", `the target is outside the token's ${breach}`);
}
