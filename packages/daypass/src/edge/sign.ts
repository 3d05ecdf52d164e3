import { dateText } from "#advice";
import type { AsyncSigner, Clock, Constraints, SignedRequest, Signer } from "../core/contracts.ts";
import { invalidInput, refusal } from "../core/errors.ts";
import { methodOf } from "../core/object-request.ts";
import { asyncSigner, SignedResult, signer } from "../core/signed-request.ts";
import { CENTURY, type Instant, NEVER, signingWindow, startSeconds, systemClock } from "../core/time.ts";
import { checkOptions, queryTokens } from "../core/validate-options.ts";
import { type Weak, type Weakness, weaknessWarnings } from "../core/weakness.ts";
import type { Parameter } from "../wire/parameters.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { formDecode, parseTarget } from "../wire/raw-target.ts";
import { hasToken, joinTarget } from "./query.ts";

/** One URL to give an edge token. What the scheme cannot bind is refused with `UNSUPPORTED_CONSTRAINT`. */
export interface EdgeSignRequest extends Constraints {
  /**
   * The URL as it will be sent: `https://host/path?query`, host in lower case, without fragment. It is signed unchanged,
   * so a spelling that URL parsers would change is refused.
   */
  readonly url: string;
  /** The method that the holder sends, `"GET"` by default. None of these schemes signs it. */
  readonly method?: string | undefined;
}

/** For the schemes whose URLs may never expire. */
export interface EndlessSignRequest extends EdgeSignRequest {
  /** Without it, a request without `expiresIn` and `expiresAt` is refused. */
  readonly withoutExpiry?: "accept" | undefined;
}

/** A signer that reports the weaknesses of its scheme. */
export interface EdgeSigner<R, W extends Weakness = never> extends Signer<R>, Weak<W> {}

/** One format of token as the signing side sees it. */
export interface EdgeSignFormat<R extends EdgeSignRequest, D extends EdgeDraft, W extends Weakness = never>
  extends Weak<W> {
  /** The scheme's name in error texts. */
  readonly name: string;
  /** The options that it supports in addition to URL, method and lifetime, such as `"prefix bind.query"`. */
  readonly options?: string | ((request: R) => string) | undefined;
  /** By option, what can bind it instead. */
  readonly instead?: Readonly<Record<string, string>> | undefined;
  /** The token's own query parameters, which a URL to sign must not have. */
  readonly own?: readonly string[];
  /** `true` if the server finds parameters in any case. */
  readonly ignoreCase?: boolean;
  readonly clock?: Clock | undefined;
  /** Longest lifetime in seconds, a century by default. */
  readonly maxLife?: number;
  /** Reads the scheme's own options and builds everything but the signature. */
  draft(request: R, url: EdgeUrl, window: EdgeWindow): D;
}

/** A URL that lacks only its signature. */
export interface EdgeDraft {
  readonly stringToSign: string;
  /** The signed URL. */
  url(signature: string): string;
  /** Headers that the holder must send; a function if they contain the signature. */
  readonly headers?: Headers | ((signature: string) => Headers) | undefined;
  readonly bound: readonly string[];
  /** By default, the parts of a request that `bound` does not list. */
  readonly unbound?: readonly string[];
  /** Whether a query parameter is signed although `bound` does not list the query; by default, none is. */
  covers?(name: string): boolean;
}

type Headers = Readonly<Record<string, string>>;

/** A signer from a format and a function that signs its drafts. */
export function edgeSigner<R extends EdgeSignRequest, D extends EdgeDraft, W extends Weakness = never>(
  format: EdgeSignFormat<R, D, W>,
  sign: (draft: D) => string,
): EdgeSigner<R, W> {
  const signOne = (request: R): SignedRequest => {
    const { draft, finish } = prepare(format, request);
    return finish(sign(draft));
  };
  return { ...signer(signOne), weak: format.weak };
}

/** As {@link edgeSigner}, for keys that sign with a promise. */
export function asyncEdgeSigner<R extends EdgeSignRequest, D extends EdgeDraft>(
  format: EdgeSignFormat<R, D>,
  sign: (draft: D) => Promise<string>,
): AsyncSigner<R> {
  return asyncSigner(async (request: R) => {
    const { draft, finish } = prepare(format, request);
    return finish(await sign(draft));
  });
}

const PARTS = ["method", "scheme", "host", "query", "headers", "body"];

function prepare<R extends EdgeSignRequest, D extends EdgeDraft, W extends Weakness>(
  format: EdgeSignFormat<R, D, W>,
  request: R,
): { readonly draft: D; readonly finish: (signature: string) => SignedRequest } {
  const { own = [], clock, maxLife } = format;
  const url = readUrl(request, format);
  if (hasToken(`?${url.query}`, own, format))
    throw invalidInput("url", `a URL without ${own.join()}, which the signer adds`, "another");
  const window = edgeWindow(request, clock, maxLife);
  const method = methodOf(request.method);
  const draft = format.draft(request, url, window);
  const { stringToSign, headers = {}, bound, covers } = draft;
  const { expires, expiresAt } = window;
  const fields = {
    method,
    expiresAt,
    bound: expires === undefined ? bound : [...bound, "end"],
    unbound: draft.unbound ?? PARTS.filter((part) => !bound.includes(part)),
    warnings: [...weaknessWarnings(format.weak, expires), ...(bound.includes("query") ? [] : uncovered(url, covers))],
  };
  return {
    draft,
    finish(signature) {
      const own = typeof headers === "function" ? headers(signature) : headers;
      return new SignedResult({ url: draft.url(signature), headers: own, ...fields }, stringToSign);
    },
  };
}

