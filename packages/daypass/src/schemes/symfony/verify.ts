import { constantTimeEqual, hmacSha256, type PreparedHmac } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
} from "../../edge/verify.ts";
import { phpEncode, SYMFONY_WEAK, type SymfonyOptions, type SymfonyWeakness, symfonyHash } from "./canonical.ts";
import { parseSymfony, SYMFONY_PARAMETERS, type SymfonyToken } from "./parse.ts";

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
  const { secrets, parameters, encoding = "base64url" } = options;
  const names = { ...SYMFONY_PARAMETERS, ...parameters };
  const format: EdgeFormat<SymfonyToken, PreparedHmac, SymfonyWeakness, object> = {
    id: "symfony",
    weak: SYMFONY_WEAK,
    detect: ({ target }) => hasToken(target, [names.hash]),
    parse: (received) => parseSymfony(received, names),
    check: (_received, { stringToSign, hash }, key) => ({
      matches: constantTimeEqual(phpEncode(symfonyHash(key.base64url(stringToSign), encoding)), hash),
      stringToSign,
    }),
    dummyKey: hmacSha256("dummy"),
    facts: () => ({}),
  };
  return edgeVerifier(format, secretResolver(secrets, hmacSha256), options);
}
