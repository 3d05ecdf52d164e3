/** Targets of links: `bucket/key`, `bucket/prefix/`, or a path of a route. */
import type { LinkRequest } from "../links/create-link.ts";
import { type LinkPlace, readRouteTarget } from "../links/route-target.ts";
import { scopeBreach } from "../pipeline/scope-match.ts";
import { AdminProblem, type Caller, invalid } from "./http.ts";

/** Bucket, key and kind of a target. @throws {AdminProblem} */
export function readTarget(
  text: string,
  { maxBytes, networks, recipients }: Pick<LinkRequest, "maxBytes" | "networks" | "recipients">,
  places: readonly LinkPlace[],
): Pick<LinkRequest, "bucket" | "key" | "kind"> {
  if (text.startsWith("route:")) {
    // Both are in the cookie of a visit, and browsers drop one of more than 4 KB.
    if (networks !== undefined && networks.length > 20) throw invalid("networks: a route takes at most 20");
    if (recipients?.some((name) => name.length > 200))
      throw invalid("recipients: a route takes names of at most 200 characters");
    const { bucket, key, countsBytes } = readRouteTarget(text, places);
    if (maxBytes !== undefined && !countsBytes)
      throw invalid("maxBytes: the proxy sends the bytes of this host, so they cannot be counted");
    return { bucket, key, kind: "route" };
  }
  const slash = text.indexOf("/");
  if (slash < 1) throw invalid("target: use bucket/key, bucket/prefix/ or route:/path");
  const key = text.slice(slash + 1);
  return { bucket: text.slice(0, slash), key, kind: /^$|\/$/.test(key) ? "prefix" : "object" };
}

/** @throws {AdminProblem} if the target is outside the buckets or the prefix of the caller's token */
export function expectTarget({ token }: Caller, { bucket, key }: Pick<LinkRequest, "bucket" | "key">): void {
  if (token === undefined) return;
  const { buckets, prefix } = token;
  const breach = scopeBreach({ buckets, prefix, methods: undefined }, { bucket, key }, "GET");
  if (breach !== undefined) throw new AdminProblem(403, "TOKEN_SCOPE", `the target is outside the token's ${breach}`);
}
