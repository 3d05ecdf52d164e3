import { constantTimeEqual } from "#crypto";
import type { Mac } from "#crypto/digests";
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
import { CLOUD_CDN, type CloudCdnKey, cloudCdnMac, cloudCdnSignature } from "./canonical.ts";

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
  const product = { ...CLOUD_CDN, allowUnsigned: options.allowUnsigned };
  const format: EdgeFormat<GoogleToken, Mac, never, Pick<CloudCdnGrant, "prefix">> = {
    id: "cloud-cdn",
    weak: [],
    detect: (request) => detectGoogle(request, product),
    parse: (received) => parseGoogle(received, product),
    check: (_received, { signed, signature }, mac) => ({
      matches: constantTimeEqual(cloudCdnSignature(mac, signed), signature),
      stringToSign: signed,
    }),
    dummyKey: cloudCdnMac({ keyName: "dummy", key: "AAAAAAAAAAAAAAAAAAAAAA" }),
    facts: (_received, { prefix }) => ({ prefix }),
  };
  const keys = keyResolver(options.keys, ({ keyName }) => keyName, cloudCdnMac);
  return edgeVerifier(format, keys, options);
}
