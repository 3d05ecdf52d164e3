/** Options of a gateway that could not work, or that would let through what they seem to forbid. */
import { DaypassError } from "daypass";
import { isHeaderName, METHODS } from "./http/cors.ts";
import { isHostOf } from "./http/origin-hosts.ts";
import {
  callback,
  expectForms,
  type Forms,
  type FormsOf,
  flag,
  isObject,
  listOf,
  object,
  text,
  timer,
  unexpected,
  wholeNumber,
} from "./http/validate-options.ts";
import type { GatewayOptions } from "./options.ts";
import type { Limits } from "./pipeline/limits.ts";

const OPTIONS: FormsOf<GatewayOptions> = {
  storage: [(value) => isObject(value) && isFunction(value["get"]) && isFunction(value["close"]), "a storage"],
  origins: listOf(text, { least: 1 }),
  keys: object,
  sessionSecret: [(value) => value instanceof Uint8Array, "bytes"],
  redirectOrigins: listOf(text),
  region: text,
  regions: listOf(text, { least: 1 }),
  audience: text,
  cors: object,
  limits: object,
  hosts: object,
  audit: callback,
  debugFields: flag,
  metrics: flag,
  keepAliveMs: timer,
  clock: [(value) => isFunction(value) && value() instanceof Date, "a function that gives a Date"],
  tally: [
    (value) => isObject(value) && isObject(value["unverified"]) && isObject(value["metrics"]),
    "what `tally` gives",
  ],
  random: callback,
};

const KEYS: FormsOf<GatewayOptions["keys"]> = {
  s3: [isFunction, "a function that finds keys by their id"],
  url: [
    (value) => isFunction(value) || Array.isArray(value),
    "a list of keys, or a function that finds them by their kid",
  ],
};

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

const CORS: FormsOf<NonNullable<GatewayOptions["cors"]>> = {
  origins: listOf([isPageOrigin, "an origin in the spelling of browsers, or *"]),
  methods: listOf([(value) => METHODS.includes(String(value)), `one of ${METHODS.join(", ")}`]),
  headers: listOf([isHeaderPattern, "the name of a header, with one * at its end at most"]),
  maxAge: wholeNumber(0),
};

const NEEDED: readonly (keyof GatewayOptions)[] = ["storage", "origins", "keys"];

/** @throws {DaypassError} `INVALID_INPUT` */
export function checkOptions(options: GatewayOptions): void {
  expectForms(options, OPTIONS satisfies Forms);
  for (const name of NEEDED) if (options[name] === undefined) throw unexpected(name, OPTIONS[name][1]);
  const { keys, limits, cors, redirectOrigins = [], region = "us-east-1", regions = [region] } = options;
  expectForms(keys, KEYS, "keys");
  if (keys.s3 === undefined && keys.url === undefined)
    throw new DaypassError("INVALID_INPUT", "expected keys for one dialect at least, found none");
  if (limits !== undefined) expectForms(limits, LIMITS, "limits");
  if (cors !== undefined) expectForms(cors, CORS, "cors");
  if (!regions.includes(region)) throw unexpected("region", `one of regions (${regions.join(", ")})`);
  for (const origin of redirectOrigins) checkRedirectOrigin(origin);
  checkHosts(options);
}

/** What is said of a host that no origin has would never count, and the host that was meant would speak every dialect. */
function checkHosts({ hosts = {}, origins, keys }: GatewayOptions): void {
  const names = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
  const dialects = Object.keys(KEYS).filter((dialect) => keys[dialect as keyof typeof keys] !== undefined);
  const [isDialects, expected] = listOf(
    [(value) => dialects.includes(String(value)), `a dialect that has keys (${dialects.join(", ")})`],
    { least: 1 },
  );
  for (const [host, spoken] of Object.entries(hosts)) {
    const place = `hosts[${JSON.stringify(host)}]`;
    if (!isHostOf(origins, host)) throw unexpected(place, `the host[:port] of an origin (${names.join(", ")})`);
    if (spoken !== undefined && !isDialects(spoken)) throw unexpected(place, expected);
  }
}

/** One in another spelling would look as if it allowed something, and never match. */
function checkRedirectOrigin(origin: string): void {
  const spelling = URL.canParse(origin) ? new URL(origin).origin : undefined;
  if (spelling === origin && /^https?:/.test(origin)) return;
  const proposal = spelling === undefined || spelling === "null" ? "scheme://host[:port]" : JSON.stringify(spelling);
  throw new DaypassError("INVALID_INPUT", `expected redirectOrigins as ${proposal}, found ${JSON.stringify(origin)}`);
}

/** A browser writes an origin of another scheme (`capacitor://localhost`) as it is. */
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
