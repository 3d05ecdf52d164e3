/** Targets of links that are no object: paths of a route, or of a host that a proxy protects. */
import { DaypassError } from "daypass";
import { isPlainPath } from "../upstream/plain-path.ts";
import { covers, type Place } from "../upstream/route-table.ts";
import { nearestName } from "./nearest-name.ts";

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
 *
 * @param sees whether a refusal may name a place; all by default
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function readRouteTarget(
  target: string,
  places: readonly LinkPlace[],
  sees: (name: { readonly bucket: string; readonly key: string }) => boolean = () => true,
): RouteTarget {
  const visible = places.filter(({ origin, prefix }) => sees({ bucket: placeBucket(origin), key: prefix.slice(1) }));
  const { origin, path, found } = locate(target, { places, visible, isAt: covers });
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
  const { origin, path } = locate(target, {
    places,
    visible: places,
    isAt: (prefix, path) => covers(prefix, path) || prefix.startsWith(path),
  });
  return placeBucket(origin) + path;
}

interface Located {
  readonly origin: string;
  readonly path: string;
  readonly found: readonly LinkPlace[];
}

interface Where {
  readonly places: readonly LinkPlace[];
  /** Those that a refusal may name. */
  readonly visible: readonly LinkPlace[];
  readonly isAt: (prefix: string, path: string) => boolean;
}

function locate(target: string, { places, visible, isAt }: Where): Located {
  const [, wanted, path = ""] = /^route:(https?:\/\/[^/?#]+)?(\/.*)$/s.exec(target) ?? [];
  if (!isPlainPath(path)) {
    throw invalid(
      `${target} is not a target. Use route:/path or route:https://host/path, as the server spells the path.`,
    );
  }
  const found = places.filter(({ origin, prefix }) => isAt(prefix, path) && (wanted ?? origin) === origin);
  const origins = [...new Set(found.map(({ origin }) => origin))];
  const [origin, second] = origins;
  if (origin === undefined) {
    const near = nearestPlace(wanted, path, visible);
    const advice = near === undefined ? "Add it to the configuration, and start the gateway." : `Did you mean ${near}?`;
    throw invalid(`${target} is on no route and on no host of forwardAuth. ${advice}`);
  }
  if (second !== undefined)
    throw invalid(`${target} is on several origins (${origins.join(", ")}). Name one: route:${origin}${path}`);
  return { origin, path, found };
}

/** The target of a URL, of `host/path` or of a path alone, if a place covers it. */
export function meantRoute(text: string, places: readonly LinkPlace[]): string | undefined {
  const [plain = ""] = text.split(/[?#]/, 1);
  for (const { origin, prefix } of places) {
    const starts = [origin, origin.replace(/^https?:\/\//, ""), ""];
    const start = starts.find((one) => plain.startsWith(`${one}/`));
    const path = plain.slice(start?.length ?? 0);
    if (start !== undefined && covers(prefix, path)) return `route:${origin}${path}`;
  }
  return undefined;
}

/** The target on a place whose origin and prefix differ in few letters. */
function nearestPlace(wanted: string | undefined, path: string, places: readonly LinkPlace[]): string | undefined {
  const segments = path.split("/");
  for (const { origin, prefix } of places) {
    // A prefix without a slash at its end is one whole path.
    const depth = prefix.endsWith("/") ? prefix.split("/").length - 1 : segments.length;
    const [start, rest] = [segments.slice(0, depth), segments.slice(depth)];
    const given = [...start, ...(rest.length > 0 ? [""] : [])].join("/");
    const near = nearestName((wanted ?? origin) + given, [origin + prefix]);
    if (near !== undefined) return `route:${near}${rest.join("/")}`;
  }
  return undefined;
}

function invalid(text: string): DaypassError {
  return new DaypassError("INVALID_INPUT", text);
}
