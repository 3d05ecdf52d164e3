/** Checks configuration rules that the schema cannot express: the spelling of names, and settings that depend on each other. */
import { defaultLimits, isHostOf, type Limits } from "@daypass/gateway";
import { describeValue, type Report } from "./config-fault.ts";
import type { ServeConfig } from "./config-schema.ts";
import { originFault, originsOf, respelled, standardSpelling } from "./origins.ts";
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
 * @param report receives the setting, the file, the value and the remedy
 */
export function checkSettings(settings: CheckedSettings, file: string, report: Report): void {
  const { publicUrl, origins = [], redirectOrigins = [], trustedProxies = [], cors = {} } = settings;
  const refuse: Refuse = ({ place, problem, remedy }) => report(`${place} in ${file} is ${problem}. ${remedy}`);
  const named: readonly Place[] = [
    ...(publicUrl === undefined ? [] : [["publicUrl", publicUrl] as const]),
    ...listed("origins", origins),
  ];
  const misspelt = named.filter(([, origin]) => originFault([origin]) !== undefined);
  for (const [place, origin] of misspelt) refuse({ place, problem: describeValue(origin), remedy: respelled(origin) });
  if (publicUrl === undefined && origins.length > 0 && origins.every((origin) => origin.includes("*")))
    report(`every origin in ${file} has a *, and printed URLs and Daypass URLs need one without. Add publicUrl`);
  const clash = misspelt.length > 0 ? undefined : originFault(named.map(([, origin]) => origin));
  if (clash !== undefined) report(`publicUrl and origins in ${file} do not fit each other: ${clash}`);
  for (const [place, origin] of [
    ...listed("redirectOrigins", redirectOrigins),
    ...listed("cors.origins", cors.origins ?? []),
  ]) {
    if (origin === "*" || standardSpelling(origin) === origin) continue;
    refuse({ place, problem: describeValue(origin), remedy: respelled(origin) });
  }
  for (const [place, network] of listed("trustedProxies", trustedProxies)) {
    if (!isNetwork(network)) refuse({ place, problem: describeValue(network), remedy: `Write ${NETWORK}` });
  }
  checkHosts(settings, refuse);
  checkLinks(settings, refuse);
  checkRoutes(settings, refuse);
  checkRegion(settings, refuse);
  checkCors(cors, refuse);
  checkLimits(settings.limits ?? {}, refuse);
}

type Refuse = (fault: Fault) => void;

interface Fault {
  readonly place: string;
  readonly problem: string;
  readonly remedy: string;
}

type Place = readonly [place: string, text: string];

function listed(place: string, texts: readonly string[]): readonly Place[] {
  return texts.map((text, i) => [`${place}[${i}]`, text] as const);
}

/** Refuses a host without an origin, because every request to it is refused. */
function checkHosts(settings: CheckedSettings, refuse: Refuse): void {
  const origins = originsOf(settings, settings.port);
  for (const host of Object.keys(settings.hosts ?? {})) {
    if (isHostOf(origins, host)) continue;
    const names = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
    refuse({
      place: `hosts[${JSON.stringify(host)}]`,
      problem: `not the host[:port] of an origin (${names.join(", ")})`,
      remedy: "Correct it, or add its origin to origins",
    });
  }
}

/** Refuses an origin of links that is not served, because every link on it would be refused. */
function checkLinks(settings: CheckedSettings, refuse: Refuse): void {
  const origin = settings.links?.origin;
  const origins = originsOf(settings, settings.port);
  const [scheme, host = ""] = origin?.split("//") ?? [];
  const isServed = (one: string): boolean => one.startsWith(`${scheme}//`) && isHostOf([one], host);
  if (origin === undefined || origins.some(isServed)) return;
  const problem = `${describeValue(origin)}, which is not one of the origins (${origins.join(", ")})`;
  refuse({ place: "links.origin", problem, remedy: "Correct it, or add it to origins" });
}

/** Refuses a route over `/l/` and `/d/` on the origin of links, because every link would be refused. Links may be created while the gateway runs. */
function checkRoutes(settings: CheckedSettings, refuse: Refuse): void {
  const links = settings.links?.origin ?? originsOf(settings, settings.port).find((origin) => !origin.includes("*"));
  for (const [i, { origin, prefix }] of (settings.routes ?? []).entries()) {
    if (origin !== links || !/^\/(?:$|[ld]\/)/.test(prefix)) continue;
    refuse({
      place: `routes[${i}].prefix`,
      problem: `${describeValue(prefix)}, which covers the paths /l/ and /d/ of links on ${origin}`,
      remedy: "Use another prefix, or set links.origin to another origin",
    });
  }
}

/** Printed URLs are signed for `region`, so it must be accepted. */
function checkRegion({ region, regions }: CheckedSettings, refuse: Refuse): void {
  if (regions === undefined || regions.includes(region)) return;
  const problem = `${describeValue(region)}, which is not in regions (${regions.join(", ")})`;
  refuse({ place: "region", problem, remedy: "Name it in both, or set another" });
}

/** Refuses CORS settings without origins, because they have no effect. */
function checkCors({ origins = [], ...others }: NonNullable<ServeConfig["cors"]>, refuse: Refuse): void {
  const [without] = Object.keys(others);
  if (origins.length > 0 || without === undefined) return;
  refuse({
    place: "cors.origins",
    problem: `missing, so cors.${without} has no effect`,
    remedy: `Name the origins of the pages, or remove cors.${without}`,
  });
}

/** Limits that must not exceed another limit. `set` is the limit that must be configured for the check to apply. */
const BOUNDS: readonly (readonly [lower: keyof Limits, upper: keyof Limits, set: keyof Limits])[] = [
  ["path", "headerBytes", "path"],
  ["query", "headerBytes", "query"],
  ["minPart", "body", "minPart"],
  ["body", "object", "object"],
];

function checkLimits(limits: Partial<Limits>, refuse: Refuse): void {
  const all: Limits = { ...defaultLimits, ...limits };
  for (const [lower, upper, set] of BOUNDS) {
    if (limits[set] === undefined || all[lower] <= all[upper]) continue;
    const other = set === lower ? upper : lower;
    refuse({
      place: `limits.${set}`,
      problem: `${all[set]}, ${set === lower ? "more" : "less"} than limits.${other} (${all[other]})`,
      remedy: `Change it, or limits.${other} as well`,
    });
  }
}
