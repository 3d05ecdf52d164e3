import { constantTimeEqual, hmacSha256, type PreparedHmac } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import { type EdgeFormat, type EdgeGrant, type EdgeVerifierOptions, edgeVerifier } from "../../edge/verify.ts";
import { type CloudflareOptions, checkTtl, cloudflareMac, cloudflareStringToSign } from "./canonical.ts";
import { type CloudflareToken, parseCloudflare } from "./parse.ts";

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
  const { ttl, secrets, parameter = "verify", urlSafe = false, maxSkew = 60 } = options;
  checkTtl(ttl);
  if (!(maxSkew >= 0 && maxSkew <= 900)) throw invalidInput("maxSkew", "0 to 900 seconds", maxSkew);
  const format: EdgeFormat<CloudflareToken, PreparedHmac, never, object> = {
    id: "cloudflare",
    weak: [],
    detect: ({ target }) => hasToken(target, [parameter]),
    parse: (received) => parseCloudflare(received, parameter, { ttl, skew: maxSkew }),
    check(_received, { message, timestamp, signature }, key) {
      const stringToSign = cloudflareStringToSign(message, timestamp);
      const expected = cloudflareMac(key.base64url(stringToSign), urlSafe);
      return { matches: constantTimeEqual(expected, signature), stringToSign };
    },
    dummyKey: hmacSha256("dummy"),
    facts: () => ({}),
  };
  return edgeVerifier(format, secretResolver(secrets, hmacSha256), options);
}
