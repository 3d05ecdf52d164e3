import type { Clock, KeyResolver } from "daypass";
import type { UrlKey } from "daypass/url";
import { type CorsPolicy, isHeaderName, METHODS } from "./http/cors.ts";
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
import type { Links } from "./links/links.ts";
import type { AccessEvent } from "./pipeline/access-log.ts";
import type { Limits } from "./pipeline/limits.ts";
import type { MetricsSnapshot } from "./pipeline/metrics.ts";
import type { Tally } from "./pipeline/probes.ts";
import type { HandOver } from "./protocols/link/hand-over.ts";
import type { Dialect } from "./protocols/protocol.ts";
import type { S3AccessKey } from "./protocols/s3/verifiers.ts";
import type { Storage } from "./storage/contract/storage.ts";
import type { Routes } from "./upstream/contract.ts";

/** Links of a gateway. */
export interface GatewayLinks {
  /** From `openLinks`. A gateway that replaces another shares them. */
  readonly links: Links;
  /** The one origin of `/l/` and `/d/`, without `*`. By default the first such origin of `origins`. */
  readonly origin?: string | undefined;
  /** Further origins on whose hosts links to them open, below `/-/daypass/`: those that `createForwardAuth` decides about. None by default. */
  readonly hosts?: readonly string[] | undefined;
  /** The name that pages show as the sender. */
  readonly sharedBy?: string | undefined;
  /**
   * The server that sends the bytes of links made with `handOver`. The gateway then counts hand-overs and no bytes, and must be reachable
   * only through that front server. By default the gateway sends the bytes.
   */
  readonly handOver?: HandOver | undefined;
}

