/** What no schema can say of a configuration: that names are spelled as they are compared, and that settings fit each other. */
import { CommandError } from "../command.ts";
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
  const origins = originsOf(settings, settings.port).map((origin) => origin.replace(/^https?:\/\//, ""));
  for (const host of Object.keys(settings.hosts ?? {})) {
    const name = host.toLowerCase();
    const isNamed = origins.some((origin) =>
      origin.startsWith("*") ? isBelow(name, origin.slice(1)) : origin === name,
    );
    if (isNamed) continue;
    refuse({
      place: `hosts[${JSON.stringify(host)}]`,
      expected: `the host[:port] of an origin (${origins.join(", ")})`,
      found: "another",
      remedy: "correct it, or add its origin to origins",
    });
  }
}

function isBelow(host: string, suffix: string): boolean {
  return host.endsWith(suffix) && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host.slice(0, -suffix.length));
}

/** Printed URLs, and the first URL, are signed for `region`. */
function checkRegion({ region, regions }: CheckedSettings, refuse: (fault: Fault) => never): void {
  if (regions === undefined || regions.includes(region)) return;
  const expected = `one of regions (${regions.join(", ")})`;
  refuse({ place: "region", expected, found: `${region}`, remedy: "name it in both, or set another" });
}