/** One sentence for each query parameter that a signature does not cover. */
function uncovered({ query }: EdgeUrl, covers = (_name: string): boolean => false): readonly string[] {
  const names = parseTarget(`/?${query}`).tokens.map(({ name }) => name);
  return names
    .filter((name) => !covers(name))
    .map((name) => `${name} in the query is not signed: the holder of the URL may change it`);
}

/** A URL, split but not re-encoded. */
export interface EdgeUrl {
  readonly origin: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
}

// Chromium encodes a `|` in a path but not in a query.
const URL_FORM = /^(https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?)(\/[^?#|]*)(?:\?([^#]*))?$/;
const DEFAULT_PORT = /^http:[^#]*:80$|^https:[^#]*:443$/;
// URL parsers percent-encode these in a path and a query, and read `\` as `/`.
const RESPELT = /[^\x21-\x7e]|["<>\\`{}^]|%(?![0-9A-Fa-f]{2})/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/;]|$)/i;
const COMMON = "url method expiresIn expiresAt stableWindow bind";

/**
 * Checks the options of a request, splits its URL, joins `bind.query` to it, and refuses a URL that a parser would change.
 * A misspelt option would be a constraint that is missing, so unknown options are refused.
 */
export function readUrl<R extends EdgeSignRequest>(
  request: R,
  { name, options = "", instead }: Pick<EdgeSignFormat<R, EdgeDraft>, "name" | "options" | "instead">,
): EdgeUrl {
  const known = `${COMMON} ${typeof options === "string" ? options : options(request)}`.split(" ");
  const isKnown = { test: (option: string) => known.includes(option) };
  checkOptions(request, { scheme: name, known: isKnown, instead, misspelt: "INVALID_INPUT" });
  const [, origin, path = "", asked] = URL_FORM.exec(request.url) ?? [];
  const query = [...(asked ? [asked] : []), ...queryTokens(request.bind?.query)].join("&");
  if (origin === undefined || DEFAULT_PORT.test(origin) || RESPELT.test(`${path}?${query}`) || query.includes("'")) {
    throw refusal("INVALID_INPUT", "url is not in the spelling of URL parsers. Pass http(s)://host[:port]/path?query");
  }
  if (DOT_SEGMENT.test(path)) throw refusal("DOT_SEGMENTS", "url has dot segments, which browsers remove");
  return { origin, path, query };
}

/** For schemes that sign the decoded path: refuses a path that has other spellings, or that a server would normalise. */
export function checkPlainPath({ path }: EdgeUrl): void {
  try {
    checkRoutable(path);
  } catch {
    throw invalidInput("url", "a path that no server normalises", path);
  }
}

/** `https://host/path?query`, with further parameters at its end. */
export function joinUrl({ origin, path, query }: EdgeUrl, ...more: readonly (string | undefined)[]): string {
  return origin + joinTarget(path, [query, ...more].filter((text) => text).join("&"));
}

/** The parameters of a query, values decoded, and names as `nameOf` returns them. */
export function readTokens(query: string, nameOf: (name: string) => string = formDecode): readonly Parameter[] {
  try {
    return parseTarget(`/?${query}`).tokens.map(({ name, value = "" }) => [nameOf(name), formDecode(value)]);
  } catch {
    throw invalidInput("url", "a query of percent-encoded UTF-8", "another");
  }
}

/** Start and end of a URL's validity. */
export interface EdgeWindow {
  /** Milliseconds since 1970. */
  readonly signedAt: number;
  readonly expiresAt: Date;
  /** Seconds since 1970, as in the URL; `undefined` if the URL never expires. */
  readonly expires: string | undefined;
  /** `notBefore` in whole seconds since 1970, rounded up. */
  readonly starts: string | undefined;
}

/** The validity that a request asks for. */
export function edgeWindow(
  request: EndlessSignRequest,
  clock: () => Instant = systemClock,
  maxSeconds: number = CENTURY,
): EdgeWindow {
  const { expiresIn, expiresAt, notBefore, withoutExpiry } = request;
  const isEndless = withoutExpiry === "accept" && expiresIn === undefined && expiresAt === undefined;
  const window = isEndless
    ? { signedAt: Number(clock()), expiresAt: new Date(NEVER) }
    : signingWindow(request, clock(), { maxSeconds });
  const end = window.expiresAt.getTime() / 1000;
  const start = startSeconds(notBefore);
  if (start !== undefined && !(start < end))
    throw invalidInput("notBefore", "a Date before the end", dateText(notBefore));
  return {
    signedAt: window.signedAt,
    expiresAt: window.expiresAt,
    expires: isEndless ? undefined : String(end),
    starts: start === undefined ? undefined : String(start),
  };
}
