import { constantTimeEqual, hmacSha256, type PreparedHmac } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
} from "../../edge/verify.ts";
import { LARAVEL_WEAK, type LaravelWeakness } from "./canonical.ts";
import { type LaravelToken, parseLaravel } from "./parse.ts";

/** What a verified signed route allows. */
export interface LaravelGrant extends EdgeGrant<LaravelWeakness> {}

/** Options of {@link laravelVerifier}. */
export interface LaravelVerifierOptions extends EdgeVerifierOptions, ExpiryOptions {
  /**
   * `APP_KEY` exactly as in `.env`, including `base64:`, because Laravel signs with the text. Several for
   * `APP_PREVIOUS_KEYS`, or a function that fetches them.
   */
  readonly secrets: Secrets;
  /** `true` for relative signatures (`absolute: false`), which do not bind scheme and host; `false` by default. */
  readonly relative?: boolean | undefined;
  /** Names of query parameters that are not signed, as in the middleware `signed:utm_source`. */
  readonly ignoreQuery?: readonly string[] | undefined;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"laravel"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies signed routes of Laravel (`URL::signedRoute`, `URL::temporarySignedRoute`): an HMAC-SHA256 over the whole URL,
 * with its query as on the wire.
 *
 * A signed route without `expires` never expires and is refused unless `withoutExpiry` accepts it. The method is not signed:
 * `methods` says what a URL grants. Laravel still accepts a URL in the second that `expires` names; this verifier does not.
 *
 * Source: https://github.com/laravel/framework, src/Illuminate/Routing/UrlGenerator.php (10.x to 12.x)
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { laravelVerifier } from "daypass/laravel";
 *
 * export const verifier = laravelVerifier({
 *   secrets: "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
 *   origins: ["https://app.example.com"],
 *   ignoreQuery: ["utm_source"],
 * });
 * ```
 */
export function laravelVerifier(options: LaravelVerifierOptions): Verifier<LaravelGrant> {
  const { secrets, relative = false, ignoreQuery = [] } = options;
  if (ignoreQuery.some((name) => !/^(?!(?:expires|signature)$)[A-Za-z0-9_.~-]+$/.test(name))) {
    throw refusal("INVALID_INPUT", "ignoreQuery as plain names other than expires and signature");
  }
  const format: EdgeFormat<LaravelToken, PreparedHmac, LaravelWeakness, object> = {
    id: "laravel",
    weak: LARAVEL_WEAK,
    detect: ({ target }) => hasToken(target, ["signature"]),
    parse: (received) => parseLaravel(received, { relative, ignoreQuery }),
    check: (_received, { stringToSign, signature }, key) => ({
      matches: constantTimeEqual(key.hex(stringToSign), signature),
      stringToSign,
    }),
    dummyKey: hmacSha256("dummy"),
    facts: () => ({}),
  };
  return edgeVerifier(format, secretResolver(secrets, hmacSha256), options);
}
