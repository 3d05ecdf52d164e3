/**
 * Tokens for Bunny's CDN: {@link bunnySigner} and {@link bunnyVerifier}.
 *
 * @module
 */
import { sha256Hmac } from "#crypto/digests";
import type { Clock, QueryToken, Verifier, WireRequest } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { checkSecret, type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { parseEpoch } from "../../core/time.ts";
import { checkOneOf, checkTexts } from "../../core/validate-options.ts";
import { checkBelow, isBelow, joinTarget, takeTokens, unsignedParameters } from "../../edge/query.ts";
import {
  checkPlainPath,
  type EdgeDraft,
  type EdgeSigner,
  type EdgeSignRequest,
  edgeSigner,
  joinUrl,
  readTokens,
} from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeToken,
  type EdgeVerifierOptions,
  edgeVerifier,
  hasParameter,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { base64url, uriEncode, utf8 } from "../../wire/encoding.ts";
import { peerAddress } from "../../wire/ip.ts";
import { checkOnce, malformed, type Parameter } from "../../wire/parameters.ts";
import { formDecode, joinTokens, parseTarget, percentDecode } from "../../wire/raw-target.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The weakness of Bunny's tokens. */
export type BunnyWeakness = "unseparated-fields";
const WEAK: readonly BunnyWeakness[] = ["unseparated-fields"];

/** One URL to sign. `bind.ip` is one address: of IPv6 the network of 64 bits counts. */
export interface BunnySignRequest extends EdgeSignRequest {
  /** Everything below this decoded path, which ends in `/`. */
  readonly prefix?: string | undefined;
  /** `"query"` by default; `"path"` puts the token into the path, so that relative links inherit it. */
  readonly place?: "query" | "path" | undefined;
  /** Country codes that may use the URL. */
  readonly countries?: readonly string[] | undefined;
  /** Country codes that may not. */
  readonly countriesBlocked?: readonly string[] | undefined;
  /** Kilobytes a second. */
  readonly speedLimit?: number | undefined;
}

/** Options of {@link bunnySigner}. */
export interface BunnySignerOptions {
  /** The pull zone's token authentication key. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for Bunny's CDN with version 2 tokens (`HS256-`). Binds path or prefix, expiry, the whole query, the client's
 * address, its country and a speed limit.
 *
 * Weak by construction, see `weak` and the `warnings` of each result.
 *
 * Source: https://github.com/BunnyWay/BunnyCDN.TokenAuthentication
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { bunnySigner } from "daypass/bunny";
 *
 * const signer = bunnySigner({ secret: "SecurityKey" });
 * const link = signer.sign({ url: "https://token-tester.b-cdn.net/300kb.jpg", expiresAt: new Date("2033-05-18T03:33:20Z") });
 * console.log(link.url.startsWith("https://token-tester.b-cdn.net/300kb.jpg?token=HS256-")); // true
 * ```
 */
export function bunnySigner(options: BunnySignerOptions): EdgeSigner<BunnySignRequest, BunnyWeakness> {
  const { secret, clock } = requireOptions(options);
  return edgeSigner<BunnySignRequest, BunnyDraft, BunnyWeakness>(
    {
      name: "Bunny's token",
      weak: WEAK,
      clock,
      options: "prefix bind.ip bind.query place countries countriesBlocked speedLimit",
      own: OWN,
      draft(request, url, window) {
        const { prefix, bind, place = "query" } = request;
        checkOneOf("place", place, "query", "path");
        checkPlainPath(url);
        const path = percentDecode(url.path);
        if (prefix !== undefined && !(/^\/(?:.*\/)?$/.test(prefix) && isBelow(path, prefix))) {
          throw invalidInput("prefix", "a beginning of the url's path that ends in /", prefix);
        }
        if (hidesExpiry(prefix ?? path)) {
          throw invalidInput("url", "a path without ten digits in front of a name and =", path);
        }
        const address = bind?.ip === undefined ? undefined : lockedAddress(String(bind.ip));
        if (bind?.ip !== undefined && address === undefined) throw invalidInput("bind.ip", "one address", bind.ip);
        const parameters = readParameters(request, url.query);
        const parts = { path: prefix ?? path, expires: window.expires as string, address, parameters };
        const rest = [
          ...[...parameters].sort(byName).map(([name, value]) => `${name}=${uriEncode(value)}`),
          `expires=${parts.expires}`,
        ];
        const rules = (["countries", "countriesBlocked", "speedLimit"] as const).filter(
          (name) => request[name] !== undefined,
        );
        return {
          ...signedParts(parts),
          url: (token) =>
            place === "path"
              ? `${url.origin}/bcdn_token=${[token, ...rest].join("&")}${url.path}`
              : joinUrl({ ...url, query: "" }, `token=${token}`, ...rest),
          bound: [
            prefix === undefined ? "path" : `path below ${prefix}`,
            "query",
            ...(address ? ["ip"] : []),
            ...rules,
          ],
          unbound: [
            ...(prefix === undefined ? [] : ["path below the prefix"]),
            "method",
            "scheme",
            "host",
            // A token in the path contains its parameters. Other parameters are not signed.
            ...(place === "path" ? ["further query parameters"] : []),
            "headers",
            "body",
          ],
        };
      },
    },
    bunnyMac(checkSecret(secret)),
  );
}

const OWN = "token expires token_path token_countries token_countries_blocked token_ignore_params limit".split(" ");
const COUNTRY = /^[A-Za-z]{2}$/;

function readParameters(request: BunnySignRequest, query: string): readonly Parameter[] {
  const { prefix, countries, countriesBlocked, speedLimit } = request;
  if (countries !== undefined) checkTexts("countries", COUNTRY, countries);
  if (countriesBlocked !== undefined) checkTexts("countriesBlocked", COUNTRY, countriesBlocked);
  if (speedLimit !== undefined && !/^[1-9][0-9]{0,8}$/.test(String(speedLimit))) {
    throw invalidInput("speedLimit", "whole kilobytes of nine digits at most", speedLimit);
  }
  const own: Readonly<Record<string, string | undefined>> = {
    token_path: prefix,
    token_countries: countries?.join(","),
    token_countries_blocked: countriesBlocked?.join(","),
    limit: speedLimit === undefined ? undefined : String(speedLimit),
  };
  const parameters = [...readTokens(query, (name) => name)];
  for (const [name, value] of Object.entries(own)) if (value !== undefined) parameters.push([name, value]);
  const names = new Set(parameters.map(([name]) => name));
  if (names.size === parameters.length && parameters.every(isPlain)) return parameters;
  throw invalidInput(
    "the query",
    "plain names without ten digits or one in front, each once, and values without & and control characters",
    query,
  );
}

/** What a token grants in addition to the path. */
export interface BunnyFacts {
  /** The decoded path below which everything is granted, if the token is for more than one path. */
  readonly prefix: string | undefined;
  /** Country codes that may, or may not, use it. */
  readonly countries: readonly string[] | undefined;
  /** Country codes that may not. */
  readonly countriesBlocked: readonly string[] | undefined;
  /** Kilobytes a second. */
  readonly speedLimit: number | undefined;
}

/** What a verified token allows. */
export interface BunnyGrant extends EdgeGrant<BunnyWeakness>, BunnyFacts {}

/** Options of {@link bunnyVerifier}. */
export interface BunnyVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /** The pull zone's token authentication key, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: tokens do not contain it. `"bunny"` by default. */
  readonly keyId?: string | undefined;
  /**
   * The country code of a client. Without it, a token for some countries is refused with `UNENFORCED_CONSTRAINT`.
   */
  readonly countryOf?: ((request: WireRequest) => string | undefined) | undefined;
  /** `true` if the caller enforces `grant.speedLimit`; otherwise, a token with a limit is refused. */
  readonly enforcesSpeedLimit?: boolean | undefined;
  /** `true` refuses tokens that are not locked to an address. */
  readonly requireIp?: boolean | undefined;
}

/**
 * Verifies the version 2 tokens of Bunny's CDN (`HS256-`), in the query and in the path.
 *
 * Weak by construction: path, expiry, address and parameters are signed without separators. To limit the ambiguities, the expiry
 * must have ten digits, a value no `&`, a name neither ten digits in a row nor a leading digit followed by more text, and a path no
 * ten digits before `name=`. What remains: a token bound to an address whose four bytes are ASCII text is also valid without an
 * address and with one more parameter (`requireIp` prevents this); and another signer's token for a path such as `/a9999999999x=1`,
 * or for `/a` with `9x=1`, is also valid for `/a` or `/a1`. Host and method are not signed.
 *
 * Source: https://github.com/BunnyWay/BunnyCDN.TokenAuthentication
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `IP_NOT_GRANTED`, `KEY_SCOPE`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { bunnyVerifier } from "daypass/bunny";
 *
 * const verifier = bunnyVerifier({
 *   secrets: "SecurityKey",
 *   origins: ["https://token-tester.b-cdn.net"],
 *   clock: () => new Date("2020-08-21T00:00:00Z"),
 * });
 * const grant = await verifier.verify({
 *   method: "GET",
 *   target: "/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587",
 *   authority: "token-tester.b-cdn.net",
 *   headers: [],
 * });
 * console.log(grant.target); // "/300kb.jpg"
 * ```
 */
export function bunnyVerifier(options: BunnyVerifierOptions): Verifier<BunnyGrant> {
  const { secrets, allowUnsigned, countryOf, enforcesSpeedLimit = false, requireIp = false } = requireOptions(options);
  return edgeVerifier<BunnyToken, BunnyWeakness, BunnyFacts>(
    {
      id: "bunny",
      weak: WEAK,
      detect: (request) => request.target.startsWith("/bcdn_token=") || hasParameter(request, "token"),
      parse({ request, wire }) {
        const [, segment, path = wire.path] = PATH_TOKEN.exec(wire.path) ?? [];
        const inPath = segment === undefined ? undefined : parseTarget(`/?token=${segment}`).tokens;
        const { own, others } = takeTokens(inPath ?? wire.tokens, ["token", "expires"]);
        const { token: signature = "", expires = "" } = own;
        const [found, locked] = TOKEN.exec(signature) ?? [];
        if (found === undefined)
          throw malformed("token", "form", "HS256-, 1- if it is locked to an address, and a MAC");
        if (!/^[1-9][0-9]{9}$/.test(expires)) throw malformed("expires", "form", "the end as ten digits");
        const isIgnoring = others.some(({ name }) => name === "token_ignore_params");
        const isSigned = ({ name }: QueryToken): boolean =>
          !isIgnoring || name === "token_ignore_params" || name === "token_path";
        const signed = others.filter(isSigned);
        const open = [...others.filter((other) => !isSigned(other)), ...(inPath === undefined ? [] : wire.tokens)];
        const parameters = signed.map(({ name, value = "" }): Parameter => [name, formDecode(value)]);
        checkOnce(parameters);
        if (!parameters.every(isPlain)) {
          throw malformed(
            "parameters",
            "form",
            "plain names without ten digits or one in front, and values without & and controls",
          );
        }
        const { token_path: prefix, ...rules } = Object.fromEntries(parameters);
        if (isIgnoring && rules["token_ignore_params"] !== "true")
          throw malformed("token_ignore_params", "form", "true");
        const limit = rules["limit"];
        if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit))
          throw malformed("limit", "form", "kilobytes a second");
        // The path is signed decoded, so one signature would be valid for all its spellings.
        checkBelow(path);
        const decoded = percentDecode(path);
        if (prefix !== undefined && !(prefix.startsWith("/") && isBelow(decoded, prefix))) {
          throw refusal("SIGNATURE_MISMATCH", "the path is not below the token_path of the token");
        }
        if (hidesExpiry(prefix ?? decoded)) {
          throw malformed("path", "ambiguous", "a path in which no end and no parameter stand");
        }
        const address = locked === undefined ? undefined : lockedAddress(request.remoteAddress);
        if (locked !== undefined && address === undefined) {
          throw refusal("IP_NOT_GRANTED", "the token is locked to an address, and the client's is unknown");
        }
        const isRule = ({ name }: QueryToken): boolean => name.startsWith("token_") || name === "limit";
        const facts: BunnyFacts = {
          prefix,
          countries: rules["token_countries"]?.split(","),
          countriesBlocked: rules["token_countries_blocked"]?.split(","),
          speedLimit: limit === undefined ? undefined : Number(limit),
        };
        return {
          ...signedParts({ path: prefix ?? decoded, expires, address, parameters }),
          signature,
          path,
          facts,
          expiresAt: parseEpoch(expires),
          target: joinTarget(path, joinTokens(signed.filter((token) => !isRule(token)))),
          unsigned: unsignedParameters(open, allowUnsigned),
        };
      },
      dummyKey: bunnyMac("dummy"),
      facts({ request }, { facts, address }) {
        if (requireIp && address === undefined) {
          throw refusal("IP_NOT_GRANTED", "the token is not locked to an address, and this verifier requires it");
        }
        checkCountry(facts, countryOf?.(request));
        if (facts.speedLimit !== undefined && !enforcesSpeedLimit) throw unenforced("limit");
        return facts;
      },
    },
    secretResolver(secrets, bunnyMac),
    options,
  );
}

