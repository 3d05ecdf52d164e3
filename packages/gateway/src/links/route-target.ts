/** Targets of links that are no object: paths of a route, or of a host that a proxy protects. */
import { DaypassError } from "daypass";
import { isPlainPath } from "../upstream/plain-path.ts";
import { covers, type Place } from "../upstream/route-table.ts";

/** A place that links may open. */
export interface LinkPlace extends Place {
  /** Whether the gateway sees the bytes. A proxy's are out of its sight. */
  readonly countsBytes: boolean;
}

/** The bucket of an origin in scopes, links and revocations; no bucket of a storage has a `:`. */
export function placeBucket(origin: string): string {
  return `route:${origin}`;
}

/** The origin of such a bucket; `undefined` for a bucket of a storage. */
export function placeOrigin(bucket: string): string | undefined {
  return bucket.startsWith("route:") ? bucket.slice("route:".length) : undefined;
}

/** Bucket and key of a target, as scopes and revocations name it. */
export interface RouteTarget {
  readonly bucket: string;
  readonly key: string;
  readonly countsBytes: boolean;
}

/**
 * Reads `route:/path` or `route:https://host/path`. The origin may be left out if one place serves the path.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function readRouteTarget(target: string, places: readonly LinkPlace[]): RouteTarget {
  const { origin, path, found } = locate(target, places, covers);
  return {
    bucket: placeBucket(origin),
    key: path.slice(1),
    countsBytes: found.every(({ countsBytes }) => countsBytes),
  };
}

/**
 * Reads such a target as the prefix of a revocation, and returns it with its origin, as grants are compared with it. The prefix may also be
 * above a route, or end within a segment.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function readRoutePrefix(target: string, places: readonly LinkPlace[]): string {
  const { origin, path } = locate(target, places, (prefix, path) => covers(prefix, path) || prefix.startsWith(path));
  return placeBucket(origin) + path;
}

interface Located {
  readonly origin: string;
  readonly path: string;
  readonly found: readonly LinkPlace[];
}

function locate(
  target: string,
  places: readonly LinkPlace[],
  isAt: (prefix: string, path: string) => boolean,
): Located {
  const [, wanted, path = ""] = /^route:(https?:\/\/[^/?#]+)?(\/.*)$/s.exec(target) ?? [];
  if (!isPlainPath(path)) {
    throw invalid(
      `${target} is not a target. Use route:/path or route:https://host/path, as the server spells the path.`,
    );
  }
  const found = places.filter(({ origin, prefix }) => isAt(prefix, path) && (wanted ?? origin) === origin);
  const origins = [...new Set(found.map(({ origin }) => origin))];
  const [origin, second] = origins;
  if (origin === undefined)
    throw invalid(
      `${target} is on no route and on no host of forwardAuth. Add it to the configuration, and start the gateway.`,
    );
  if (second !== undefined)
    throw invalid(`${target} is on several origins (${origins.join(", ")}). Name one: route:${origin}${path}`);
  return { origin, path, found };
}

function invalid(text: string): DaypassError {
  return new DaypassError("INVALID_INPUT", text);
}
