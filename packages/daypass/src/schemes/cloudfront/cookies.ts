import { grantId } from "../../core/grant.ts";
import { systemClock } from "../../core/time.ts";
import { type CloudfrontCookieRequest, checkUrl, preparePolicy } from "./request.ts";
import { attributeSigner, type CloudfrontSignerOptions, SHA1 } from "./sign.ts";

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
  const attributesOf = attributeSigner(options);
  const { hash, clock = systemClock } = options;
  return {
    async sign(request) {
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
