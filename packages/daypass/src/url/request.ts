import { uriEncode } from "../encode.ts";
import { type DaypassError, refusal } from "../errors.ts";
import type { Bindings, Lifetime, ResponseOverrides } from "../scheme.ts";
import { encodeText, hasDotSegment, hasReserved, isPath, isQuery, joinList } from "./grammar.ts";
import { networksValue } from "./ip.ts";
import { isOrigin } from "./origin.ts";
import { PARAMETERS, type ParameterName, type RawParameters } from "./parameters.ts";

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

const OPTIONS: ReadonlySet<string> = new Set(
  "url methods notBefore prefix audience subject nonce uses createOnly vary bind response expiresIn expiresAt stableWindow contentType contentLength sha256 headers query ip".split(
    " ",
  ),
);

/** A misspelt option would be a constraint that is missing from the URL. */
export function checkOptions(request: UrlSignRequest): void {
  for (const option of Object.keys({ ...request.bind, ...request })) {
    if (!OPTIONS.has(option)) throw invalid(`options of a Daypass URL, found ${option}: see UrlSignRequest`);
  }
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

// Bulk signing is for one origin nearly always.
let lastOrigin: string | undefined;

/** Splits the URL and holds it to the grammar. */
export function readUrl({ url, bind, vary = [] }: UrlSignRequest): SignableUrl {
  const [, origin = "", path = "", mark = "", own = ""] =
    /^([a-z]+:\/\/[^/?#]*)([^?#]*)(?:(\?)([^#]*))?$/.exec(url) ?? [];
  if (origin !== lastOrigin && !isOrigin(origin)) {
    throw invalid("url as http(s)://host[:port]/path?query in lower case, without user, default port and fragment");
  }
  lastOrigin = origin;
  if (!isPath(path)) {
    throw hasDotSegment(path)
      ? refusal("DOT_SEGMENTS", "url without dot segments, which browsers remove")
      : invalid('a path in its one spelling: at least "/", no empty segment, %XX in upper case and only where needed');
  }
  const tokens = mark === "" ? [] : own.split("&");
  for (const [name, values] of Object.entries(bind?.query ?? {})) {
    for (const value of [values].flat()) tokens.push(`${uriEncode(name)}=${uriEncode(value)}`);
  }
  const query = tokens.join("&");
  if (tokens.length > 0 && (!isQuery(query) || hasReserved(query))) {
    throw invalid(
      "a query of RFC 3986 characters (' as %27), without empty parameters, and without the signer's own dp-*",
    );
  }
  if (vary.length === 0) return { origin, path, query, varying: "" };
  const varies = (token: string): boolean => vary.includes(token.split("=", 1)[0] as string);
  return {
    origin,
    path,
    query: tokens.filter((token) => !varies(token)).join("&"),
    varying: tokens.filter(varies).join("&"),
  };
}

/**
 * The constraints of a request as raw parameters, in any order. Only the spelling is made here: what is wrong with a
 * value, `readParameters` says, as it would to a verifier.
 */
export function constraints(request: UrlSignRequest): RawParameters {
  const { methods = ["GET"], prefix, audience, subject, nonce, uses, createOnly, vary, bind = {}, response } = request;
  const { contentType, contentLength, sha256, headers, ip } = bind;
  const raw: RawParameters = { "dp-methods": joinList(methods.includes("GET") ? methods.filter(isNotHead) : methods) };
  const set = (name: ParameterName, value: string | number | undefined): void => {
    if (value !== undefined) raw[name] = String(value);
  };
  set("dp-prefix", typeof prefix === "string" ? prefix.split("/").length - 2 : prefix);
  set("dp-audience", audience && encodeText(audience));
  set("dp-subject", subject && encodeText(subject));
  set("dp-nonce", nonce);
  set("dp-uses", uses);
  if (createOnly) raw["dp-create"] = "1";
  if (vary?.length) raw["dp-vary"] = joinList(vary);
  set("dp-type", contentType && encodeHeader(contentType));
  set("dp-length", typeof contentLength === "object" ? lengthRange(contentLength) : contentLength);
  set("dp-sha256", sha256);
  const names = Object.keys(headers ?? {});
  if (names.length > 0) raw["dp-headers"] = joinList(names.map((name) => name.toLowerCase()));
  if (ip !== undefined) {
    raw["dp-ip"] = networksValue([ip].flat());
    if (!raw["dp-ip"]) throw invalid("bind.ip as addresses or CIDR networks, host bits zero, IPv4 in its own form");
  }
  for (const [option, value] of Object.entries(response ?? {})) {
    if (value === undefined) continue;
    const name = `dp-response-${option.replace(/[A-Z]/g, "-$&").toLowerCase()}`;
    if (option.includes("-") || !Object.hasOwn(PARAMETERS, name)) {
      throw refusal("UNSUPPORTED_CONSTRAINT", `what a Daypass URL can bind, found response.${option}`);
    }
    raw[name as ParameterName] = encodeHeader(value);
  }
  return raw;
}

const isNotHead = (method: string): boolean => method !== "HEAD";

function lengthRange({ min = 0, max }: { readonly min?: number; readonly max: number }): string {
  return min === max ? String(max) : `${min}-${max}`;
}

/**
 * Header text has no space, as hosts that re-serialise a query would turn it into "+". The optional space after ";" and
 * "," means nothing (RFC 9110 section 5.6.3) and is left out, except inside quoted strings.
 */
function encodeHeader(value: string): string {
  return encodeText(value.replace(/("(?:[^"\\]|\\.)*")|([;,])[ \t]+/g, "$1$2"));
}

/** The bound headers of a request, lower-case names, in ascending order. */
export function boundHeaders({ bind }: UrlSignRequest): readonly (readonly [name: string, value: string])[] {
  const headers = Object.entries(bind?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const values = new Map(headers);
  if (values.size === headers.length && headers.every(([, value]) => /^(?:[!-~](?:[ -~]*[!-~])?)?$/.test(value))) {
    return headers.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  throw invalid("bind.headers each once, as printable ASCII without space at its ends");
}

export function invalid(expected: string): DaypassError {
  return refusal("INVALID_INPUT", expected);
}
