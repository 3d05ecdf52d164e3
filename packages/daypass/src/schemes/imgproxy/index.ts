/**
 * Signed imgproxy URLs: {@link imgproxySigner} and {@link imgproxyVerifier}.
 *
 * @module
 */

import { sha256Hmac } from "#crypto/digests";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { readExpiry, unsignedParameters } from "../../edge/query.ts";
import { type EdgeSigner, type EndlessSignRequest, edgeSigner, joinUrl } from "../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
  type UnsignedOptions,
} from "../../edge/verify.ts";
import { base64url, fromHex, signatureBytesUrl, utf8 } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";

export type { EdgeSigner } from "../../edge/sign.ts";

/** The possible weaknesses of imgproxy's signature. */
export type ImgproxyWeakness = "no-expiry" | "short-signature";

/** One of imgproxy's pairs of key and salt, both in hexadecimal. */
export interface ImgproxyKey {
  /** IMGPROXY_KEY, hexadecimal. */
  readonly key: string;
  /** IMGPROXY_SALT, hexadecimal. */
  readonly salt: string;
}

/** Options that signer and verifier must share with the server. */
export interface ImgproxyOptions {
  /** IMGPROXY_SIGNATURE_SIZE: number of bytes of the MAC in the URL, 32 by default. */
  readonly signatureSize?: number | undefined;
  /** IMGPROXY_PATH_PREFIX, without a trailing slash; none by default. */
  readonly pathPrefix?: string | undefined;
}

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
  requireOptions(options);
  const { clock } = options;
  const { size, prefix, weak } = readOptions(options);
  return edgeSigner(
    {
      name: "imgproxy",
      options: "withoutExpiry",
      weak,
      clock,
      draft(_request: ImgproxySignRequest, url, { expires }) {
        if (!url.path.startsWith(`${prefix}/`)) throw invalidInput("url", `a URL below ${prefix}/`, url.path);
        const own = url.path.slice(prefix.length);
        if (expiryOptions(own).length > 0)
          throw invalidInput("url", "a URL without the option expires: set expiresIn", own);
        const path = expires === undefined ? own : `/exp:${expires}${own}`;
        return {
          stringToSign: path,
          url: (signature) => joinUrl({ ...url, path: `${prefix}/${signature}${path}` }),
          bound: ["path"],
        };
      },
    },
    imgproxyMac(options, size),
  );
}

/** What a verified imgproxy URL allows. Its `path` is what imgproxy acts on: options and source. */
export interface ImgproxyGrant extends EdgeGrant<ImgproxyWeakness> {}

/** Options of {@link imgproxyVerifier}. */
export interface ImgproxyVerifierOptions extends ImgproxyOptions, EdgeVerifierOptions, ExpiryOptions, UnsignedOptions {
  /** One pair of key and salt, several while one replaces another, or a function that fetches them. */
  readonly keys: Keys<ImgproxyKey>;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"imgproxy"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies imgproxy URLs: an HMAC-SHA256 over salt and path, and the option `expires` if present.
 *
 * Weak with some settings: URLs without that option never expire, and are refused unless `withoutExpiry` accepts them; signatures
 * may be truncated. Host, method and query are not signed. The signature `insecure` is never accepted.
 *
 * Source: https://docs.imgproxy.net/usage/signing_url
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`,
 * `KEY_SCOPE`
 * @example
 * ```ts
 * import { imgproxyVerifier } from "daypass/imgproxy";
 *
 * const verifier = imgproxyVerifier({
 *   keys: { key: "736563726574", salt: "68656c6c6f" },
 *   origins: ["https://img.example.com"],
 *   withoutExpiry: "accept",
 * });
 * const path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png";
 * const target = `/oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8${path}`;
 * const grant = await verifier.verify({ method: "GET", target, authority: "img.example.com", headers: [] });
 * console.log(grant.target === path); // true
 * ```
 */
export function imgproxyVerifier(options: ImgproxyVerifierOptions): Verifier<ImgproxyGrant> {
  requireOptions(options);
  const { size, prefix, weak } = readOptions(options);
  const { keyId = "imgproxy", allowUnsigned } = options;
  return edgeVerifier(
    {
      id: "imgproxy",
      weak,
      // By form alone, because imgproxy's URLs have no parameters.
      detect: ({ target }) =>
        split(target.split("?", 1)[0] as string, prefix)?.signature.length === Math.ceil((size * 8) / 6),
      parse({ wire }) {
        const { signature = "", path = "" } = split(wire.path, prefix) ?? {};
        if (signatureBytesUrl(signature, size) === undefined)
          throw malformed("signature", "form", `${size} bytes in base64url`);
        if (!/^[\x21-\x7e]+$/.test(path)) throw malformed("path", "form", "visible ASCII");
        const [expires, second] = expiryOptions(path);
        if (second !== undefined) throw malformed("expires", "form", "the end once");
        const unsigned = unsignedParameters(wire.tokens, allowUnsigned);
        const expiresAt = readExpiry("expires", expires);
        return { signature, stringToSign: path, expiresAt, path, target: path, unsigned };
      },
      dummyKey: imgproxyMac({ key: "00", salt: "" }, size),
    },
    keyResolver(
      options.keys,
      () => keyId,
      (key) => imgproxyMac(key, size),
    ),
    options,
  );
}

/** "The HMAC of salt and path with SHA-256", truncated to its size, in base64url without padding. */
function imgproxyMac({ key, salt }: ImgproxyKey, size: number): (token: { readonly stringToSign: string }) => string {
  const [keyBytes, saltBytes] = [key, salt].map((text) => (typeof text === "string" ? fromHex(text) : undefined));
  if (!keyBytes?.length || saltBytes === undefined) {
    throw refusal("INVALID_KEY", "key or salt is not hexadecimal. Copy both from the server");
  }
  const mac = sha256Hmac(keyBytes);
  return ({ stringToSign }) => base64url(mac(Uint8Array.from([...saltBytes, ...utf8(stringToSign)])).subarray(0, size));
}

/** Checks the options of both sides. */
function readOptions({ signatureSize: size = 32, pathPrefix: prefix = "" }: ImgproxyOptions): {
  readonly size: number;
  readonly prefix: string;
  readonly weak: readonly ImgproxyWeakness[];
} {
  const isSize = Number.isInteger(size) && size > 0 && size <= 32;
  if (!isSize || !/^(?:\/[A-Za-z0-9._~-]+)*$/.test(prefix)) {
    throw refusal(
      "INVALID_INPUT",
      "signatureSize or pathPrefix is not valid. Pass 1 to 32 bytes, and a path such as /a without a slash at its end",
    );
  }
  return { size, prefix, weak: size < 16 ? ["no-expiry", "short-signature"] : ["no-expiry"] };
}

/** Splits `/prefix/signature/path`. */
function split(path: string, prefix: string): { readonly signature: string; readonly path: string } | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  const start = prefix.length + 1;
  const end = path.indexOf("/", start);
  return end < 0 ? undefined : { signature: path.slice(start, end), path: path.slice(end) };
}

/**
 * The values of the `expires` options of a path. Options are the segments with a `:` before the first segment without one,
 * which is `plain` or the source in base64.
 */
function expiryOptions(path: string): readonly string[] {
  const segments = path.slice(1).split("/");
  const end = segments.findIndex((segment) => !segment.includes(":"));
  return segments.slice(0, end < 0 ? segments.length : end).flatMap((segment) => {
    const [, value] = /^(?:expires|exp):(.*)$/.exec(segment) ?? [];
    return value === undefined ? [] : [value];
  });
}
