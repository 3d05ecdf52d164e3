/**
 * Tokens for Cloudflare's `is_timed_hmac_valid_v0`: {@link cloudflareSigner} and {@link cloudflareVerifier}.
 *
 * @module
 */

import { hmacSha256 } from "#crypto";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { checkSecret, type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkName } from "../../core/validate-options.ts";
import { joinTarget, takeTokens } from "../../edge/query.ts";
import { type EdgeSigner, type EdgeSignRequest, edgeSigner, joinUrl } from "../../edge/sign.ts";
import { type EdgeGrant, type EdgeVerifierOptions, edgeVerifier, hasParameter } from "../../edge/verify.ts";
import { macBase64 } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** Options that signer and verifier must share with the Cloudflare rule. */
export interface CloudflareOptions {
  /** The third argument of `is_timed_hmac_valid_v0`: seconds from the token's timestamp to its expiry. */
  readonly ttl: number;
  /** Name of the query parameter, `"verify"` by default. */
  readonly parameter?: string | undefined;
  /** `true` if the rule has the flag `'s'`: the MAC is then base64url. `false` by default: percent-encoded base64. */
  readonly urlSafe?: boolean | undefined;
}

/** One URL to sign. Its lifetime is at most the rule's `ttl`. */
export interface CloudflareSignRequest extends EdgeSignRequest {}

/** Options of {@link cloudflareSigner}. */
export interface CloudflareSignerOptions extends CloudflareOptions {
  /** The key as text, exactly as in the rule. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for rules with Cloudflare's `is_timed_hmac_valid_v0`. The expiry is the token's timestamp plus the rule's `ttl`,
 * so a URL that must expire earlier gets an earlier timestamp. Binds path, query and expiry.
 *
 * Source: https://developers.cloudflare.com/waf/custom-rules/use-cases/configure-token-authentication/
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { cloudflareSigner } from "daypass/cloudflare";
 *
 * // is_timed_hmac_valid_v0("mysecrettoken", http.request.uri, 10800, http.request.timestamp.sec, 8)
 * const signer = cloudflareSigner({ secret: "mysecrettoken", ttl: 10_800 });
 * export const { url } = signer.sign({ url: "https://downloads.example.com/images/cat.jpg", expiresIn: 10_800 });
 * ```
 */
export function cloudflareSigner(options: CloudflareSignerOptions): EdgeSigner<CloudflareSignRequest> {
  requireOptions(options);
  const { secret, clock } = options;
  const { ttl, parameter, urlSafe } = readOptions(options);
  checkName("parameter", parameter);
  return edgeSigner(
    {
      name: "Cloudflare's token",
      options: "bind.query",
      own: [parameter],
      weak: [],
      clock,
      maxLife: ttl,
      draft(_request: CloudflareSignRequest, url, { expiresAt }) {
        const timestamp = String(expiresAt.getTime() / 1000 - ttl);
        // The rule reads ten digits, so the earliest timestamp is in September 2001.
        if (!/^\d{10}$/.test(timestamp))
          throw refusal(
            "INVALID_EXPIRY",
            `the URL would expire too far from the ttl of ${ttl} s. Pass expiresIn: ${ttl}`,
          );
        return {
          // The rule matches "(.+)(.*)(\d{10})-(.{43,})": message and timestamp without the separator `?verify=`. The timestamp
          // has a fixed length, so one text belongs to one request.
          stringToSign: joinTarget(url.path, url.query) + timestamp,
          url: (signature) => joinUrl(url, `${parameter}=${timestamp}-${signature}`),
          bound: ["path", "query"],
        };
      },
    },
    cloudflareMac(checkSecret(secret), urlSafe),
  );
}

/** What a verified token allows. */
export interface CloudflareGrant extends EdgeGrant {}

/** Options of {@link cloudflareVerifier}. */
export interface CloudflareVerifierOptions extends CloudflareOptions, EdgeVerifierOptions {
  /** The secret of the rule, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: tokens do not contain it. `"cloudflare"` by default. */
  readonly keyId?: string | undefined;
  /** Seconds that a timestamp may lie in the future: 60 by default. */
  readonly maxSkew?: number | undefined;
}

/**
 * Verifies the tokens that Cloudflare's `is_timed_hmac_valid_v0` checks: an HMAC-SHA256 over path and query as on the
 * wire, and the timestamp from which the rule's `ttl` counts.
 *
 * Host and method are not signed: `origins` and `methods` say what a token grants. The token parameter must come last, as the
 * rule requires.
 *
 * Source: https://developers.cloudflare.com/ruleset-engine/rules-language/functions/#hmac-validation
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { cloudflareVerifier } from "daypass/cloudflare";
 *
 * export const verifier = cloudflareVerifier({
 *   secrets: "mysecrettoken",
 *   ttl: 10_800,
 *   origins: ["https://downloads.example.com"],
 * });
 * ```
 */
export function cloudflareVerifier(options: CloudflareVerifierOptions): Verifier<CloudflareGrant> {
  requireOptions(options);
  const { secrets, maxSkew: skew = 60 } = options;
  const { ttl, parameter, urlSafe } = readOptions(options);
  if (!(skew >= 0 && skew <= 900)) throw invalidInput("maxSkew", "0 to 900 seconds", skew);
  return edgeVerifier(
    {
      id: "cloudflare",
      weak: [],
      detect: (request) => hasParameter(request, parameter),
      parse({ request, wire: { path, tokens } }) {
        const { own } = takeTokens(tokens, [parameter]);
        // A MAC is 43 or 44 characters of base64, each of which may be percent-encoded.
        const [, timestamp, signature] = /^([1-9][0-9]{9})-(.{43,132})$/.exec(own[parameter] ?? "") ?? [];
        if (timestamp === undefined || signature === undefined) {
          throw malformed(parameter, "form", "a timestamp in ten digits, `-` and the MAC");
        }
        const separator = `${parameter}=${timestamp}-${signature}`;
        // The rule's pattern ends with the MAC.
        if (!request.target.endsWith(separator)) throw malformed(parameter, "order", "the last parameter");
        const target = request.target.slice(0, -separator.length - 1);
        const notBefore = Number(timestamp) * 1000;
        const expiresAt = notBefore + ttl * 1000;
        return { signature, stringToSign: target + timestamp, notBefore, skew, expiresAt, path, target };
      },
      dummyKey: cloudflareMac("dummy", urlSafe),
    },
    secretResolver(secrets, (secret) => cloudflareMac(secret, urlSafe)),
    options,
  );
}

function readOptions({ ttl, parameter = "verify", urlSafe = false }: CloudflareOptions): {
  readonly ttl: number;
  readonly parameter: string;
  readonly urlSafe: boolean;
} {
  // At most a century: an expiry after the last instant of a Date would never come.
  if (!(Number.isInteger(ttl) && ttl > 0 && ttl <= 3_153_600_000)) {
    throw invalidInput("ttl", "whole seconds, from 1 to a century", ttl);
  }
  return { ttl, parameter, urlSafe };
}

/** "When you do not set the value of flags to 's', you must URL encode the base64 value for mac". */
function cloudflareMac(secret: string, urlSafe: boolean): (token: { readonly stringToSign: string }) => string {
  const key = hmacSha256(secret);
  return ({ stringToSign }) => {
    const mac = key.base64url(stringToSign);
    return urlSafe ? mac : encodeURIComponent(macBase64(mac));
  };
}