/** Options of `createGateway`. Each is checked when the gateway is created. */
export interface GatewayOptions {
  /** Where the objects are stored. The gateway closes it. */
  readonly storage: Storage;
  /**
   * Origins that clients use, `scheme://host[:port]`. `https://*.s3.example.com` admits virtual-host style, where `*` is the
   * bucket. The request's Host must match one of them; no forwarded header is read.
   */
  readonly origins: readonly string[];
  /** Keys by dialect; a dialect without keys is not supported. A key belongs to one dialect. */
  readonly keys: {
    readonly s3?: KeyResolver<S3AccessKey> | undefined;
    /** JWKs or a function that finds one by its kid; their scopes apply. */
    readonly url?: KeyResolver<UrlKey> | readonly UrlKey[] | undefined;
  };
  /**
   * At least 32 secret bytes, the same in all workers and replicas. Holders of an S3 key may then request temporary credentials
   * with `AssumeRole` and `GetSessionToken` of AWS's Security Token Service. Changing the secret ends all of them.
   */
  readonly sessionSecret?: Uint8Array | undefined;
  /**
   * Origins to which a form upload may redirect the browser when it is done (`success_action_redirect`), `scheme://host[:port]` in the
   * URL standard's spelling: lower case, without the scheme's own port. None by default.
   */
  readonly redirectOrigins?: readonly string[] | undefined;
  /** The region named in S3 responses, `us-east-1` by default. */
  readonly region?: string | undefined;
  /** Regions that SigV4 signatures may be for: by default only `region`, as at Amazon. */
  readonly regions?: readonly string[] | undefined;
  /** The audience that Daypass URLs must have been signed for; if not set, only URLs without an audience are accepted. */
  readonly audience?: string | undefined;
  /** Cross-origin requests: none by default. */
  readonly cors?: CorsPolicy | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Routes to upstreams, from `openRoutes` of `@daypass/gateway/upstream`: none by default. Their URLs need `keys.url`. The gateway closes them. */
  readonly routes?: Routes | undefined;
  /** Links and revocations: none by default. */
  readonly links?: GatewayLinks | undefined;
  /** Dialects by `host[:port]`, for hosts that do not speak all of them. */
  readonly hosts?: Readonly<Record<string, readonly Dialect[]>> | undefined;
  /** Called once for each request, after its last byte was sent. What it throws is ignored: a log must not end a server. */
  readonly accessLog?: ((event: AccessEvent) => void) | undefined;
  /**
   * Whether a `SignatureDoesNotMatch` shows the caller the canonical request and the string to sign, as AWS does: the caller's
   * own bytes, never a signature. On by default.
   */
  readonly debugFields?: boolean | undefined;
  /**
   * Whether `/-/metrics` serves this process's metrics to anyone who asks, in Prometheus format. Off by default, because strangers can
   * reach the same listener. If several processes share the listener, pass a function that returns the sum over all of them, such as
   * `collectMetrics` of `@daypass/gateway/node`.
   */
  readonly metrics?: boolean | (() => Promise<MetricsSnapshot>) | undefined;
  /**
   * Milliseconds after which a long copy, or the completion of a long multipart upload, begins its response as S3 does: with a 200 and
   * whitespace at this interval, followed by the document of the result or of an error. 10,000 by default.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * For tests only: headers of S3 that are accepted without effect. `encryption` is `x-amz-server-side-encryption: AES256`, `acl` any canned
   * `x-amz-acl`. None by default, because the client would rely on an encryption or a list that does not exist.
   */
  readonly tolerate?: readonly ("encryption" | "acl")[] | undefined;
  /**
   * The gateway does not follow it backwards: what has expired stays expired. If you create one gateway after another, as for a reload,
   * pass the same `steadyClock` to all of them.
   */
  readonly clock?: Clock | undefined;
  /** Requests in progress and counters, by default of this gateway only. For a reload, pass the tally of the previous gateway. */
  readonly tally?: Tally | undefined;
  /** Whether the readiness probe must fail, because the process is about to stop. Requests are still answered. Never by default. */
  readonly isDraining?: (() => boolean) | undefined;
  /** Random bytes for the ids of requests and of sessions. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

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

const OPTIONS: FormsOf<GatewayOptions> = {
  storage: required([
    (value) => isObject(value) && isFunction(value["get"]) && isFunction(value["close"]),
    "a storage, such as disk() returns",
  ]),
  origins: required(listOf(text, { least: 1 })),
  keys: KEYS,
  sessionSecret: [(value) => value instanceof Uint8Array, "bytes"],
  redirectOrigins: listOf(text),
  region: text,
  regions: listOf(text, { least: 1 }),
  audience: text,
  cors: CORS,
  limits: LIMITS,
  routes: object,
  links: object,
  hosts: object,
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
  random: callback,
};

/**
 * Refuses options that cannot work, or that seem to forbid what they allow.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export function checkOptions(options: GatewayOptions): void {
  expectForms(options, OPTIONS);
  const { keys, redirectOrigins = [], region = "us-east-1", regions = [region] } = options;
  if (keys?.s3 === undefined && keys?.url === undefined)
    throw invalidOption("keys", "an object with s3, url or both", keys);
  if (options.routes !== undefined && keys.url === undefined)
    throw invalidOption("keys.url", "keys for the URLs of routes", keys.url);
  if (!regions.includes(region)) throw invalidOption("region", `one of regions (${regions.join(", ")})`, region);
  for (const origin of redirectOrigins) checkRedirectOrigin(origin);
  checkHosts(options);
}

/** A host without an origin would have no effect, and the misspelt one would accept every dialect. */
function checkHosts({ hosts = {}, origins, keys }: GatewayOptions): void {
  const names = origins.map((origin) => origin.replace(/^https?:\/\//, ""));
  const dialects = Object.keys(KEYS).filter((dialect) => keys[dialect as keyof typeof keys] !== undefined);
  const [isDialects, expected] = listOf(
    [(value) => dialects.includes(String(value)), `a dialect that has keys (${dialects.join(", ")})`],
    { least: 1 },
  );
  for (const [host, spoken] of Object.entries(hosts)) {
    const place = `hosts[${JSON.stringify(host)}]`;
    if (!isHostOf(origins, host))
      throw invalidOption("a name in hosts", `a host of origins (${names.join(", ")})`, host);
    if (spoken !== undefined && !isDialects(spoken)) throw invalidOption(place, expected, spoken);
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
