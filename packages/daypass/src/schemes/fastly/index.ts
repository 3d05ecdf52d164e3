/**
 * Tokens as Fastly's examples for VCL have them: {@link fastlySigner} and {@link fastlyVerifier}.
 *
 * @module
 */

import { sha1Hmac, sha256Hmac } from "#crypto/digests";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { parseEpoch } from "../../core/time.ts";
import { checkName, checkOneOf } from "../../core/validate-options.ts";
import { takeTokens, unsignedParameters } from "../../edge/query.ts";
import { type EdgeSigner, type EdgeSignRequest, edgeSigner, joinUrl } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  edgeVerifier,
  hasParameter,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { fromBase64, hex } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The hash of `digest.hmac_sha1` or `digest.hmac_sha256` in the service's VCL. */
export type FastlyHash = "sha1" | "sha256";

/** The weakness of the token in Fastly's examples. */
export type FastlyWeakness = "unseparated-fields";
const WEAK: readonly FastlyWeakness[] = ["unseparated-fields"];

/** Options that signer and verifier must share with the VCL. */
export interface FastlyOptions {
  /** `"sha1"` by default, as in Fastly's examples. */
  readonly hash?: FastlyHash | undefined;
  /** Name of the query parameter, `"token"` by default. */
  readonly parameter?: string | undefined;
}

/** One URL to sign. */
export interface FastlySignRequest extends EdgeSignRequest {}

/** Options of {@link fastlySigner}. */
export interface FastlySignerOptions extends FastlyOptions {
  /** In base64, as in the VCL. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs with the token of Fastly's VCL examples: `token=<end>_<HMAC of path and end>`.
 *
 * Binds only path and expiry. Weak by construction, see `weak` and the `warnings` of each result: let the VCL
 * accept `\d{10}` instead of the `\d{10,11}` of the example.
 *
 * Source: https://github.com/fastly/token-functions
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { fastlySigner } from "daypass/fastly";
 *
 * const signer = fastlySigner({ secret: "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=" });
 * const link = signer.sign({ url: "https://www.example.com/foo/bar.html", expiresAt: new Date("2033-05-18T03:33:20Z") });
 * console.log(link.url.slice(0, 54)); // "https://www.example.com/foo/bar.html?token=2000000000_"
 * ```
 */
export function fastlySigner(options: FastlySignerOptions): EdgeSigner<FastlySignRequest, FastlyWeakness> {
  requireOptions(options);
  const { secret, hash = "sha1", parameter = "token", clock } = options;
  checkName("parameter", parameter);
  return edgeSigner(
    {
      name: "Fastly's token",
      own: [parameter],
      weak: WEAK,
      clock,
      draft: (_request: FastlySignRequest, url, { expires }) => ({
        // "req.url.path var.token_exp": the raw path and the expiry, with no separator.
        stringToSign: `${url.path}${expires}`,
        url: (signature) => joinUrl(url, `${parameter}=${expires}_${signature}`),
        bound: ["path"],
      }),
    },
    fastlyMac(secret, hash),
  );
}

/** What a verified token allows. */
export interface FastlyGrant extends EdgeGrant<FastlyWeakness> {}

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
  requireOptions(options);
  const { hash = "sha1", parameter = "token", secrets, allowUnsigned } = options;
  return edgeVerifier(
    {
      id: "fastly",
      weak: WEAK,
      detect: (request) => hasParameter(request, parameter),
      parse({ wire: { path, tokens } }) {
        const { own, others } = takeTokens(tokens, [parameter]);
        // Exactly ten digits: with eleven, the first digit of the expiry could be the last character of a path.
        const [, expires, signature] = /^([1-9][0-9]{9})_([0-9a-f]+)$/.exec(own[parameter] ?? "") ?? [];
        if (expires === undefined || signature?.length !== DIGITS[hash]) {
          throw malformed(parameter, "form", `the end in ten digits, "_", and ${DIGITS[hash]} hexadecimal digits`);
        }
        const unsigned = unsignedParameters(others, allowUnsigned);
        const expiresAt = parseEpoch(expires);
        return { signature, stringToSign: path + expires, expiresAt, path, target: path, unsigned };
      },
      dummyKey: fastlyMac("AAAA", hash),
    },
    secretResolver(secrets, (secret) => fastlyMac(secret, hash)),
    options,
  );
}

/** Hexadecimal digits of a signature. */
const DIGITS: Readonly<Record<FastlyHash, number>> = { sha1: 40, sha256: 64 };

/** The MAC of a token in hexadecimal, with the secret as `digest.base64_decode` reads it. */
function fastlyMac(secret: string, hash: FastlyHash): (token: { readonly stringToSign: string }) => string {
  const key = fromBase64(secret);
  if (key === undefined || key.length === 0)
    throw refusal("INVALID_KEY", "secret is not base64. Copy the whole secret");
  checkOneOf("hash", hash, "sha1", "sha256");
  const mac = hash === "sha1" ? sha1Hmac(key) : sha256Hmac(key);
  return ({ stringToSign }) => hex(mac(stringToSign));
}
