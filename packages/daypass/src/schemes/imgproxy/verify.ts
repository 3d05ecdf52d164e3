import { constantTimeEqual } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import {
  type ImgproxyKey,
  type ImgproxyOptions,
  type ImgproxyWeakness,
  imgproxyFormat,
  imgproxyMac,
} from "./canonical.ts";
import { detectImgproxy, type ImgproxyToken, parseImgproxy } from "./parse.ts";

/** What a verified imgproxy URL allows. Its `path` is what imgproxy acts on: options and source. */
export interface ImgproxyGrant extends EdgeGrant<ImgproxyWeakness> {}

/** Options of {@link imgproxyVerifier}. */
export interface ImgproxyVerifierOptions extends ImgproxyOptions, EdgeVerifierOptions, ExpiryOptions, UnsignedOptions {
  /** One pair of key and salt, several while one replaces another, or a function that fetches them. */
  readonly keys: Keys<ImgproxyKey>;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"imgproxy"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies imgproxy URLs: an HMAC-SHA256 over salt and path, and the option `expires` if the path has it.
 *
 * Weak with some settings: URLs without that option never expire, and are refused unless `withoutExpiry` accepts them; signatures
 * may be truncated. Host, method and query are not signed. The signature `insecure` is never accepted.
 *
 * Source: https://docs.imgproxy.net/usage/signing_url
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `KEY_SCOPE`
 * @example
 * ```ts
 * import { imgproxyVerifier } from "daypass/imgproxy";
 *
 * const verifier = imgproxyVerifier({
 *   keys: { key: "736563726574", salt: "68656c6c6f" },
 *   origins: ["https://img.example.com"],
 *   withoutExpiry: "accept",
 * });
 * const path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png";
 * const target = `/oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8${path}`;
 * const grant = await verifier.verify({ method: "GET", target, authority: "img.example.com", headers: [] });
 * console.log(grant.target === path); // true
 * ```
 */
export function imgproxyVerifier(options: ImgproxyVerifierOptions): Verifier<ImgproxyGrant> {
  const { size, prefix, weak } = imgproxyFormat(options);
  const format: EdgeFormat<ImgproxyToken, (path: string) => string, ImgproxyWeakness, object> = {
    id: "imgproxy",
    weak,
    detect: (request) => detectImgproxy(request, prefix, size),
    parse: (received) => parseImgproxy(received, { prefix, size }, options.allowUnsigned),
    check: (_received, { path, signature }, mac) => ({
      matches: constantTimeEqual(mac(path), signature),
      stringToSign: path,
    }),
    dummyKey: imgproxyMac({ key: "00", salt: "" }, size),
    facts: () => ({}),
  };
  const keys = keyResolver(
    options.keys,
    () => options.keyId ?? format.id,
    (key) => imgproxyMac(key, size),
  );
  return edgeVerifier(format, keys, options);
}
