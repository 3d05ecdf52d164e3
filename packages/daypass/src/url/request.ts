import { uriEncode } from "../encode.ts";
import { DaypassError } from "../errors.ts";
import type { Bindings, Lifetime, ResponseOverrides } from "../scheme.ts";
import { prefixPath } from "./canonical.ts";
import {
  encodeText,
  hasDotSegment,
  hasReserved,
  isHeaderText,
  isReserved,
  isText,
  joinList,
  pathFault,
  queryFault,
  restFault,
} from "./grammar.ts";
import { compareNetworks, formatNetwork, makeNetwork, type Network, parseAddress } from "./ip.ts";
import { isOrigin } from "./origin.ts";
import {
  CONTENT_PARAMETERS,
  HEADER_ITEM,
  METHOD_ITEM,
  PARAMETERS,
  type ParameterValues,
  RESPONSE_PARAMETERS,
  VARY_ITEM,
} from "./parameters.ts";
import { allows } from "./scope.ts";

/** One Daypass URL to sign. */
export interface UrlSignRequest extends Lifetime {
  /**
   * The URL in the one spelling that URL parsers leave alone: `https://host/path?query`, without fragment. Another
   * spelling is refused with what to change, never re-written.
   */
  readonly url: string;
  /** Methods that are granted, `["GET"]` by default. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** First instant of validity, rounded up to a second; the life still counts from the time of signing. */
  readonly notBefore?: Date | undefined;
  /**
   * Grants every path that starts with these segments: `"/talks/2026/"`, or how many segments of the URL's path are
   * fixed. The URL itself is one of those paths.
   */
  readonly prefix?: string | number | undefined;
  /** What the URL is for; the verifier has to be configured with the same text. */
  readonly audience?: string | undefined;
  /** Who it is for: the verifier's caller has to prove this identity. It stands in the URL: use an opaque id. */
  readonly subject?: string | undefined;
  /** 16 to 64 of A-Z a-z 0-9 _ -, to make equal grants distinct. */
  readonly nonce?: string | undefined;
  /** How often the grant may be used; needs a verifier with state. A nonce is made if there is none. */
  readonly uses?: number | undefined;
  /** Write only if nothing is there. */
  readonly createOnly?: boolean | undefined;
  /** Query parameters that may come and go, such as `utm_source`. The handler never sees them. */
  readonly vary?: readonly string[] | undefined;
  readonly bind?: Bindings | undefined;
  /** Headers that the answer carries. `contentEncoding` and `expires` are not supported. */
  readonly response?: ResponseOverrides | undefined;
}

/** A URL that is ready to be given `dp-*` parameters. */
export interface SignableUrl {
  readonly origin: string;
  readonly path: string;
  /** Signed tokens. */
  readonly query: string;
  /** Tokens that may vary, to be put at the end. */
  readonly varying: string;
}

const OPTIONS: ReadonlySet<string> = new Set(
  "url methods notBefore prefix audience subject nonce uses createOnly vary bind response expiresIn expiresAt stableWindow".split(
    " ",
  ),
);
const BINDINGS: ReadonlySet<string> = new Set("contentType contentLength sha256 headers query ip".split(" "));

/** A misspelt option would be a constraint that is missing from the URL. */
export function checkOptions(request: UrlSignRequest): void {
  for (const option in request) if (!OPTIONS.has(option)) throw unknownOption(option, OPTIONS);
  for (const option in request.bind) if (!BINDINGS.has(option)) throw unknownOption(`bind.${option}`, BINDINGS);
}

function unknownOption(option: string, known: ReadonlySet<string>): DaypassError {
  return invalid(`only ${[...known].join(", ")}; found ${option}`);
}

