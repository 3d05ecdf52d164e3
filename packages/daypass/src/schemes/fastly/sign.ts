import type { Clock } from "../../core/contracts.ts";
import { checkName } from "../../core/validate-options.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
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
import { FASTLY_WEAK, type FastlyWeakness, fastlyMac, fastlyStringToSign } from "./canonical.ts";
import type { FastlyOptions } from "./verify.ts";

/** One URL to sign. */
export interface FastlySignRequest extends EdgeSignRequest {}

/** Options of {@link fastlySigner}. */
export interface FastlySignerOptions extends FastlyOptions {
  /** In base64, as the VCL has it. */
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
  const { secret, hash = "sha1", parameter = "token", clock } = options;
  const mac = fastlyMac(secret, hash);
  checkName("parameter", parameter);
  return edgeSigner(FASTLY_WEAK, (request) => {
    checkEdgeRequest("Fastly's token", request);
    const url = readEdgeUrl(request);
    checkFree(url, [parameter]);
    const window = edgeWindow(request, clock);
    const expires = window.expires as string;
    const stringToSign = fastlyStringToSign(url.path, expires);
    return edgeResult(
      {
        url: joinEdgeUrl(url, `${parameter}=${expires}_${mac(stringToSign)}`),
        request,
        window,
        bound: ["path"],
        unbound: ["method", "scheme", "host", "query", "headers", "body"],
        warnings: [...weaknessWarnings(FASTLY_WEAK, expires), ...uncovered(url)],
      },
      stringToSign,
    );
  });
}
