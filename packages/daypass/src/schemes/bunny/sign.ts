import { sha256Hmac } from "#crypto/digests";
import type { Clock } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkSecret } from "../../core/secrets.ts";
import { checkOneOf, checkTexts } from "../../core/validate-options.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  checkFree,
  checkPlainPath,
  type EdgeSigner,
  type EdgeSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  readTokens,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { uriEncode } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import {
  BUNNY_WEAK,
  type BunnyWeakness,
  bunnyBytes,
  bunnyStringToSign,
  bunnyToken,
  hidesEnd,
  isBelow,
  isPlain,
  lockedAddress,
} from "./canonical.ts";

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
export function bunnySigner({ secret, clock }: BunnySignerOptions): EdgeSigner<BunnySignRequest, BunnyWeakness> {
  const mac = sha256Hmac(checkSecret(secret));
  return edgeSigner(BUNNY_WEAK, (request) => {
    checkEdgeRequest("Bunny's token", request, "prefix bind.ip bind.query place countries countriesBlocked speedLimit");
    const { prefix, bind, place = "query" } = request;
    checkOneOf("place", place, "query", "path");
    const url = readEdgeUrl(request);
    checkFree(url, [
      "token",
      "expires",
      "token_path",
      "token_countries",
      "token_countries_blocked",
      "token_ignore_params",
      "limit",
    ]);
    const window = edgeWindow(request, clock);
    checkPlainPath(url);
    const path = percentDecode(url.path);
    if (prefix !== undefined && !(/^\/(?:.*\/)?$/.test(prefix) && isBelow(path, prefix))) {
      throw invalidInput("prefix", "a beginning of the url's path that ends in /", prefix);
    }
    if (hidesEnd(prefix ?? path)) throw invalidInput("url", "a path without ten digits in front of a name and =", path);
    const address = bind?.ip === undefined ? undefined : lockedAddress(String(bind.ip));
    if (bind?.ip !== undefined && address === undefined) throw invalidInput("bind.ip", "one address", bind.ip);
    const parameters = readParameters(request, url.query);
    const parts = { path: prefix ?? path, expires: window.expires as string, address, parameters };
    const token = bunnyToken(mac(bunnyBytes(parts)), parts);
    const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1));
    const rest = [...sorted.map(([name, value]) => `${name}=${uriEncode(value)}`), `expires=${parts.expires}`];
    return edgeResult(
      {
        url:
          place === "path"
            ? `${url.origin}/bcdn_token=${[token, ...rest].join("&")}${url.path}`
            : joinEdgeUrl({ ...url, query: "" }, `token=${token}`, ...rest),
        request,
        window,
        bound: [
          prefix === undefined ? "path" : `path below ${prefix}`,
          "query",
          ...(address ? ["ip"] : []),
          ...rules(request),
        ],
        unbound: [
          ...(prefix === undefined ? [] : ["path below the prefix"]),
          "method",
          "scheme",
          "host",
          // A token in the path has its parameters with it. Others stand in no signature.
          ...(place === "path" ? ["further query parameters"] : []),
          "headers",
          "body",
        ],
        warnings: weaknessWarnings(BUNNY_WEAK, window.expires),
      },
      bunnyStringToSign(parts),
    );
  });
}

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

function rules(request: BunnySignRequest): readonly string[] {
  return (["countries", "countriesBlocked", "speedLimit"] as const).filter((name) => request[name] !== undefined);
}