/** Splits the URL and holds it to the grammar. */
export function readUrl({ url, bind, vary }: UrlSignRequest): SignableUrl {
  if (typeof url !== "string") throw invalid(`url as a string, found ${typeof url}`);
  const [, origin = "", path = "", mark = "", ownQuery = ""] =
    /^([a-z]+:\/\/[^/?#]*)([^?#]*)(\??)([^#]*)/i.exec(url) ?? [];
  if (!isOrigin(origin)) {
    throw invalid(
      "url as http(s)://host[:port]/path in lower case, without user, default port or trailing dot; an international host as xn--",
    );
  }
  if (url.includes("#"))
    throw invalid("url without a fragment, which never reaches a server: remove `#` and what follows");
  if (hasDotSegment(path)) {
    throw new DaypassError(
      "DOT_SEGMENTS",
      'expected url without "." and ".." segments: a browser would ask for another path',
    );
  }
  const fault = path === "" ? 'the path is at least "/"' : pathFault(path);
  if (fault !== undefined) throw invalid(`url in its one spelling: ${fault}`);
  const query = [...(mark === "" ? [] : [ownQuery]), ...boundQuery(bind)].join("&");
  if (mark !== "" || query !== "") {
    const queryProblem = queryFault(query);
    if (queryProblem !== undefined) throw invalid(`url in its one spelling: ${queryProblem}`);
    if (hasReserved(query)) throw invalid("url without dp-* parameters, which this signer sets: sign the plain URL");
  }
  if (vary === undefined || vary.length === 0) return { origin, path, query, varying: "" };
  const tokens = query === "" ? [] : query.split("&");
  const varies = (token: string): boolean => vary.includes(token.split("=", 1)[0] as string);
  return {
    origin,
    path,
    query: tokens.filter((token) => !varies(token)).join("&"),
    varying: tokens.filter(varies).join("&"),
  };
}

function boundQuery(bind: Bindings | undefined): readonly string[] {
  const tokens: string[] = [];
  for (const [name, values] of Object.entries(bind?.query ?? {})) {
    for (const value of Array.isArray(values) ? values : [values as string]) {
      if (typeof value !== "string") throw invalid(`bind.query.${name} as a string, found ${typeof value}`);
      const token = `${uriEncode(name)}=${uriEncode(value)}`;
      if (isReserved(token)) throw invalid(`bind.query without ${name}: dp-* parameters are the signer's`);
      tokens.push(token);
    }
  }
  return tokens;
}

/** The constraints of a request as raw parameter values; dates, key and version are the signer's. */
export function constraints(request: UrlSignRequest, path: string): ParameterValues {
  const {
    methods = DEFAULT_METHODS,
    prefix,
    audience,
    subject,
    nonce,
    uses,
    createOnly,
    vary,
    bind,
    response,
  } = request;
  const values: ParameterValues = { "dp-methods": methodList(methods) };
  if (prefix !== undefined) values["dp-prefix"] = prefixCount(prefix, path);
  if (audience !== undefined) values["dp-audience"] = text("audience", audience);
  if (subject !== undefined) values["dp-subject"] = text("subject", subject);
  if (nonce !== undefined) {
    if (!PARAMETERS["dp-nonce"].test(nonce)) throw invalid("nonce as 16 to 64 of A-Z a-z 0-9 _ -");
    values["dp-nonce"] = nonce;
  }
  if (uses !== undefined) {
    if (!(Number.isSafeInteger(uses) && uses >= 1))
      throw invalid(`uses as a whole number of at least 1, found ${String(uses)}`);
    values["dp-uses"] = String(uses);
  }
  if (createOnly === true) values["dp-create"] = "1";
  if (vary !== undefined && vary.length > 0) values["dp-vary"] = list("vary", vary, VARY_ITEM);
  if (bind !== undefined) addBindings(values, bind);
  if (response !== undefined) addResponse(values, response);
  if (allows(methods, "HEAD")) {
    for (const name of CONTENT_PARAMETERS) {
      if (values[name] === undefined) continue;
      throw invalid(
        `no constraint on written content (${name}) beside GET or HEAD: sign a URL for reading and one for writing`,
      );
    }
  }
  return values;
}

const DEFAULT_METHODS: readonly string[] = ["GET"];

function methodList(methods: readonly string[]): string {
  if (methods === DEFAULT_METHODS) return "GET";
  const listed = methods.includes("GET") ? methods.filter((method) => method !== "HEAD") : methods;
  return list("methods", listed, METHOD_ITEM);
}

function prefixCount(prefix: string | number, path: string): string {
  const count = typeof prefix === "number" ? prefix : prefix.split("/").length - 2;
  if (!(Number.isInteger(count) && count >= 1 && count <= 99)) {
    throw invalid('prefix as 1 to 99 segments, or as a path such as "/talks/2026/" with a "/" at both ends');
  }
  const fixed = prefixPath(path, count);
  if (fixed === undefined || (typeof prefix === "string" && fixed !== prefix)) {
    throw invalid(`prefix as the beginning of the URL's path up to a "/", found ${JSON.stringify(prefix)}`);
  }
  const fault = restFault(path.slice(fixed.length));
  if (fault !== undefined) throw invalid(`url in its one spelling: ${fault}`);
  return String(count);
}

function addBindings(values: ParameterValues, bind: Bindings): void {
  const { contentType, contentLength, sha256, headers, ip } = bind;
  if (contentType !== undefined) values["dp-type"] = headerText("bind.contentType", contentType);
  if (contentLength !== undefined) values["dp-length"] = lengthText(contentLength);
  if (sha256 !== undefined) {
    if (!PARAMETERS["dp-sha256"].test(sha256)) throw invalid("bind.sha256 as 64 lower-case hexadecimal digits");
    values["dp-sha256"] = sha256;
  }
  const names = Object.keys(headers ?? {});
  if (names.length > 0)
    values["dp-headers"] = list(
      "bind.headers",
      names.map((name) => name.toLowerCase()),
      HEADER_ITEM,
    );
  if (ip !== undefined) values["dp-ip"] = networkList(ip);
}

function lengthText(length: NonNullable<Bindings["contentLength"]>): string {
  const { min = 0, max } = typeof length === "number" ? { min: length, max: length } : length;
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 0 && max >= min)) {
    throw invalid("bind.contentLength as whole bytes, or { min, max } with min at most max");
  }
  return min === max ? String(min) : `${min}-${max}`;
}

