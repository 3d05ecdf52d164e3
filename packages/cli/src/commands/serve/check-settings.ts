/** Checks configuration rules that the schema cannot express: the spelling of names, and settings that depend on each other. */
import { defaultLimits, isHostOf, type Limits } from "@daypass/gateway";
import { CommandError } from "../../command.ts";
import type { ServeConfig } from "./config.ts";
import { describeValue } from "./json-schema.ts";
import { ORIGIN, originFault, originsOf, respelled, standardSpelling } from "./origins.ts";
import { isNetwork, NETWORK } from "./trusted-proxies.ts";

/** A configuration with the command line and the defaults. */
interface CheckedSettings extends Omit<ServeConfig, "state"> {
  readonly host: string;
  readonly port: number;
  readonly region: string;
}

/**
 * Refuses settings that would never match a request. `file` is the path of the configuration.
 *
 * @throws {CommandError} that names the setting, the file, the value and the remedy
 */
export function checkSettings(settings: CheckedSettings, file: string): void {
  const { publicUrl, origins = [], redirectOrigins = [], trustedProxies = [], cors = {} } = settings;
  const refuse = ({ place, expected, found, remedy }: Fault): never => {
    throw new CommandError(`expected ${place} in ${file} as ${expected}, found ${found}: ${remedy}`);
  };
  const named: readonly Place[] = [
    ...(publicUrl === undefined ? [] : [["publicUrl", publicUrl] as const]),
    ...listed("origins", origins),
  ];
  for (const [place, origin] of named) {
    if (originFault([origin]) === undefined) continue;
    refuse({ place, expected: ORIGIN, found: describeValue(origin), remedy: respelled(origin) });
  }
  if (publicUrl === undefined && origins.length > 0 && origins.every((origin) => origin.includes("*")))
    throw new CommandError(
      `expected an origin without * in ${file}, for printed URLs and Daypass URLs, found only origins with one: add publicUrl`,
    );
  const clash = originFault(named.map(([, origin]) => origin));
  if (clash !== undefined)
    throw new CommandError(`expected publicUrl and origins in ${file} to fit each other: ${clash}`);
  for (const [place, origin] of [
    ...listed("redirectOrigins", redirectOrigins),
    ...listed("cors.origins", cors.origins ?? []),
  ]) {
    if (origin === "*" || standardSpelling(origin) === origin) continue;
    refuse({
      place,
      expected: "an origin in the spelling of browsers",
      found: describeValue(origin),
      remedy: respelled(origin),
    });
  }
  for (const [place, network] of listed("trustedProxies", trustedProxies)) {
    if (!isNetwork(network)) refuse({ place, expected: NETWORK, found: describeValue(network), remedy: "correct it" });
  }
  checkHosts(settings, refuse);
  checkRoutes(settings, refuse);
  checkRegion(settings, refuse);
  checkCors(cors, refuse);
  checkLimits(settings.limits ?? {}, refuse);
}

interface Fault {
  readonly place: string;
  readonly expected: string;
  readonly found: string;
  readonly remedy: string;
}

type Place = readonly [place: string, text: string];

function listed(place: string, texts: readonly string[]): readonly Place[] {
  return texts.map((text, i) => [`${place}[${i}]`, text] as const);
}

/** Refuses a host without an origin, because every request to it is refused. */
function checkHosts(settings: CheckedSettings, refuse: (fault: Fault) => never): void {
  const origins = originsOf(settings, settings.port);
  for (const host of Object.keys(settings.hosts ?? {})) {
    if (isHostOf(origins, host)) continue;
    const names = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
    refuse({
      place: `hosts[${JSON.stringify(host)}]`,
      expected: `the host[:port] of an origin (${names.join(", ")})`,
      found: "another",
      remedy: "correct it, or add its origin to origins",
    });
  }
}

/** Refuses a route over `/l/` and `/d/` on the origin of links, because every link would be refused. Links may be created while the gateway runs. */
function checkRoutes(settings: CheckedSettings, refuse: (fault: Fault) => never): void {
  const links = settings.links?.origin ?? originsOf(settings, settings.port).find((origin) => !origin.includes("*"));
  for (const [i, { origin, prefix }] of (settings.routes ?? []).entries()) {
    if (origin !== links || !/^\/(?:$|[ld]\/)/.test(prefix)) continue;
    refuse({
      place: `routes[${i}].prefix`,
      expected: `a prefix without the paths /l/ and /d/ of links on ${origin}`,
      found: describeValue(prefix),
      remedy: "use another prefix, or set links.origin to another origin",
    });
  }
}

/** Printed URLs are signed for `region`, so it must be accepted. */
function checkRegion({ region, regions }: CheckedSettings, refuse: (fault: Fault) => never): void {
  if (regions === undefined || regions.includes(region)) return;
  const expected = `one of regions (${regions.join(", ")})`;
  refuse({ place: "region", expected, found: `${region}`, remedy: "name it in both, or set another" });
}

/** Refuses CORS settings without origins, because they have no effect. */
function checkCors(
  { origins = [], ...others }: NonNullable<ServeConfig["cors"]>,
  refuse: (fault: Fault) => never,
): void {
  const [without] = Object.keys(others);
  if (origins.length > 0 || without === undefined) return;
  refuse({
    place: "cors.origins",
    expected: `the pages that cors.${without} is for`,
    found: "none",
    remedy: `name them, or remove cors.${without}`,
  });
}

/** Limits that must not exceed another limit. `set` is the limit that must be configured for the check to apply. */
const BOUNDS: readonly (readonly [lower: keyof Limits, upper: keyof Limits, set: keyof Limits])[] = [
  ["path", "headerBytes", "path"],
  ["query", "headerBytes", "query"],
  ["minPart", "body", "minPart"],
  ["body", "object", "object"],
];

function checkLimits(limits: Partial<Limits>, refuse: (fault: Fault) => never): void {
  const all: Limits = { ...defaultLimits, ...limits };
  for (const [lower, upper, set] of BOUNDS) {
    if (limits[set] === undefined || all[lower] <= all[upper]) continue;
    const other = set === lower ? upper : lower;
    refuse({
      place: `limits.${set}`,
      expected: `a number ${set === lower ? "up to" : "from"} limits.${other} (${all[other]})`,
      found: describeValue(all[set]),
      remedy: `change it, or limits.${other} as well`,
    });
  }
}
