/** What no schema can say of a configuration: that names are spelled as they are compared, and that settings fit each other. */
import { isDaypassError } from "daypass";
import { s3Verifier } from "daypass/s3";
import { urlVerifier } from "daypass/url";
import { CommandError } from "../command.ts";
import type { ServeConfig } from "./config.ts";
import { originsOf } from "./origins.ts";
import { shown } from "./shown.ts";

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
  const { publicUrl, origins = [], redirectOrigins = [], cors = {} } = settings;
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

const ORIGIN = "scheme://host[:port] in lower case, without path and default port";

function listed(place: string, texts: readonly string[]): readonly Place[] {
  return texts.map((text, i) => [`${place}[${i}]`, text] as const);
}

/** Asks the verifiers themselves, that of Daypass URLs for what has no `*`: it signs an origin that is written out. */
function originFault(origins: readonly string[]): string | undefined {
  const exact = origins.filter((origin) => !origin.includes("*"));
  try {
    if (origins.length > 0) s3Verifier({ credentials: () => undefined, origins });
    if (exact.length > 0) urlVerifier({ keys: [], origins: exact });
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.message;
    throw error;
  }
}

/** As a browser writes an origin into a header; `undefined` for what is none. One of another scheme (`capacitor://`) it writes as it is. */
function standardSpelling(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, protocol, host } = new URL(text);
  return origin === "null" ? `${protocol}//${host}` : origin;
}

function respelled(origin: string): string {
  const spelling = standardSpelling(origin);
  return spelling === undefined || spelling === origin ? "correct it" : `write ${JSON.stringify(spelling)}`;
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
