/**
 * URLs of Symfony's UriSigner: {@link symfonySigner} and {@link symfonyVerifier}.
 *
 * @module
 */

import { hmacSha256 } from "#crypto";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkText, type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkOneOf } from "../../core/validate-options.ts";
import { checkVisible, joinTarget, readExpiry, takeTokens } from "../../edge/query.ts";
import { type EdgeSigner, type EndlessSignRequest, edgeSigner, joinUrl, readTokens } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  hasParameter,
} from "../../edge/verify.ts";
import { macBase64, uriEncode, utf8 } from "../../wire/encoding.ts";
import { malformed, type Parameter } from "../../wire/parameters.ts";
import { joinTokens } from "../../wire/raw-target.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The weakness of Symfony's UriSigner. */
export type SymfonyWeakness = "no-expiry";
const WEAK: readonly SymfonyWeakness[] = ["no-expiry"];

/** Options that signer and verifier must share with UriSigner. */
export interface SymfonyOptions {
  /** Names of the parameters: `{ hash: "_hash", expiration: "_expiration" }` by default. */
  readonly parameters?: { readonly hash?: string; readonly expiration?: string } | undefined;
  /**
   * How the hash is written: `"base64url"` by default, as in releases of 2025 and later; `"base64"` for earlier ones,
   * such as 5.4 and 6.4, which also do not support `_expiration`.
   */
  readonly encoding?: "base64url" | "base64" | undefined;
}

/** One URL to sign. */
export interface SymfonySignRequest extends EndlessSignRequest {}

