import { pemPrivateKey } from "#crypto/pem";
import type { AsyncSigner, Clock } from "../../core/contracts.ts";
import { grantId } from "../../core/grant.ts";
import { requireOptions } from "../../core/require-options.ts";
import { asyncSigner, SignedResult } from "../../core/signed-request.ts";
import { systemClock } from "../../core/time.ts";
import { unsupportedConstraint } from "../../core/validate-options.ts";
import { utf8 } from "../../wire/encoding.ts";
import { type CloudfrontHash, checkHash, checkKeyPairId } from "./key.ts";
import { PARAMETERS, type ParameterName, toUrlText } from "./policy.ts";
import {
  type CloudfrontCookieRequest,
  type CloudfrontSignRequest,
  checkUrl,
  type PreparedPolicy,
  preparePolicy,
} from "./request.ts";

/** Options of {@link cloudfrontSigner}. */
export interface CloudfrontSignerOptions {
  /** The id of the public key in CloudFront. */
  readonly keyPairId: string;
  /** PEM of an RSA or P-256 key: PKCS #8, PKCS #1 or SEC 1, without a passphrase. */
  readonly privateKey: string;
  /** `sha1` by default, as on CloudFront; `sha256` adds `Hash-Algorithm=SHA256`. */
  readonly hash?: CloudfrontHash | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs CloudFront URLs: with a canned policy for a URL and an expiry only, otherwise with a custom policy for a start, a
 * network, and a `resource` with wildcards or a `prefix` instead of a single URL. You can also pass your own `policy`.
 *
 * No policy binds the method, headers or body: the distribution decides which methods it allows. URLs are never
 * respelt: a URL that a parser would change is refused.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `INVALID_KEY`
 * @example
 * ```ts
 * import { cloudfrontSigner } from "daypass/cloudfront";
 *
 * export const linkFor = async (privateKey: string, file: string) => {
 *   const cloudfront = cloudfrontSigner({ keyPairId: "K2JCJMDEHXQW5F", privateKey, hash: "sha256" });
 *   return (await cloudfront.sign({ url: `https://d111111abcdef8.cloudfront.net/${file}`, expiresIn: 900 })).url;
 * };
 * ```
 */
export function cloudfrontSigner(options: CloudfrontSignerOptions): AsyncSigner<CloudfrontSignRequest> {
  requireOptions(options);
  const attributesOf = attributeSigner(options);
  const { hash, clock = systemClock } = options;
  return asyncSigner(async (request) => {
    const { url } = request;
    checkUrl(url);
    const prepared = preparePolicy(request, clock());
    const attributes = await attributesOf(prepared, request.stableWindow);
    const query = PARAMETERS.flatMap((name) => (attributes[name] === undefined ? [] : [`${name}=${attributes[name]}`]));
    const { text, expiresAt, bound, unbound, warnings } = prepared;
    return new SignedResult(
      {
        url: `${url}${url.includes("?") ? "&" : "?"}${query.join("&")}`,
        method: "GET",
        headers: {},
        expiresAt,
        bound,
        unbound,
        warnings: hash === "sha256" ? warnings : [...warnings, SHA1],
      },
      text,
    );
  });
}

export const SHA1 = 'it rests on SHA-1: set hash: "sha256"';

type Attributes = Readonly<Partial<Record<ParameterName, string>>>;

/** The signing parameters of a policy by name, for URLs and cookies alike. */
export function attributeSigner(
  options: CloudfrontSignerOptions,
): (policy: PreparedPolicy, stableWindow: number | undefined) => Promise<Attributes> {
  const { keyPairId, privateKey, hash = "sha1" } = requireOptions(options);
  checkKeyPairId(keyPairId);
  checkHash(hash);
  const key = pemPrivateKey(privateKey);
  return async ({ text, isCanned, expiresAt }, stableWindow) => {
    if (key.isEc && stableWindow !== undefined) {
      throw unsupportedConstraint("ECDSA", "stableWindow", "use RSA");
    }
    return {
      ...(isCanned ? { Expires: String(expiresAt.getTime() / 1000) } : { Policy: toUrlText(utf8(text)) }),
      "Key-Pair-Id": keyPairId,
      Signature: toUrlText(await key.sign(hash, text)),
      ...(hash === "sha256" ? { "Hash-Algorithm": "SHA256" } : {}),
    };
  };
}

/** Cookies that grant what one policy says. */
export interface CloudfrontCookies {
  /** Values by name. You choose the domain and path when you set them. */
  readonly cookies: Readonly<Record<string, string>>;
  /** The URL or pattern that was signed. */
  readonly resource: string;
  /** First instant at which they are no longer valid. */
  readonly expiresAt: Date;
  /** The same identifier that the verifier's grant has. */
  readonly id: string;
  /** What the signature covers. */
  readonly bound: readonly string[];
  /** What a holder can change without breaking the signature. */
  readonly unbound: readonly string[];
  /** Things that are allowed and probably not wanted, one sentence each. */
  readonly warnings: readonly string[];
}

/** Signs cookies. */
export interface CloudfrontCookieSigner {
  /** The cookies of one policy. Setting them, `Secure` and `HttpOnly`, is left to the caller. */
  sign(request: CloudfrontCookieRequest): Promise<CloudfrontCookies>;
}

/**
 * Signs cookies for CloudFront: `CloudFront-Key-Pair-Id`, `-Signature`, `-Policy` or, for one URL until a time,
 * `-Expires`, and `-Hash-Algorithm` with SHA-256. Set them with `Secure` and `HttpOnly`, and without an expiry.
 *
 * Signing parameters in a URL take precedence over cookies. No policy binds the method, headers or body.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-cookies.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `UNSUPPORTED_CONSTRAINT`, `INVALID_KEY`
 * @example
 * ```ts
 * import { cloudfrontCookieSigner } from "daypass/cloudfront";
 *
 * export const cookiesFor = async (privateKey: string) => {
 *   const signer = cloudfrontCookieSigner({ keyPairId: "K2JCJMDEHXQW5F", privateKey, hash: "sha256" });
 *   const { cookies } = await signer.sign({ resource: "https://d111111abcdef8.cloudfront.net/hls/*", expiresIn: 3600 });
 *   return Object.entries(cookies).map(([name, value]) => `${name}=${value}; Path=/hls; Secure; HttpOnly`);
 * };
 * ```
 */
export function cloudfrontCookieSigner(options: CloudfrontSignerOptions): CloudfrontCookieSigner {
  requireOptions(options);
  const attributesOf = attributeSigner(options);
  const { hash, clock = systemClock } = options;
  return {
    async sign(given) {
      const request = given ?? {};
      if (request.url !== undefined) checkUrl(request.url);
      const prepared = preparePolicy(request, clock());
      const attributes = Object.entries(await attributesOf(prepared, request.stableWindow));
      const { text, resource, expiresAt, bound, unbound, warnings } = prepared;
      return {
        cookies: Object.fromEntries(attributes.map(([name, value]) => [`CloudFront-${name}`, value])),
        resource,
        expiresAt,
        id: grantId(text),
        bound,
        unbound,
        warnings: hash === "sha256" ? warnings : [...warnings, SHA1],
      };
    },
  };
}