function networkList(ip: string | readonly string[]): string {
  const networks = (typeof ip === "string" ? [ip] : ip).map(readNetwork).sort(compareNetworks);
  if (networks.length === 0) throw invalid("bind.ip with at least one address or network");
  return [...new Set(networks.map(formatNetwork))].join(".");
}

function readNetwork(ip: string): Network {
  const [address = "", prefix, ...more] = ip.split("/");
  const bytes = parseAddress(address);
  const whole = (bytes?.length ?? 0) * 8;
  const bits = prefix === undefined ? whole : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  const network = bytes === undefined || more.length > 0 ? undefined : makeNetwork(bytes, bits);
  if (network !== undefined) return network;
  throw invalid(
    `bind.ip as addresses or networks in CIDR notation, host bits zero and IPv4 in its own form; found ${JSON.stringify(ip)}`,
  );
}

const RESPONSE_OPTIONS = {
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentLanguage: "content-language",
  contentType: "content-type",
} as const;

function addResponse(values: ParameterValues, response: ResponseOverrides): void {
  for (const [option, value] of Object.entries(response)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(RESPONSE_OPTIONS, option)) {
      throw new DaypassError(
        "UNSUPPORTED_CONSTRAINT",
        `expected response.${Object.keys(RESPONSE_OPTIONS).join(", response.")}; found response.${option}, which a Daypass URL cannot set`,
      );
    }
    const header = RESPONSE_OPTIONS[option as keyof typeof RESPONSE_OPTIONS];
    values[RESPONSE_PARAMETERS[header]] = headerText(`response.${option}`, value);
  }
}

/** The bound headers of a request, lower-case names, in ascending order. */
export function boundHeaders(bind: Bindings | undefined): readonly (readonly [name: string, value: string])[] {
  if (bind?.headers === undefined) return [];
  const headers = Object.entries(bind.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [i, [name, value]] of headers.entries()) {
    if (typeof value !== "string" || !/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/.test(value)) {
      throw invalid(`bind.headers.${name} as printable ASCII without space at its ends`);
    }
    if (headers.findIndex(([other]) => other === name) !== i) throw invalid(`bind.headers with ${name} once`);
  }
  return headers.sort(([a], [b]) => (a < b ? -1 : 1));
}

function text(option: string, value: string): string {
  if (typeof value !== "string" || !isText(value)) {
    throw invalid(`${option} as text without spaces and control characters, at least one character`);
  }
  return encodeText(value);
}

/**
 * Header text has no space, as hosts that re-serialise a query would turn it into "+". The optional space after ";" and
 * "," means nothing (RFC 9110 section 5.6.3) and is left out, except inside quoted strings.
 */
export function withoutOptionalSpace(value: string): string {
  return value.replace(
    /("(?:[^"\\]|\\.)*")|([;,])[ \t]+/g,
    (_, quoted?: string, separator?: string) => quoted ?? separator ?? "",
  );
}

function headerText(option: string, value: string): string {
  const header = typeof value === "string" ? withoutOptionalSpace(value) : "";
  if (!isHeaderText(header)) {
    throw invalid(
      `${option} as visible ASCII without spaces: write a file name with spaces as filename*=UTF-8''a%20b.pdf`,
    );
  }
  return encodeText(header);
}

function list(option: string, items: readonly string[], item: RegExp): string {
  const bad = items.find((text) => typeof text !== "string" || !item.test(text));
  if (items.length === 0 || bad !== undefined) {
    throw invalid(
      `${option} as a list of names that the specification allows there, found ${bad === undefined ? "none" : JSON.stringify(bad)}`,
    );
  }
  return items.length === 1 ? (items[0] as string) : joinList(items);
}

export function invalid(expected: string): DaypassError {
  return new DaypassError("INVALID_INPUT", `expected ${expected}`);
}
