import type { Clock } from "../../core/contracts.ts";
import { checkSecret } from "../../core/secrets.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  checkFree,
  type EdgeSigner,
  type EndlessSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { IMGIX_WEAK, type ImgixWeakness, imgixHash, imgixStringToSign } from "./canonical.ts";

/** One URL to sign; its parameters are in `url` or in `bind.query`. */
export interface ImgixSignRequest extends EndlessSignRequest {}

/** Options of {@link imgixSigner}. */
export interface ImgixSignerOptions {
  /** The source's token. */
  readonly secret: string;
  readonly clock?: Clock | undefined;
}

/**
 * Signs imgix URLs. Binds path, query and, if there is one, the expiry (`expires`).
 *
 * Weak by construction: a bare MD5, and URLs that never expire with `withoutExpiry: "accept"`. See `weak`
 * and the `warnings` of each result.
 *
 * Source: https://docs.imgix.com/en-US/getting-started/setup/securing-assets
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { imgixSigner } from "daypass/imgix";
 *
 * const signer = imgixSigner({ secret: "FOO123bar" });
 * const url = "https://my-social-network.imgix.net/users/1.png?w=400&h=300";
 * console.log(signer.sign({ url, withoutExpiry: "accept" }).url);
 * // "https://my-social-network.imgix.net/users/1.png?w=400&h=300&s=c7b86f666a832434dd38577e38cf86d1"
 * ```
 */
export function imgixSigner({ secret, clock }: ImgixSignerOptions): EdgeSigner<ImgixSignRequest, ImgixWeakness> {
  const token = checkSecret(secret);
  return edgeSigner(IMGIX_WEAK, (request) => {
    checkEdgeRequest("imgix", request, "withoutExpiry bind.query");
    const url = readEdgeUrl(request);
    checkFree(url, ["s", "expires"]);
    const window = edgeWindow(request, clock);
    const end = window.expires === undefined ? "" : `expires=${window.expires}`;
    const query = [url.query, end].filter((text) => text !== "").join("&");
    const stringToSign = imgixStringToSign(url.path, query);
    return edgeResult(
      {
        url: joinEdgeUrl({ ...url, query }, `s=${imgixHash(token, stringToSign)}`),
        request,
        window,
        bound: ["path", "query"],
        unbound: ["method", "scheme", "host", "headers", "body"],
        warnings: weaknessWarnings(IMGIX_WEAK, window.expires),
      },
      stringToSign,
    );
  });
}
