import { unsupportedConstraint } from "../../core/constraints.ts";
import type { Clock, Lifetime } from "../../core/contracts.ts";
import { checkPrefix, GOOGLE_NAMES, prefixParameter } from "../../edge/google-cdn.ts";
import {
  checkEdgeRequest,
  checkFree,
  type EdgeSigner,
  type EdgeSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { type SignedCookies, signedCookies } from "../../wire/cookie.ts";
import { CLOUD_CDN, type CloudCdnKey, cloudCdnMac, cloudCdnSignature } from "./canonical.ts";

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
  const { keyName, clock } = options;
  const mac = cloudCdnMac(options);
  return edgeSigner([], (request) => {
    checkEdgeRequest("Cloud CDN", request, request.prefix === undefined ? "prefix bind.query" : "prefix");
    const url = readEdgeUrl(request);
    checkFree(url, GOOGLE_NAMES);
    const window = edgeWindow(request, clock);
    const prefix = checkPrefix(url, request.prefix);
    const tail = `Expires=${window.expires}&KeyName=${keyName}`;
    const own = prefix === undefined ? tail : `${prefixParameter(prefix, { padded: true })}&${tail}`;
    const signed = prefix === undefined ? joinEdgeUrl(url, own) : own;
    return edgeResult(
      {
        url: joinEdgeUrl(url, own, `Signature=${cloudCdnSignature(mac, signed)}`),
        request,
        window,
        bound: prefix === undefined ? ["scheme", "host", "path", "query"] : [`URLs below ${prefix}`],
        unbound: ["method", ...(prefix === undefined ? [] : ["path below the prefix", "query"]), "headers", "body"],
        warnings: prefix === undefined ? [] : uncovered(url),
      },
      signed,
    );
  });
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
  const { keyName, clock } = options;
  const mac = cloudCdnMac(options);
  return {
    sign(request) {
      checkEdgeRequest("Cloud CDN's cookie", request, "prefix");
      const url = readEdgeUrl(request);
      if (url.query !== "") throw unsupportedConstraint("Cloud CDN's cookie", "a query", "sign a URL");
      const prefix = checkPrefix(url, request.prefix ?? url.path) as string;
      const { expires, expiresAt } = edgeWindow(request, clock);
      const signed = `${prefixParameter(prefix, { padded: true })}:Expires=${expires}:KeyName=${keyName}`;
      return signedCookies(
        {
          cookies: { [CLOUD_CDN.cookie]: `${signed}:Signature=${cloudCdnSignature(mac, signed)}` },
          expiresAt,
          bound: [`URLs below ${prefix}`, "end"],
          unbound: ["method", "path below the prefix", "query", "headers", "body"],
          warnings: [],
        },
        signed,
      );
    },
  };
}
