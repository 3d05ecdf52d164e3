import { hmacSha256 } from "#crypto";
import type { Clock } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { checkText } from "../../core/secrets.ts";
import { weaknessWarnings } from "../../core/weakness.ts";
import {
  checkEdgeRequest,
  type EdgeSigner,
  type EndlessSignRequest,
  edgeResult,
  edgeSigner,
  joinEdgeUrl,
  readEdgeUrl,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { isLaravelPath, isOwnForPhp, LARAVEL_WEAK, type LaravelWeakness, laravelStringToSign } from "./canonical.ts";

/** One URL to sign. */
export interface LaravelSignRequest extends EndlessSignRequest {}

/** Options of {@link laravelSigner}. */
export interface LaravelSignerOptions {
  /** `APP_KEY` exactly as in `.env`, including `base64:`, because Laravel signs with the text. */
  readonly secret: string;
  /** `true` for relative signatures (`absolute: false`), which do not bind scheme and host; `false` by default. */
  readonly relative?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs that a Laravel application accepts with `hasValidSignature` or the middleware `signed`. Binds scheme, host
 * (unless relative), path, query and, if there is one, the expiry.
 *
 * Source: https://github.com/laravel/framework, src/Illuminate/Routing/UrlGenerator.php (10.x to 12.x)
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { laravelSigner } from "daypass/laravel";
 *
 * const signer = laravelSigner({ secret: "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" });
 * export const { url } = signer.sign({ url: "https://app.example.com/unsubscribe/7?list=news", expiresIn: 900 });
 * ```
 */
export function laravelSigner(options: LaravelSignerOptions): EdgeSigner<LaravelSignRequest, LaravelWeakness> {
  const { secret, relative = false, clock } = options;
  // Of any text: PHP reads one from a file together with the break at its end.
  const key = hmacSha256(checkText(secret));
  return edgeSigner(LARAVEL_WEAK, (request) => {
    checkEdgeRequest("Laravel's signature", request, "withoutExpiry bind.query");
    const url = readEdgeUrl(request);
    if (url.query.split("&").some((token) => isOwnForPhp(token.split("=", 1)[0] as string))) {
      throw invalidInput("url", "without what PHP reads as expires or signature", "one of them");
    }
    if (!isLaravelPath(url.path) || url.query.endsWith("?")) {
      throw invalidInput("url", "a path without a slash at its end, and no ? at the end of the query", url.path);
    }
    const window = edgeWindow(request, clock);
    const tokens = [
      ...(window.expires === undefined ? [] : [`expires=${window.expires}`]),
      ...(url.query === "" ? [] : [url.query]),
    ];
    const stringToSign = laravelStringToSign(relative ? "" : url.origin, url.path, tokens);
    return edgeResult(
      {
        url: joinEdgeUrl({ ...url, query: tokens.join("&") }, `signature=${key.hex(stringToSign)}`),
        request,
        window,
        bound: [...(relative ? [] : ["scheme", "host"]), "path", "query"],
        unbound: ["method", ...(relative ? ["scheme", "host"] : []), "headers", "body"],
        warnings: weaknessWarnings(LARAVEL_WEAK, window.expires),
      },
      stringToSign,
    );
  });
}