/** The first segment of a path with a token in it. */
const PATH_TOKEN = /^\/bcdn_token=([^/]+)(\/.*)$/;

const TOKEN = /^HS256-(1-)?[A-Za-z0-9_-]{43}$/;

function checkCountry({ countries, countriesBlocked = [] }: BunnyFacts, country: string | undefined): void {
  if (countries === undefined && countriesBlocked.length === 0) return;
  // A lookup may return `null` or a promise, which no list of blocked countries contains.
  if (!country || typeof country !== "string") throw unenforced("countries");
  // The signer accepts codes in both cases: `de` also blocks `DE`.
  const isListed = (codes: readonly string[]): boolean =>
    codes.join().toUpperCase().split(",").includes(country.toUpperCase());
  if ((countries !== undefined && !isListed(countries)) || isListed(countriesBlocked)) {
    throw refusal("IP_NOT_GRANTED", "the client is in a country that is not granted");
  }
}

function unenforced(constraint: string): Error {
  return refusal("UNENFORCED_CONSTRAINT", `this verifier does not enforce the token's "${constraint}"`, { constraint });
}

/** The parts of a request that a token signs. */
interface BunnyParts {
  /** Decoded: the whole path, or the value of token_path. */
  readonly path: string;
  /** Ten digits, so that no digit can move into the path (`/v1` + `1598024587` is also `/v` + `11598024587`). */
  readonly expires: string;
  /** The bytes of the client's address if the token is locked to it. */
  readonly address: readonly number[] | undefined;
  /** Decoded, each name once. */
  readonly parameters: readonly Parameter[];
}

