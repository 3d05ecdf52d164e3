import { type Constraints, unsupportedConstraint } from "./constraints.ts";
import { hasToken, joinTarget } from "./edge-query.ts";
import type { EdgeWindow } from "./edge-window.ts";
import { uriEncode } from "./encode.ts";
import { type DaypassError, invalidInput, refusal } from "./errors.ts";
import { checkRoutable } from "./routable.ts";
import type { Bindings, SignedRequest, Signer } from "./scheme.ts";
import { SignedResult, signer } from "./signed-request.ts";
import { describeWeakness, type Weak, type Weakness } from "./weakness.ts";

/** One URL to give an edge token. What the scheme cannot bind is refused with `UNSUPPORTED_CONSTRAINT`. */
export interface EdgeSignRequest extends Constraints {
  /**
   * The URL as it will be sent: `https://host/path?query`, host in lower case, without fragment. It is signed as it stands,
   * so a spelling that URL parsers change is refused.
   */
  readonly url: string;
  /** What the holder sends, `"GET"` by default. None of these schemes signs it. */
  readonly method?: string | undefined;
}

/** For the schemes whose URLs may have no end. */
export interface EndlessSignRequest extends EdgeSignRequest {
  /** Without it, a request without `expiresIn` and `expiresAt` is refused. */
  readonly withoutExpiry?: "accept" | undefined;
}

/** A signer that tells what is weak about its scheme. */
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

const URL_FORM = /^(https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?)(\/[^?#]*)(?:\?([^#]*))?$/;
const DEFAULT_PORT = /^http:[^#]*:80$|^https:[^#]*:443$/;
// What URL parsers percent-encode in a path and a query, and `\`, which they take for `/`.
const RESPELT = /[^\x21-\x7e]|["<>\\`{}^]|%(?![0-9A-Fa-f]{2})/;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/;]|$)/i;

/** Splits the URL of a request, joins `bind.query` to it, and refuses what a URL parser would change. */
export function readEdgeUrl({ url, bind }: EdgeSignRequest): EdgeUrl {
  const [, origin, path = "", own] = URL_FORM.exec(url) ?? [];
  const tokens = own ? [own] : [];
  for (const [name, values] of Object.entries(bind?.query ?? {})) {
    for (const value of [values].flat()) tokens.push(`${uriEncode(name)}=${uriEncode(value)}`);
  }
  const query = tokens.join("&");
  if (origin === undefined || DEFAULT_PORT.test(origin) || RESPELT.test(`${path}?${query}`) || query.includes("'")) {
    throw refusal(
      "INVALID_INPUT",
      "url as http(s)://host[:port]/path?query as URL parsers write it: host in lower case, no default port, no fragment",
    );
  }
  if (DOT_SEGMENT.test(path)) {
    throw refusal("DOT_SEGMENTS", "url without dot segments, which browsers remove");
  }
  return { origin, path, query };
}

/** Refuses a URL that has the token's own parameters already. */
export function checkFree({ query }: EdgeUrl, names: readonly string[], ignoreCase?: boolean): void {
  if (hasToken(`?${query}`, names, ignoreCase))
    throw invalidInput("url", `without ${names.join(" and ")}`, "one of them");
}

/** For schemes that sign the decoded path: refuses one that has other spellings, or that a server would normalise. */
export function checkPlainPath({ path }: EdgeUrl): void {
  try {
    checkRoutable(path);
  } catch {
    throw invalidInput(
      "the url's path",
      "no server normalises it: without //, %2F and needless percent-encoding",
      path,
    );
  }
}

/** `https://host/path?query`, with further tokens at its end. */
export function joinEdgeUrl({ origin, path, query }: EdgeUrl, ...more: readonly string[]): string {
  return origin + joinTarget(path, [query, ...more].filter((text) => text !== "").join("&"));
}

/** The names of the common vocabulary that a scheme may or may not be able to bind. */
export type EdgeConstraint =
  | "notBefore"
  | "prefix"
  | "response"
  | "withoutExpiry"
  | `bind.${Exclude<keyof Bindings, "query">}`;

const COMMON = "url method expiresIn expiresAt stableWindow bind".split(" ");

/**
 * Refuses the constraints that a scheme cannot bind, and options that it does not know: a misspelt one would be a
 * constraint that is missing. `options` are the scheme's own.
 */
export function checkEdgeRequest(
  scheme: string,
  request: EdgeSignRequest,
  {
    binds = [],
    options = [],
    instead,
  }: {
    readonly binds?: readonly EdgeConstraint[];
    readonly options?: readonly string[];
    /** What can bind the rest. */
    readonly instead?: string;
  } = {},
): void {
  const asked = Object.entries({ ...request, ...prefixed(request.bind) });
  for (const [name, value] of asked) {
    if (value === undefined || name === "bind.query") continue;
    if (COMMON.includes(name) || options.includes(name) || binds.includes(name as EdgeConstraint)) continue;
    if (/^(?:notBefore|prefix|response|bind\..*)$/.test(name)) throw unsupportedConstraint(scheme, name, instead);
    throw invalidInput(`the options of ${scheme}`, "documented", name);
  }
}

function prefixed(bind: Bindings | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(bind ?? {}).map(([name, value]) => [`bind.${name}`, value]));
}

/** What a scheme knows of a URL that it has signed. */
export interface EdgeResult {
  readonly url: string;
  readonly request: EdgeSignRequest;
  readonly window: EdgeWindow;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly bound: readonly string[];
  readonly unbound: readonly string[];
  readonly weak: readonly Weakness[];
  readonly warnings?: readonly string[] | undefined;
}

export function edgeResult(result: EdgeResult, stringToSign: string): SignedRequest {
  const { url, request, window, headers = {}, bound, unbound, weak, warnings = [] } = result;
  const { method = "GET" } = request;
  if (!/^[A-Z]{1,20}$/.test(method)) throw invalidInput("method", "an upper-case method", method);
  return new SignedResult(
    {
      url,
      method,
      headers,
      expiresAt: window.expiresAt,
      bound: window.expires === undefined ? bound : [...bound, "end"],
      unbound,
      warnings: [...relevant(weak, window).map(describeWeakness), ...warnings],
    },
    stringToSign,
  );
}

// A scheme that allows URLs without an end says so of those only.
function relevant(weak: readonly Weakness[], { expires }: EdgeWindow): readonly Weakness[] {
  return weak.filter((weakness) => weakness !== "no-expiry" || expires === undefined);
}

/** `INVALID_KEY`, which says nothing of what was found: it may be the secret in the wrong place. */
export function invalidSecret(expected: string): DaypassError {
  return refusal("INVALID_KEY", `${expected}, found something else`);
}
