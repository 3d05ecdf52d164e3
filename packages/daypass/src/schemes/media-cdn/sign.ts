import { ed25519PrivateKey } from "#crypto";
import { unsupportedConstraint } from "../../core/constraints.ts";
import type { AsyncSigner, Clock, Lifetime } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { asyncSigner } from "../../core/signed-request.ts";
import { checkOneOf } from "../../core/validate-options.ts";
import { base64urlOf, checkPrefix, GOOGLE_NAMES, prefixParameter } from "../../edge/google-cdn.ts";
import {
  checkEdgeRequest,
  checkFree,
  type EdgeSignRequest,
  edgeResult,
  joinEdgeUrl,
  readEdgeUrl,
  uncovered,
} from "../../edge/sign.ts";
import { edgeWindow } from "../../edge/window.ts";
import { type SignedCookies, signedCookies } from "../../wire/cookie.ts";
import { checkKeyName, keyBytes, mediaCdn } from "./canonical.ts";

/** One URL to sign. */
export interface MediaCdnSignRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`. */
  readonly prefix?: string | undefined;
  /**
   * `"query"` by default. `"path"` needs a `prefix` and puts the signature into the path, so that relative links of a
   * manifest inherit it.
   */
  readonly place?: "query" | "path" | undefined;
}

/** Options of {@link mediaCdnSigner} and {@link mediaCdnCookieSigner}. */
export interface MediaCdnSignerOptions {
  /** The name of the keyset. */
  readonly keyName: string;
  /** The 32 bytes of an Ed25519 private key in base64url. */
  readonly privateKey: string;
  /** `true` pads base64url with `=`, `false` by default. */
  readonly padded?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs URLs for Google's Media CDN with Ed25519: one exact URL, or with `prefix` everything below a path. Binds scheme, host,
 * path, query and expiry; with a prefix, the rest of the path and the query are not bound.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-signatures
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { mediaCdnSigner } from "daypass/media-cdn";
 *
 * const signer = mediaCdnSigner({ keyName: "my-key", privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
 * export const { url } = await signer.sign({ url: "https://media.example.com/hls/a.m3u8", prefix: "/hls/", expiresIn: 900 });
 * ```
 */
export function mediaCdnSigner(options: MediaCdnSignerOptions): AsyncSigner<MediaCdnSignRequest> {
  const { keyName, padded = false, clock } = options;
  const sign = signature(options);
  const { pathComponent } = mediaCdn(padded);
  return asyncSigner(async (request) => {
    const known = request.prefix === undefined ? "prefix place bind.query" : "prefix place";
    checkEdgeRequest("Media CDN's signature", request, known, INSTEAD);
    const url = readEdgeUrl(request);
    checkFree(url, GOOGLE_NAMES);
    const window = edgeWindow(request, clock);
    const prefix = checkPrefix(url, request.prefix);
    const tail = `Expires=${window.expires}&KeyName=${keyName}`;
    const { place = "query" } = request;
    checkOneOf("place", place, "query", "path");
    const inPath = place === "path";
    if (inPath && prefix === undefined) throw invalidInput("place", '"path" beside a prefix only', request.place);
    const own = prefix === undefined ? tail : `${prefixParameter(prefix, { padded })}&${tail}`;
    const signed = inPath ? `${prefix}${pathComponent}${tail}` : prefix === undefined ? joinEdgeUrl(url, own) : own;
    const made = `Signature=${await sign(signed)}`;
    const rest = url.path.slice(request.prefix?.length);
    return edgeResult(
      {
        url: inPath
          ? joinEdgeUrl({ ...url, path: `${request.prefix}${pathComponent}${tail}&${made}/${rest}` })
          : joinEdgeUrl(url, own, made),
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

const BY_TOKEN = "use daypass/media-cdn/token";
const INSTEAD = { notBefore: BY_TOKEN, "bind.ip": BY_TOKEN, "bind.headers": BY_TOKEN };

/** What the cookies grant, and for how long: exactly one of `expiresIn` and `expiresAt`. */
export interface MediaCdnCookieRequest extends Lifetime {
  /** `https://host/path/`: everything below it; with `prefix` any URL below that. */
  readonly url: string;
  /** A beginning of the URL's path that ends in `/`, instead of the whole path. */
  readonly prefix?: string | undefined;
}

/** Creates signed cookies. */
export interface MediaCdnCookieSigner {
  /** The cookie of one prefix. Setting it, `Secure` and `HttpOnly`, is left to the caller. */
  sign(request: MediaCdnCookieRequest): Promise<SignedCookies>;
}

/**
 * Signs cookies for Google's Media CDN, which grant every URL below a prefix.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-signatures
 *
 * @throws {DaypassError} as {@link mediaCdnSigner}
 * @example
 * ```ts
 * import { mediaCdnCookieSigner } from "daypass/media-cdn";
 *
 * const signer = mediaCdnCookieSigner({ keyName: "my-key", privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
 * export const { cookies } = await signer.sign({ url: "https://media.example.com/hls/", expiresIn: 900 });
 * ```
 */
export function mediaCdnCookieSigner(options: MediaCdnSignerOptions): MediaCdnCookieSigner {
  const { keyName, padded = false, clock } = options;
  const sign = signature(options);
  const { cookie } = mediaCdn(padded);
  return {
    async sign(request) {
      checkEdgeRequest("Media CDN's cookie", request, "prefix");
      const url = readEdgeUrl(request);
      if (url.query !== "") throw unsupportedConstraint("Media CDN's cookie", "a query", "sign a URL");
      const prefix = checkPrefix(url, request.prefix ?? url.path) as string;
      const { expires, expiresAt } = edgeWindow(request, clock);
      const signed = `${prefixParameter(prefix, { padded })}:Expires=${expires}:KeyName=${keyName}`;
      return signedCookies(
        {
          cookies: { [cookie]: `${signed}:Signature=${await sign(signed)}` },
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

function signature({ keyName, privateKey, padded = false }: MediaCdnSignerOptions): (text: string) => Promise<string> {
  checkKeyName(keyName);
  const key = ed25519PrivateKey(keyBytes(privateKey));
  return async (text) => base64urlOf(await key.sign(text), { padded });
}
