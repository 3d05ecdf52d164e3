import { type Constraints, unsupportedConstraint, VOCABULARY } from "../core/constraints.ts";
import type { SignedRequest, Signer } from "../core/contracts.ts";
import { invalidInput, refusal } from "../core/errors.ts";
import { optionPairs, queryTokens } from "../core/option-pairs.ts";
import { SignedResult, signer } from "../core/signed-request.ts";
import type { Weak, Weakness } from "../core/weakness.ts";
import type { Parameter } from "../wire/parameters.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { formDecode, parseTarget } from "../wire/raw-target.ts";
import { hasToken, joinTarget, type NameMatch } from "./query.ts";
import type { EdgeWindow } from "./window.ts";

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

export function edgeSigner<R, W extends Weakness>(
  weak: readonly W[],
  sign: (request: R) => SignedRequest,
): EdgeSigner<R, W> {
  return { ...signer(sign), weak };
}

/** A URL that has been split, and not re-spelt. */
export interface EdgeUrl {
  readonly origin: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
}

// Chromium encodes a `|` in a path, and leaves it in a query.
const URL_FORM = /^(https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?)(\/[^?#|]*)(?:\?([^#]*))?$/;
const DEFAULT_PORT = /^http:[^#]*:80$|^https:[^#]*:443$/;
// What URL parsers percent-encode in a path and a query, and `\`, which they take for `/`.
const RESPELT = /[^\x21-\x7e]|["<>\\`{}^]|%(?![0-9A-Fa-f]{2})/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/;]|$)/i;

/** Splits the URL of a request, joins `bind.query` to it, and refuses what a URL parser would change. */
export function readEdgeUrl({ url, bind }: EdgeSignRequest): EdgeUrl {
  const [, origin, path = "", own] = URL_FORM.exec(url) ?? [];
  const tokens = own ? [own] : [];
  const query = [...tokens, ...queryTokens(bind?.query)].join("&");
  if (origin === undefined || DEFAULT_PORT.test(origin) || RESPELT.test(`${path}?${query}`) || query.includes("'")) {
    throw refusal("INVALID_INPUT", "url as parsers write it: http(s)://host[:port]/path?query");
  }
  if (DOT_SEGMENT.test(path)) {
    throw refusal("DOT_SEGMENTS", "url without dot segments");
  }
  return { origin, path, query };
}

/** Refuses a URL that has the token's own parameters already. */
export function checkFree({ query }: EdgeUrl, names: readonly string[], match?: NameMatch): void {
  if (hasToken(`?${query}`, names, match)) throw invalidInput("url", `without ${names.join()}`, "one of them");
}

/** For schemes that sign the decoded path: refuses one that has other spellings, or that a server would normalise. */
export function checkPlainPath({ path }: EdgeUrl): void {
  try {
    checkRoutable(path);
  } catch {
    throw invalidInput("url", "a path that no server normalises", path);
  }
}

/** `https://host/path?query`, with further tokens at its end. */
export function joinEdgeUrl({ origin, path, query }: EdgeUrl, ...more: readonly string[]): string {
  return origin + joinTarget(path, [query, ...more].filter((text) => text !== "").join("&"));
}

const COMMON = "url method expiresIn expiresAt stableWindow bind";

/**
 * Refuses the constraints that a scheme cannot bind, and options that it does not know: a misspelt one would be a
 * constraint that is missing. `allowed` are the others that it knows, such as `"prefix bind.query"`; `instead` says what can
 * bind an option that it does not.
 */
export function checkEdgeRequest(
  scheme: string,
  request: EdgeSignRequest,
  allowed = "",
  instead: Readonly<Record<string, string>> = {},
): void {
  const known = `${COMMON} ${allowed}`.split(" ");
  // By name, as getters of a class are not among its entries.
  const { notBefore, prefix } = request;
  const bind = optionPairs("bind", request.bind).map(([name, value]) => [`bind.${name}`, value] as const);
  for (const [name, value] of [...Object.entries({ notBefore, prefix, ...request }), ...bind]) {
    if (value === undefined || known.includes(name)) continue;
    if (VOCABULARY.test(name)) {
      throw unsupportedConstraint(scheme, name, instead[name] ?? "leave it out");
    }
    throw invalidInput(`the options of ${scheme}`, "documented", name);
  }
}

/** The parameters of a query, values decoded, and names as `nameOf` has them. */
export function readTokens(query: string, nameOf: (name: string) => string = formDecode): readonly Parameter[] {
  try {
    return parseTarget(`/?${query}`).tokens.map(({ name, value = "" }) => [nameOf(name), formDecode(value)]);
  } catch {
    throw invalidInput("url", "a query of percent-encoded UTF-8", "another");
  }
}

/** One sentence for each query parameter that a signature does not cover. */
export function uncovered({ query }: EdgeUrl, isCovered = (_name: string): boolean => false): readonly string[] {
  const names = parseTarget(`/?${query}`).tokens.map(({ name }) => name);
  return names
    .filter((name) => !isCovered(name))
    .map((name) => `${name} in the query is not signed: whoever holds the URL may change it`);
}

/** What a scheme knows of a URL that it has signed. */
export interface EdgeResult {
  readonly url: string;
  readonly request: EdgeSignRequest;
  readonly window: EdgeWindow;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly bound: readonly string[];
  readonly unbound: readonly string[];
  readonly warnings?: readonly string[] | undefined;
}

export function edgeResult(result: EdgeResult, stringToSign: string): SignedRequest {
  const { url, request, window, headers = {}, bound, unbound, warnings = [] } = result;
  const { method = "GET" } = request;
  if (!/^[A-Z]{1,20}$/.test(method)) throw invalidInput("method", "upper case", method);
  const { expires, expiresAt } = window;
  const end = expires === undefined ? [] : ["end"];
  return new SignedResult(
    { url, method, headers, expiresAt, bound: [...bound, ...end], unbound, warnings },
    stringToSign,
  );
}
