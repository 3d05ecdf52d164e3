/** What no schema can say of a configuration: that names are spelled as they are compared, and that settings fit each other. */
import { defaultLimits, isHostOf, type Limits } from "@daypass/gateway";
import { CommandError } from "../../command.ts";
import type { ServeConfig } from "./config.ts";
import { ORIGIN, originFault, respelled, standardSpelling } from "./origin-spelling.ts";
import { originsOf } from "./origins.ts";
import { shown } from "./shown.ts";
import { isNetwork, NETWORK } from "./trusted-proxies.ts";

/** A configuration with what the command line and the defaults add to it. */
interface CheckedSettings extends ServeConfig {
  readonly host: string;
  readonly port: number;
  readonly region: string;
}

/**
 * Refuses what would start and never match anything. `file` is where it was configured.
 *
 * @throws {CommandError} that names setting and file, what was found and what to do
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
    refuse({ place, expected: ORIGIN, found: shown(origin), remedy: respelled(origin) });
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
      found: shown(origin),
      remedy: respelled(origin),
    });
  }
  for (const [place, network] of listed("trustedProxies", trustedProxies)) {
    if (!isNetwork(network)) refuse({ place, expected: NETWORK, found: shown(network), remedy: "correct it" });
  }
  checkHosts(settings, refuse);
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

/** A host that no origin has is one that every request is refused at, so what is said of it would never count. */
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

/** Printed URLs, and the first URL, are signed for `region`. */
function checkRegion({ region, regions }: CheckedSettings, refuse: (fault: Fault) => never): void {
  if (regions === undefined || regions.includes(region)) return;
  const expected = `one of regions (${regions.join(", ")})`;
  refuse({ place: "region", expected, found: `${region}`, remedy: "name it in both, or set another" });
}

/** What pages may do counts for pages alone, of which there are none without an origin. */
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

/** A setting that another one makes impossible to reach; of what is left at its default nobody has said anything. */
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
      found: shown(all[set]),
      remedy: `change it, or limits.${other} as well`,
    });
  }
}
