/**
 * Signed URLs, prefixes and cookies of Google's Cloud CDN: {@link cloudCdnSigner}, {@link cloudCdnCookieSigner} and
 * {@link cloudCdnVerifier}.
 *
 * @module
 */

import { sha1Hmac } from "#crypto/digests";
import type { Clock, Lifetime, Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import {
  anyBase64,
  CLOUD_CDN,
  detectGoogle,
  type GoogleToken,
  googleBase64url,
  googleCookies,
  googleSignFormat,
  KEY_NAME,
  parseGoogle,
} from "../../edge/google-cdn.ts";
import { type EdgeSigner, type EdgeSignRequest, edgeSigner } from "../../edge/sign.ts";
import { type EdgeGrant, type EdgeVerifierOptions, edgeVerifier, type UnsignedOptions } from "../../edge/verify.ts";
import type { SignedCookies } from "../../wire/cookie.ts";

export type { EdgeSigner } from "../../edge/sign.ts";
export type { SignedCookies } from "../../wire/cookie.ts";

/** A signed request key of a backend. */
export interface CloudCdnKey {
  /** As `KeyName` names it. */
  readonly keyName: string;
  /** The 16 bytes in base64url, as `gcloud` accepts them. */
  readonly key: string;
}

/** One URL to sign. */
export interface CloudCdnSignRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`: the signature can then be appended to every URL below it. */
  readonly prefix?: string | undefined;
}

/** Options of {@link cloudCdnSigner} and {@link cloudCdnCookieSigner}. */
export interface CloudCdnSignerOptions extends CloudCdnKey {
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for Google's Cloud CDN: one exact URL, or with `prefix` everything below a path. Binds scheme, host, path, query
 * and expiry; with a prefix, the rest of the path and the query are not bound.
 *
 * Source: https://cloud.google.com/cdn/docs/using-signed-urls
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { cloudCdnSigner } from "daypass/cloud-cdn";
 *
 * const signer = cloudCdnSigner({ keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" });
 * export const { url } = signer.sign({ url: "https://media.example.com/a.png?w=1", expiresIn: 900 });
 * ```
 */
export function cloudCdnSigner(options: CloudCdnSignerOptions): EdgeSigner<CloudCdnSignRequest> {
  const mac = cloudCdnMac(requireOptions(options));
  return edgeSigner(googleSignFormat<CloudCdnSignRequest>(CLOUD_CDN, options), mac);
}

/** What the cookies grant, and for how long: exactly one of `expiresIn` and `expiresAt`. */
export interface CloudCdnCookieRequest extends Lifetime {
  /** `https://host/path/`: everything below it; with `prefix` any URL below that. */
  readonly url: string;
  /** A beginning of the URL's path that ends in `/`, instead of the whole path. */
  readonly prefix?: string | undefined;
}

/** Creates signed cookies. */
export interface CloudCdnCookieSigner {
  /** The cookie of one prefix. Setting it, `Secure` and `HttpOnly`, is left to the caller. */
  sign(request: CloudCdnCookieRequest): SignedCookies;
}

/**
 * Signs cookies for Google's Cloud CDN, which grant every URL below a prefix.
 *
 * Source: https://cloud.google.com/cdn/docs/using-signed-cookies
 *
 * @throws {DaypassError} as {@link cloudCdnSigner}
 * @example
 * ```ts
 * import { cloudCdnCookieSigner } from "daypass/cloud-cdn";
 *
 * const signer = cloudCdnCookieSigner({ keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" });
 * export const { cookies } = signer.sign({ url: "https://media.example.com/hls/", expiresIn: 900 });
 * ```
 */
export function cloudCdnCookieSigner(options: CloudCdnSignerOptions): CloudCdnCookieSigner {
  const mac = cloudCdnMac(requireOptions(options));
  const prepare = googleCookies(CLOUD_CDN, options);
  return {
    sign(request) {
      const cookie = prepare(request);
      return cookie.finish(mac(cookie));
    },
  };
}

/** What a verified signature allows. */
export interface CloudCdnGrant extends EdgeGrant {
  /** The URL below which everything is granted; `undefined` for one exact URL. */
  readonly prefix: string | undefined;
}

/** Options of {@link cloudCdnVerifier}. */
export interface CloudCdnVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /** One key, several, or a function that looks them up by key name. */
  readonly keys: Keys<CloudCdnKey>;
}

/**
 * Verifies signed URLs, signed URL prefixes and signed cookies of Google's Cloud CDN: HMAC-SHA1 over the whole URL, or over
 * a prefix of it.
 *
 * Does not bind the method: `methods` says what a URL grants. With a prefix, the query is not signed either: parameters
 * are refused unless `allowUnsigned` lists them. A prefix ends at a segment boundary, although Google compares texts.
 *
 * Source: https://cloud.google.com/cdn/docs/using-signed-urls
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNKNOWN_KEY`, `UNSIGNED_PARAMETER`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { cloudCdnVerifier } from "daypass/cloud-cdn";
 *
 * const verifier = cloudCdnVerifier({
 *   keys: { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" },
 *   origins: ["https://www.google.com"],
 *   clock: () => new Date("2019-02-09T00:00:00Z"),
 * });
 * const grant = await verifier.verify({
 *   method: "GET",
 *   target: "/?Expires=1549751401&KeyName=my-key&Signature=M_QO7BGHi2sGqrJO-MDr0uhDFuc=",
 *   authority: "www.google.com",
 *   headers: [],
 * });
 * console.log(grant.keyId); // "my-key"
 * ```
 */
export function cloudCdnVerifier(options: CloudCdnVerifierOptions): Verifier<CloudCdnGrant> {
  requireOptions(options);
  return edgeVerifier(
    {
      id: "cloud-cdn",
      weak: [],
      detect: (request) => detectGoogle(request, CLOUD_CDN),
      parse: (received): GoogleToken => parseGoogle(received, CLOUD_CDN, options.allowUnsigned),
      dummyKey: cloudCdnMac({ keyName: "dummy", key: "AAAAAAAAAAAAAAAAAAAAAA" }),
      facts: (_received, { prefix }) => ({ prefix }),
    },
    keyResolver(options.keys, ({ keyName }) => keyName, cloudCdnMac),
    options,
  );
}

/** HMAC-SHA1 in padded base64url. The key is "a 128-bit value". */
function cloudCdnMac({ keyName, key }: CloudCdnKey): (token: { readonly stringToSign: string }) => string {
  const bytes = anyBase64(key);
  if (bytes?.length !== 16 || !KEY_NAME.test(keyName ?? "")) {
    throw refusal(
      "INVALID_KEY",
      "the key cannot be used. Pass keyName as 1 to 63 of A-Z a-z 0-9 _ -, and key as 16 bytes in base64url",
    );
  }
  const mac = sha1Hmac(bytes);
  return ({ stringToSign }) => googleBase64url(mac(stringToSign), CLOUD_CDN);
}
