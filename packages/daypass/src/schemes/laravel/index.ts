/**
 * Signed routes of Laravel: {@link laravelSigner} and {@link laravelVerifier}.
 *
 * @module
 */

import { hmacSha256 } from "#crypto";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { checkText, type Secrets, secretResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkVisible, joinTarget, readExpiry, takeTokens } from "../../edge/query.ts";
import { type EdgeSigner, type EndlessSignRequest, edgeSigner, joinUrl } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  hasParameter,
} from "../../edge/verify.ts";
import { malformed, type Parameter } from "../../wire/parameters.ts";
import { formDecode } from "../../wire/raw-target.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The weaknesses of Laravel's signed routes. */
export type LaravelWeakness = "no-expiry";
const WEAK: readonly LaravelWeakness[] = ["no-expiry"];

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
  requireOptions(options);
  const { secret, relative = false, clock } = options;
  return edgeSigner(
    {
      name: "Laravel's signature",
      options: "withoutExpiry bind.query",
      weak: WEAK,
      clock,
      draft(_request: LaravelSignRequest, url, { expires }) {
        if (url.query.split("&").some(isOwnForPhp)) {
          throw invalidInput("url", "a URL without what PHP reads as expires or signature", "another");
        }
        if (!isLaravelPath(url.path) || url.query.endsWith("?")) {
          throw invalidInput("url", "a path without a slash at its end, and no ? at the end of the query", url.path);
        }
        const tokens = [expires && `expires=${expires}`, url.query].filter((text): text is string => !!text);
        return {
          stringToSign: laravelStringToSign(relative ? "" : url.origin, url.path, tokens),
          url: (signature) => joinUrl({ ...url, query: "" }, ...tokens, `signature=${signature}`),
          bound: [...(relative ? [] : ["scheme", "host"]), "path", "query"],
        };
      },
    },
    // The secret may contain line breaks: PHP signs with the whole text of a file.
    laravelMac(checkText(secret)),
  );
}

/** What a verified signed route allows. */
export interface LaravelGrant extends EdgeGrant<LaravelWeakness> {}

/** Options of {@link laravelVerifier}. */
export interface LaravelVerifierOptions extends EdgeVerifierOptions, ExpiryOptions {
  /**
   * `APP_KEY` exactly as in `.env`, including `base64:`, because Laravel signs with the text. Several for
   * `APP_PREVIOUS_KEYS`, or a function that fetches them.
   */
  readonly secrets: Secrets;
  /** `true` for relative signatures (`absolute: false`), which do not bind scheme and host; `false` by default. */
  readonly relative?: boolean | undefined;
  /** Names of query parameters that are not signed, as in the middleware `signed:utm_source`. */
  readonly ignoreQuery?: readonly string[] | undefined;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"laravel"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies signed routes of Laravel (`URL::signedRoute`, `URL::temporarySignedRoute`): an HMAC-SHA256 over the whole URL,
 * with its query as on the wire.
 *
 * A signed route without `expires` never expires and is refused unless `withoutExpiry` accepts it. The method is not signed:
 * `methods` says what a URL grants. Laravel still accepts a URL in the second that `expires` names; this verifier does not.
 *
 * Source: https://github.com/laravel/framework, src/Illuminate/Routing/UrlGenerator.php (10.x to 12.x)
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { laravelVerifier } from "daypass/laravel";
 *
 * export const verifier = laravelVerifier({
 *   secrets: "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
 *   origins: ["https://app.example.com"],
 *   ignoreQuery: ["utm_source"],
 * });
 * ```
 */
export function laravelVerifier(options: LaravelVerifierOptions): Verifier<LaravelGrant> {
  requireOptions(options);
  const { secrets, relative = false, ignoreQuery = [] } = options;
  if (ignoreQuery.some((name) => !/^(?!(?:expires|signature)$)[A-Za-z0-9_.~-]+$/.test(name))) {
    throw refusal("INVALID_INPUT", "ignoreQuery is not valid. Pass plain names other than expires and signature");
  }
  return edgeVerifier(
    {
      id: "laravel",
      weak: WEAK,
      detect: (request) => hasParameter(request, "signature"),
      parse({ request, wire: { path, query, tokens }, origin }) {
        checkVisible("target", request.target);
        if (!isLaravelPath(path)) throw malformed("target", "form", "a path without slashes at its ends");
        const { signature = "", expires } = takeTokens(tokens, ["signature", "expires"]).own;
        if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed("signature", "form", "64 lower-case hex digits");
        const signed: string[] = [];
        const unsigned: Parameter[] = [];
        // `tokens` has no empty parameters, but Laravel hashes them.
        for (const token of query.split("&")) {
          const name = token.split("=", 1)[0] as string;
          if (!/^(?:expires|signature)$/.test(name) && isOwnForPhp(token)) throw malformed(name, "form", "no array");
          if (ignoreQuery.includes(name)) unsigned.push([name, formDecode(token.slice(name.length + 1))]);
          else if (name !== "signature") signed.push(token);
        }
        return {
          signature,
          unsigned,
          path,
          stringToSign: laravelStringToSign(relative ? "" : origin, path, signed),
          expiresAt: readExpiry("expires", expires),
          target: joinTarget(path, signed.filter((token) => !token.startsWith("expires=")).join("&")),
        };
      },
      dummyKey: laravelMac("dummy"),
    },
    secretResolver(secrets, laravelMac),
    options,
  );
}

function laravelMac(secret: string): (token: { readonly stringToSign: string }) => string {
  const key = hmacSha256(secret);
  return ({ stringToSign }) => key.hex(stringToSign);
}

/**
 * The text that `hasCorrectSignature` hashes: the URL without a slash at its end and the query as on the wire, without
 * `signature` and the parameters of the ignore list. Relative signatures omit the origin.
 */
function laravelStringToSign(origin: string, path: string, tokens: readonly string[]): string {
  const url = origin === "" ? path : `${origin}${path}`.replace(/\/$/, "");
  return tokens.length === 0 ? url : `${url}?${tokens.join("&")}`;
}

/**
 * Whether PHP reads a parameter as an expiry or a signature. PHP drops spaces before a name, and everything after a bracket or
 * a NUL. It uses the last of several parameters, and an array never expires.
 */
function isOwnForPhp(token: string): boolean {
  const [head = ""] = (token.split("=", 1)[0] as string).split(/\[|%5b|%00/i, 1);
  try {
    return /^ *(?:expires|signature)$/.test(formDecode(head));
  } catch {
    return false;
  }
}

/** Whether Laravel writes the path so. It trims slashes, so that `/a` and `/a/` would have one signature. */
function isLaravelPath(path: string): boolean {
  return path === "/" || /^\/[^/](?:.*[^/])?$/.test(path);
}
