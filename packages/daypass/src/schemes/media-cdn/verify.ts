import type { Ed25519PublicKey } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { detectGoogle, type GoogleToken, parseGoogle } from "../../edge/google-cdn.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { type MediaCdnKey, mediaCdn, mediaCdnPublicKey } from "./canonical.ts";

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
  const product = { ...mediaCdn(options.padded ?? false), allowUnsigned: options.allowUnsigned };
  const format: EdgeFormat<GoogleToken, Ed25519PublicKey, never, Pick<MediaCdnGrant, "prefix">> = {
    id: "media-cdn",
    weak: [],
    detect: (request) => detectGoogle(request, product),
    parse: (received) => parseGoogle(received, product),
    async check(_received, { signed, signature }, publicKey) {
      const bytes = fromBase64url(signature.replaceAll("=", "")) as Uint8Array;
      return { matches: await publicKey.verify(signed, bytes), stringToSign: signed };
    },
    // The base point of RFC 8032: a real key, so that an unknown one costs the same.
    dummyKey: mediaCdnPublicKey({ keyName: "dummy", publicKey: "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY" }),
    facts: (_received, { prefix }) => ({ prefix }),
  };
  const keys = keyResolver(options.keys, ({ keyName }) => keyName, mediaCdnPublicKey);
  return edgeVerifier(format, keys, options);
}
