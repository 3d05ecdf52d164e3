import { constantTimeEqual } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { FASTLY_WEAK, type FastlyHash, type FastlyWeakness, fastlyMac, fastlyStringToSign } from "./canonical.ts";
import { type FastlyToken, parseFastly } from "./parse.ts";

/** What a verified token allows. */
export interface FastlyGrant extends EdgeGrant<FastlyWeakness> {}

/** Options that signer and verifier must share with the VCL. */
export interface FastlyOptions {
  /** `"sha1"` by default, as in Fastly's examples. */
  readonly hash?: FastlyHash | undefined;
  /** Name of the query parameter, `"token"` by default. */
  readonly parameter?: string | undefined;
}

/** Options of {@link fastlyVerifier}. */
export interface FastlyVerifierOptions extends FastlyOptions, EdgeVerifierOptions, UnsignedOptions {
  /** The secret in base64, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: tokens do not contain it. `"fastly"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies the tokens of Fastly's VCL examples: an HMAC over path and expiry.
 *
 * Weak by construction: path and expiry are signed without a separator. Here, the expiry must have exactly ten digits, so that no
 * digit can be moved to it from the path; a VCL that accepts eleven digits, as Fastly's own does, can be deceived this way. Host,
 * query and method are not signed: other parameters are refused unless `allowUnsigned` lists them.
 *
 * Source: https://github.com/fastly/token-functions
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `KEY_SCOPE`
 * @example
 * ```ts
 * import { fastlyVerifier } from "daypass/fastly";
 *
 * const verifier = fastlyVerifier({
 *   secrets: "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=",
 *   origins: ["https://www.example.com"],
 *   clock: () => new Date("2015-09-01T00:00:00Z"),
 * });
 * const target = "/foo/bar.html?token=1441307151_2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7";
 * const grant = await verifier.verify({ method: "GET", target, authority: "www.example.com", headers: [] });
 * console.log(grant.target); // "/foo/bar.html"
 * ```
 */
export function fastlyVerifier(options: FastlyVerifierOptions): Verifier<FastlyGrant> {
  const { hash = "sha1", parameter = "token", secrets, allowUnsigned } = options;
  const format: EdgeFormat<FastlyToken, (text: string) => string, FastlyWeakness, object> = {
    id: "fastly",
    weak: FASTLY_WEAK,
    detect: ({ target }) => hasToken(target, [parameter]),
    parse: (received) => parseFastly(received, parameter, hash, allowUnsigned),
    check(_received, { path, expires, signature }, mac) {
      const stringToSign = fastlyStringToSign(path, expires);
      return { matches: constantTimeEqual(mac(stringToSign), signature), stringToSign };
    },
    dummyKey: fastlyMac("AAAA", hash),
    facts: () => ({}),
  };
  return edgeVerifier(
    format,
    secretResolver(secrets, (secret) => fastlyMac(secret, hash)),
    options,
  );
}