interface SignedParts {
  readonly stringToSign: string;
  /** The bytes to sign: all parts without separators. */
  readonly signed: Uint8Array;
  readonly address: readonly number[] | undefined;
}

interface BunnyDraft extends EdgeDraft, SignedParts {}

interface BunnyToken extends EdgeToken, SignedParts {
  readonly facts: BunnyFacts;
}

/** The bytes to sign, and the same as text with one line per part, which is the source of a grant's id. */
function signedParts({ path, expires, address, parameters }: BunnyParts): SignedParts {
  const text = [...parameters]
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return {
    stringToSign: [path, expires, address?.join(".") ?? "", text].join("\n"),
    signed: Uint8Array.from([...utf8(path + expires), ...(address ?? []), ...utf8(text)]),
    address,
  };
}

function byName([a]: Parameter, [b]: Parameter): number {
  return a < b ? -1 : 1;
}

/** "HS256-", "1-" if the token is locked to an address, and the MAC in base64url. */
function bunnyMac(secret: string): (parts: SignedParts) => string {
  const mac = sha256Hmac(secret);
  return ({ signed, address }) => `HS256-${address === undefined ? "" : "1-"}${base64url(mac(signed))}`;
}

/** The bytes of the address that a token is locked to. Of IPv6, only the first half counts, the network. */
function lockedAddress(text: string | undefined): readonly number[] | undefined {
  return peerAddress(text ?? "")?.map((byte, i) => (i < 8 ? byte : 0));
}

const NAME = /^(?!.*[0-9]{10}|[0-9].)[A-Za-z0-9._~-]+$/;

/**
 * Whether a parameter is signed without ambiguity. Values are joined decoded: `a=1%26b=2` would be signed like `a=1&b=2`, and
 * an address's bytes like text. Ten digits in a name can be the expiry of another token, see {@link hidesExpiry}. A leading
 * digit can belong to the expiry: `/v/19` until 1767226200 with `x=1` is `/v/1` until 9176722620 with `0x=1`.
 */
function isPlain([name, value]: Parameter): boolean {
  return NAME.test(name) && !/[&\p{Cc}]/u.test(value);
}

/**
 * Whether a path contains an expiry and a parameter's name. `/a9999999999x=1` until 1598024587 is signed like `/a` until
 * 9999999999 with `x=11598024587`, so an uploader who chooses a file's name could open another file.
 */
function hidesExpiry(path: string): boolean {
  // Not one pattern for digits, name and `=`: it would backtrack at each digit of a path.
  const names = path.split("=").map((text) => text.split(/[^A-Za-z0-9._~-]/).at(-1) as string);
  return names.slice(0, -1).some((name) => /[1-9][0-9]{9}./.test(name));
}
