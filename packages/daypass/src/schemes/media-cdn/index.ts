/**
 * Signed URLs, prefixes and cookies of Google's Media CDN: {@link mediaCdnSigner}, {@link mediaCdnCookieSigner} and
 * {@link mediaCdnVerifier}. Its tokens are in `daypass/media-cdn/token`.
 *
 * @module
 */

import { ed25519PrivateKey } from "#crypto";
import type { AsyncSigner, Clock, Lifetime, Verifier } from "../../core/contracts.ts";
import { strictPublicKey } from "../../core/ed25519.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import {
  detectGoogle,
  ed25519Bytes,
  type GoogleToken,
  googleBase64url,
  googleCookies,
  googleSignFormat,
  invalidEd25519,
  KEY_NAME,
  mediaCdn,
  parseGoogle,
} from "../../edge/google-cdn.ts";
import { asyncEdgeSigner, type EdgeSignRequest } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeKey,
  type EdgeVerifierOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import type { SignedCookies } from "../../wire/cookie.ts";
import { fromBase64url } from "../../wire/encoding.ts";

export type { SignedCookies } from "../../wire/cookie.ts";

/** The public half of a key of a keyset. */
export interface MediaCdnKey {
  /** As `KeyName` names it. */
  readonly keyName: string;
  /** The 32 bytes of an Ed25519 public key in base64url. */
  readonly publicKey: string;
}

/** One URL to sign. */
export interface MediaCdnSignRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`. */
  readonly prefix?: string | undefined;
  /**
   * `"query"` by default. `"path"` needs a `prefix` and puts the signature into the path, so that relative links of a
   * manifest inherit it.
   */
  readonly place?: "query" | "path" | undefined;
}

/** Options of {@link mediaCdnSigner} and {@link mediaCdnCookieSigner}. */
export interface MediaCdnSignerOptions {
  /** The name of the keyset. */
  readonly keyName: string;
  /** The 32 bytes of an Ed25519 private key in base64url. */
  readonly privateKey: string;
  /** `true` pads base64url with `=`, `false` by default. */
  readonly padded?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for Google's Media CDN with Ed25519: one exact URL, or with `prefix` everything below a path. Binds scheme, host,
 * path, query and expiry; with a prefix, the rest of the path and the query are not bound.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-signatures
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { mediaCdnSigner } from "daypass/media-cdn";
 *
 * const signer = mediaCdnSigner({ keyName: "my-key", privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
 * export const { url } = await signer.sign({ url: "https://media.example.com/hls/a.m3u8", prefix: "/hls/", expiresIn: 900 });
 * ```
 */
export function mediaCdnSigner(options: MediaCdnSignerOptions): AsyncSigner<MediaCdnSignRequest> {
  const sign = signature(requireOptions(options));
  return asyncEdgeSigner(googleSignFormat<MediaCdnSignRequest>(mediaCdn(options.padded ?? false), options), sign);
}

/** What the cookies grant, and for how long: exactly one of `expiresIn` and `expiresAt`. */
export interface MediaCdnCookieRequest extends Lifetime {
  /** `https://host/path/`: everything below it; with `prefix` any URL below that. */
  readonly url: string;
  /** A beginning of the URL's path that ends in `/`, instead of the whole path. */
  readonly prefix?: string | undefined;
}

/** Creates signed cookies. */
export interface MediaCdnCookieSigner {
  /** The cookie of one prefix. Setting it, `Secure` and `HttpOnly`, is left to the caller. */
  sign(request: MediaCdnCookieRequest): Promise<SignedCookies>;
}

/**
 * Signs cookies for Google's Media CDN, which grant every URL below a prefix.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-signatures
 *
 * @throws {DaypassError} as {@link mediaCdnSigner}
 * @example
 * ```ts
 * import { mediaCdnCookieSigner } from "daypass/media-cdn";
 *
 * const signer = mediaCdnCookieSigner({ keyName: "my-key", privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
 * export const { cookies } = await signer.sign({ url: "https://media.example.com/hls/", expiresIn: 900 });
 * ```
 */
export function mediaCdnCookieSigner(options: MediaCdnSignerOptions): MediaCdnCookieSigner {
  const sign = signature(requireOptions(options));
  const prepare = googleCookies(mediaCdn(options.padded ?? false), options);
  return {
    async sign(request) {
      const cookie = prepare(request);
      return cookie.finish(await sign(cookie));
    },
  };
}

function signature({
  keyName,
  privateKey,
  padded = false,
}: MediaCdnSignerOptions): (draft: { readonly stringToSign: string }) => Promise<string> {
  checkKeyName(keyName);
  const key = ed25519PrivateKey(ed25519Bytes(privateKey));
  return async ({ stringToSign }) => googleBase64url(await key.sign(stringToSign), { padded });
}

function checkKeyName(keyName: string): void {
  if (!KEY_NAME.test(keyName ?? "")) throw invalidEd25519("keyName as 1 to 63 of A-Z a-z 0-9 _ -");
}

/** What a verified signature allows. */
export interface MediaCdnGrant extends EdgeGrant {
  /** The URL below which everything is granted; `undefined` for one exact URL. */
  readonly prefix: string | undefined;
}

/** Options of {@link mediaCdnVerifier}. */
export interface MediaCdnVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /** One public key, several, or a function that looks them up by key name. */
  readonly keys: Keys<MediaCdnKey>;
  /** `true` for signers that pad base64url with `=`, `false` by default: a signature has one spelling. */
  readonly padded?: boolean | undefined;
}

/**
 * Verifies signed requests of Google's Media CDN: Ed25519 over the whole URL, or over a prefix of it in the query, in the
 * path (`edge-cache-token=`) or in the cookie `Edge-Cache-Cookie`.
 *
 * Does not bind the method: `methods` says what a URL grants. With a prefix, the query is not signed either: parameters
 * are refused unless `allowUnsigned` lists them. A prefix ends at a segment boundary. `IPRanges`, `HeaderName`,
 * `HeaderValue` and `Starts` are not supported and are refused; the tokens of `daypass/media-cdn/token` have them.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-signatures
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNKNOWN_KEY`, `UNSIGNED_PARAMETER`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { mediaCdnVerifier } from "daypass/media-cdn";
 *
 * export const verifier = mediaCdnVerifier({
 *   keys: { keyName: "my-key", publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
 *   origins: ["https://media.example.com"],
 * });
 * ```
 */
export function mediaCdnVerifier(options: MediaCdnVerifierOptions): Verifier<MediaCdnGrant> {
  requireOptions(options);
  const product = mediaCdn(options.padded ?? false);
  return edgeVerifier(
    {
      id: "media-cdn",
      weak: [],
      detect: (request) => detectGoogle(request, product),
      parse: (received): GoogleToken => parseGoogle(received, product, options.allowUnsigned),
      // The base point of RFC 8032: a real key, so that an unknown key takes the same time.
      dummyKey: prepare({ keyName: "dummy", publicKey: "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY" }),
      facts: (_received, { prefix }) => ({ prefix }),
    },
    keyResolver(options.keys, ({ keyName }) => keyName, prepare),
    options,
  );
}

function prepare({ keyName, publicKey }: MediaCdnKey): EdgeKey<GoogleToken> {
  checkKeyName(keyName);
  const key = strictPublicKey(ed25519Bytes(publicKey), invalidEd25519);
  return async ({ stringToSign, signature: text }) => {
    const bytes = fromBase64url(text.replaceAll("=", ""));
    return bytes !== undefined && key.verify(stringToSign, bytes);
  };
}
