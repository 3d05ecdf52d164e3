import { hmacSha256 } from "#crypto";
import type { Clock } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { checkSecret } from "../../core/secrets.ts";
import { checkName } from "../../core/validate-options.ts";
import { joinTarget } from "../../edge/query.ts";
import {
  checkEdgeRequest,
  checkFree,
  type EdgeSigner,
  type EdgeSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { type CloudflareOptions, checkTtl, cloudflareMac, cloudflareStringToSign } from "./canonical.ts";

/** One URL to sign. Its lifetime is at most the rule's `ttl`. */
export interface CloudflareSignRequest extends EdgeSignRequest {}

/** Options of {@link cloudflareSigner}. */
export interface CloudflareSignerOptions extends CloudflareOptions {
  /** The key as text, exactly as in the rule. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for rules with Cloudflare's `is_timed_hmac_valid_v0`. The expiry is the token's timestamp plus the rule's `ttl`,
 * so a URL that must expire earlier gets an earlier timestamp. Binds path, query and expiry.
 *
 * Source: https://developers.cloudflare.com/waf/custom-rules/use-cases/configure-token-authentication/
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { cloudflareSigner } from "daypass/cloudflare";
 *
 * // is_timed_hmac_valid_v0("mysecrettoken", http.request.uri, 10800, http.request.timestamp.sec, 8)
 * const signer = cloudflareSigner({ secret: "mysecrettoken", ttl: 10_800 });
 * export const { url } = signer.sign({ url: "https://downloads.example.com/images/cat.jpg", expiresIn: 10_800 });
 * ```
 */
export function cloudflareSigner(options: CloudflareSignerOptions): EdgeSigner<CloudflareSignRequest> {
  const { ttl, parameter = "verify", urlSafe = false, clock } = options;
  checkTtl(ttl);
  checkName("parameter", parameter);
  const key = hmacSha256(checkSecret(options.secret));
  return edgeSigner([], (request) => {
    checkEdgeRequest("Cloudflare's token", request, "bind.query");
    const url = readEdgeUrl(request);
    checkFree(url, [parameter]);
    const window = edgeWindow(request, clock, ttl);
    const timestamp = String(window.expiresAt.getTime() / 1000 - ttl);
    // The rule reads ten digits: no timestamp before September 2001.
    if (!/^\d{10}$/.test(timestamp)) throw refusal("INVALID_EXPIRY", `an end nearer to the ttl of ${ttl} s`);
    const stringToSign = cloudflareStringToSign(joinTarget(url.path, url.query), timestamp);
    const mac = cloudflareMac(key.base64url(stringToSign), urlSafe);
    return edgeResult(
      {
        url: joinEdgeUrl(url, `${parameter}=${timestamp}-${mac}`),
        request,
        window,
        bound: ["path", "query"],
        unbound: ["method", "scheme", "host", "headers", "body"],
      },
      stringToSign,
    );
  });
}
