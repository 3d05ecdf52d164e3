import type { Clock } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  type EdgeSigner,
  type EndlessSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import {
  expiryOptions,
  type ImgproxyKey,
  type ImgproxyOptions,
  type ImgproxyWeakness,
  imgproxyFormat,
  imgproxyMac,
} from "./canonical.ts";

/**
 * One URL to sign. `url` is the server's URL, including the path prefix, followed by the path to sign:
 * `https://img.example.com/rs:fit:300/plain/s3://bucket/a.jpg`.
 */
export interface ImgproxySignRequest extends EndlessSignRequest {}

/** Options of {@link imgproxySigner}. */
export interface ImgproxySignerOptions extends ImgproxyOptions, ImgproxyKey {
  readonly clock?: Clock | undefined;
}

/**
 * Signs imgproxy URLs. Binds options, source and, as the option `exp`, the expiry.
 *
 * A URL without an expiry needs `withoutExpiry: "accept"`; see `weak` and the `warnings` of each result.
 *
 * Source: https://docs.imgproxy.net/usage/signing_url
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { imgproxySigner } from "daypass/imgproxy";
 *
 * const signer = imgproxySigner({ key: "736563726574", salt: "68656c6c6f" });
 * export const { url } = signer.sign({ url: "https://img.example.com/rs:fit:300/plain/s3://bucket/a.jpg", expiresIn: 900 });
 * ```
 */
export function imgproxySigner(options: ImgproxySignerOptions): EdgeSigner<ImgproxySignRequest, ImgproxyWeakness> {
  const { clock } = options;
  const { size, prefix, weak } = imgproxyFormat(options);
  const mac = imgproxyMac(options, size);
  return edgeSigner(weak, (request) => {
    checkEdgeRequest("imgproxy", request, "withoutExpiry");
    const url = readEdgeUrl(request);
    const window = edgeWindow(request, clock);
    if (!url.path.startsWith(`${prefix}/`)) throw invalidInput("url", `below ${prefix}/`, url.path);
    const own = url.path.slice(prefix.length);
    if (expiryOptions(own).length > 0) throw invalidInput("url", "without the option expires: set expiresIn", own);
    const path = window.expires === undefined ? own : `/exp:${window.expires}${own}`;
    return edgeResult(
      {
        url: joinEdgeUrl({ ...url, path: `${prefix}/${mac(path)}${path}` }),
        request,
        window,
        bound: ["path"],
        unbound: ["method", "scheme", "host", "query", "headers", "body"],
        warnings: [...weaknessWarnings(weak, window.expires), ...uncovered(url)],
      },
      path,
    );
  });
}