/** Options of {@link symfonySigner}. */
export interface SymfonySignerOptions extends SymfonyOptions {
  /** `kernel.secret`. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs that Symfony's UriSigner accepts. Binds scheme, host, path, query and, if there is one, the expiry. The query
 * is sorted and re-encoded as in PHP, and a name that PHP would change is refused.
 *
 * Source: https://github.com/symfony/http-foundation, UriSigner.php (5.4 to 7.4)
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { symfonySigner } from "daypass/symfony";
 *
 * const signer = symfonySigner({ secret: "foobar" });
 * const link = signer.sign({ url: "http://example.com/foo?foo=bar&baz=bay", expiresAt: new Date("2038-01-01T00:00:00Z") });
 * console.log(link.url);
 * // "http://example.com/foo?_expiration=2145916800&_hash=xLhnPMzV3KqqHaaUffBUJvtRDAZ4_Z9Y8Sw-gmS-82Q&baz=bay&foo=bar"
 * ```
 */
export function symfonySigner(options: SymfonySignerOptions): EdgeSigner<SymfonySignRequest, SymfonyWeakness> {
  requireOptions(options);
  const { secret, clock } = options;
  const { hash, expiration, encoding } = readOptions(options);
  return edgeSigner(
    {
      name: "UriSigner",
      options: "withoutExpiry bind.query",
      own: [hash, expiration],
      weak: WEAK,
      clock,
      draft(_request: SymfonySignRequest, url, { expires }) {
        const asked = readTokens(url.query);
        const signed: readonly Parameter[] = expires === undefined ? asked : [...asked, [expiration, expires]];
        const query = phpQuery(signed);
        // PHP keeps one of a parameter and an array of the same name, so neither name may be an array.
        const all: readonly Parameter[] = [...asked, [hash, ""], [expiration, ""]];
        if (query === undefined || !all.every(([name]) => isPhpName(name)) || phpQuery(all) === undefined) {
          throw invalidInput("url", "a query of names that PHP leaves alone (no `.`, no `[]`), each once", url.query);
        }
        return {
          stringToSign: joinUrl({ ...url, query }),
          url: (signature) => joinUrl({ ...url, query: phpQuery([...signed, [hash, signature]]) as string }),
          bound: ["scheme", "host", "path", "query"],
        };
      },
    },
    // The secret may contain line breaks: PHP signs with the whole text of a file.
    symfonyMac(checkText(secret), encoding),
  );
}

/** What a verified URL allows. */
export interface SymfonyGrant extends EdgeGrant<SymfonyWeakness> {}

/** Options of {@link symfonyVerifier}. */
export interface SymfonyVerifierOptions extends SymfonyOptions, EdgeVerifierOptions, ExpiryOptions {
  /** `kernel.secret`, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"symfony"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies URLs of Symfony's UriSigner: an HMAC-SHA256 over the whole URL with its sorted query.
 *
 * A URL without `_expiration` never expires and is refused unless `withoutExpiry` accepts it. The method is not signed:
 * `methods` says what a URL grants. The query must be in the spelling that UriSigner writes; UriSigner itself also accepts
 * reordered and re-encoded queries.
 *
 * Source: https://github.com/symfony/http-foundation, UriSigner.php (5.4 to 7.4)
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { symfonyVerifier } from "daypass/symfony";
 *
 * const verifier = symfonyVerifier({
 *   secrets: "foobar",
 *   origins: ["http://example.com"],
 *   clock: () => new Date("2026-01-02T03:04:05Z"),
 * });
 * const target = "/foo?_expiration=2145916800&_hash=xLhnPMzV3KqqHaaUffBUJvtRDAZ4_Z9Y8Sw-gmS-82Q&baz=bay&foo=bar";
 * const grant = await verifier.verify({ method: "GET", target, authority: "example.com", headers: [] });
 * console.log(grant.target); // "/foo?baz=bay&foo=bar"
 * ```
 */
export function symfonyVerifier(options: SymfonyVerifierOptions): Verifier<SymfonyGrant> {
  requireOptions(options);
  const { hash, expiration, encoding } = readOptions(options);
  const prepare = (secret: string): ReturnType<typeof symfonyMac> => {
    const mac = symfonyMac(secret, encoding);
    return (token) => phpEncode(mac(token));
  };
  // PHP reads `_hash[]=1` as an array, and `_hash%00x` as `_hash`.
  const isOwn = (name: string): boolean => [hash, expiration].includes(name.replace(/(?:\[|%5b|%00).*$/i, ""));
  return edgeVerifier(
    {
      id: "symfony",
      weak: WEAK,
      detect: (request) => hasParameter(request, hash),
      // UriSigner parses the query and writes it again before it hashes, so that many spellings have one hash. This verifier
      // accepts only the spelling that UriSigner writes.
      parse({ request, wire: { path, tokens }, origin }) {
        checkVisible("target", request.target);
        const { own, others: signed } = takeTokens(tokens, [hash]);
        const { own: end, others } = takeTokens(signed, [expiration]);
        const { [hash]: signature = "" } = own;
        const expiresAt = readExpiry(expiration, end[expiration]);
        if (signature === "" || others.some(({ name }) => isOwn(name))) {
          throw malformed(hash, "form", "one hash, and no array");
        }
        return {
          signature,
          expiresAt,
          path,
          stringToSign: origin + joinTarget(path, joinTokens(signed)),
          target: joinTarget(path, joinTokens(others)),
        };
      },
      dummyKey: prepare("dummy"),
    },
    secretResolver(options.secrets, prepare),
    options,
  );
}

type Encoding = NonNullable<SymfonyOptions["encoding"]>;

function readOptions({ parameters, encoding = "base64url" }: SymfonyOptions): {
  readonly hash: string;
  readonly expiration: string;
  readonly encoding: Encoding;
} {
  checkOneOf("encoding", encoding, "base64url", "base64");
  return { hash: "_hash", expiration: "_expiration", ...parameters, encoding };
}

/** The hash as text; in a URL, `http_build_query` encodes it. */
function symfonyMac(secret: string, encoding: Encoding): (token: { readonly stringToSign: string }) => string {
  const key = hmacSha256(secret);
  return ({ stringToSign }) => {
    const mac = key.base64url(stringToSign);
    return encoding === "base64url" ? mac : macBase64(mac);
  };
}

/** PHP's `urlencode`: a space is `+`, and `~` is encoded. */
function phpEncode(text: string): string {
  return uriEncode(text).replaceAll("%20", "+").replaceAll("~", "%7E");
}

/** Whether PHP keeps the name of a parameter: it turns `.` and spaces into `_`, and renumbers `a[]`. */
function isPhpName(name: string): boolean {
  return /^[^\s.[\]\p{Cc}]+(?:\[[^[\]\p{Cc}]+\])*$/u.test(name);
}

type Tree = Map<string, string | Tree>;

/**
 * The query as `http_build_query` writes it after `parse_str` and `ksort(SORT_STRING)`: top-level names in the order of
 * their bytes, names in brackets in the order of their first appearance. `undefined` if two parameters exclude each other.
 */
function phpQuery(parameters: readonly Parameter[]): string | undefined {
  const root: Tree = new Map();
  for (const [name, value] of parameters) {
    const keys = name.replaceAll("]", "").split("[");
    const last = keys.pop() as string;
    let node = root;
    for (const key of keys) {
      const next = node.get(key) ?? new Map();
      if (typeof next === "string") return undefined;
      node.set(key, next);
      node = next;
    }
    if (node.has(last)) return undefined;
    node.set(last, value);
  }
  return [...root]
    .sort(([a], [b]) => compareBytes(a, b))
    .flatMap(([name, value]) => flatten(name, value))
    .map(([name, value]) => `${phpEncode(name)}=${phpEncode(value)}`)
    .join("&");
}

function flatten(name: string, value: string | Tree): readonly Parameter[] {
  if (typeof value === "string") return [[name, value]];
  return [...value].flatMap(([key, inner]) => flatten(`${name}[${key}]`, inner));
}

function compareBytes(a: string, b: string): number {
  const [left, right] = [utf8(a), utf8(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
