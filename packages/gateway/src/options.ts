import { isHeaderName, METHODS } from "./http/cors.ts";
import { isHostOf } from "./http/origin-hosts.ts";
import {
  callback,
  expectForms,
  type FormsOf,
  flag,
  invalidOption,
  isObject,
  listOf,
  object,
  required,
  text,
  timer,
  wholeNumber,
} from "./http/validate-options.ts";
import type { Limits } from "./pipeline/limits.ts";
import { type Dialect, type FrontKeys, type Fronts, type OpenOptions, spoken } from "./protocols.ts";
import type { GatewaySettings } from "./settings.ts";

/** Options of `createGateway`. Each is checked when the gateway is created. */
export interface GatewayOptions extends GatewaySettings {
  /** Keys by dialect; a dialect without keys is not supported. A key belongs to one dialect. */
  readonly keys: FrontKeys;
  /** Dialects by `host[:port]`, for hosts that do not speak all of them. */
  readonly hosts?: Readonly<Record<string, readonly Dialect[]>> | undefined;
}

const SIZE = wholeNumber(1);
const LIMITS: FormsOf<Limits> = {
  path: SIZE,
  query: SIZE,
  headerBytes: SIZE,
  headerCount: SIZE,
  body: wholeNumber(0),
  object: wholeNumber(0),
  minPart: wholeNumber(0),
  metadata: wholeNumber(0),
  inFlight: SIZE,
  unverifiedPerAddress: SIZE,
};

const CORS: FormsOf<NonNullable<GatewaySettings["cors"]>> = {
  origins: listOf([isPageOrigin, "an origin in the spelling of browsers, or *"]),
  methods: listOf([(value) => METHODS.includes(String(value)), `one of ${METHODS.join(", ")}`]),
  headers: listOf([isHeaderPattern, "the name of a header, with one * at its end at most"]),
  maxAge: wholeNumber(0),
};

const SETTINGS: FormsOf<GatewaySettings> = {
  storage: required([
    (value) => isObject(value) && isFunction(value["get"]) && isFunction(value["close"]),
    "a storage, such as disk() returns",
  ]),
  origins: required(listOf(text, { least: 1 })),
  sessionSecret: [(value) => value instanceof Uint8Array, "bytes"],
  redirectOrigins: listOf(text),
  region: text,
  regions: listOf(text, { least: 1 }),
  audience: text,
  cors: CORS,
  limits: LIMITS,
  routes: object,
  links: object,
  accessLog: callback,
  debugFields: flag,
  metrics: [(value) => typeof value === "boolean" || isFunction(value), "true, false or a function"],
  keepAliveMs: timer,
  tolerate: listOf([(value) => value === "encryption" || value === "acl", "encryption or acl"]),
  clock: [(value) => isFunction(value) && value() instanceof Date, "a function that returns a Date"],
  tally: [
    (value) => isObject(value) && isObject(value["unverified"]) && isObject(value["metrics"]),
    "a tally, as tally() returns it",
  ],
  isDraining: callback,
  linkFault: callback,
  random: callback,
};

/**
 * Refuses options that cannot work, or that seem to forbid what they allow.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function checkOptions(options: OpenOptions, fronts: Fronts): void {
  const names = Object.keys(fronts);
  const forms = Object.fromEntries(Object.entries(fronts).map(([dialect, front]) => [dialect, front.keys]));
  expectForms(options, { ...SETTINGS, keys: forms, hosts: object });
  const { keys, redirectOrigins = [], region = "us-east-1", regions = [region] } = options;
  const dialects = spoken(fronts, keys ?? {}).map(([, , dialect]) => dialect);
  if (dialects.length === 0) {
    const several = names.length === 2 ? "both" : "several";
    throw invalidOption("keys", `an object with ${names.join(", ")} or ${several}`, keys);
  }
  if (options.routes !== undefined && !dialects.includes("url"))
    throw invalidOption("keys.url", "keys for the URLs of routes", undefined);
  if (!regions.includes(region)) throw invalidOption("region", `one of regions (${regions.join(", ")})`, region);
  for (const origin of redirectOrigins) checkRedirectOrigin(origin);
  checkHosts(options, dialects);
}

/** A host without an origin would have no effect, and the misspelt one would accept every dialect. */
function checkHosts({ hosts = {}, origins }: OpenOptions, dialects: readonly string[]): void {
  const names = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
  const [isDialects, expected] = listOf(
    [(value) => dialects.includes(String(value)), `a dialect that has keys (${dialects.join(", ")})`],
    { least: 1 },
  );
  for (const [host, wanted] of Object.entries(hosts)) {
    const place = `hosts[${JSON.stringify(host)}]`;
    if (!isHostOf(origins, host))
      throw invalidOption("a name in hosts", `a host of origins (${names.join(", ")})`, host);
    if (wanted !== undefined && !isDialects(wanted)) throw invalidOption(place, expected, wanted);
  }
}

/** An origin in another spelling would never match. */
function checkRedirectOrigin(origin: string): void {
  const spelling = URL.canParse(origin) ? new URL(origin).origin : undefined;
  if (spelling === origin && /^https?:/.test(origin)) return;
  const proposal = spelling === undefined || spelling === "null" ? "scheme://host[:port]" : JSON.stringify(spelling);
  throw invalidOption("an item of redirectOrigins", proposal, origin);
}

/** Browsers send the origin of another scheme, such as `capacitor://localhost`, as `null` or unchanged. */
function isPageOrigin(value: unknown): boolean {
  if (value === "*") return true;
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const { origin, protocol, host } = new URL(value);
  return value === (origin === "null" ? `${protocol}//${host}` : origin);
}

function isHeaderPattern(value: unknown): boolean {
  return (
    typeof value === "string" &&
    (value === "*" || isHeaderName(value.toLowerCase().replace(/\*$/, ""))) &&
    !/\*./.test(value)
  );
}

function isFunction(value: unknown): value is () => unknown {
  return typeof value === "function";
}
