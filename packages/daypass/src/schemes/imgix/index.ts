/**
 * Signed imgix URLs: {@link imgixSigner} and {@link imgixVerifier}.
 *
 * @module
 */

import { md5 } from "#crypto/digests";
import type { Clock, Verifier } from "../../core/contracts.ts";
import { checkSecret, type Secrets, secretResolver } from "../../core/key-resolver.ts";
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
import { hex } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { joinTokens } from "../../wire/raw-target.ts";

export type { Secrets } from "../../core/key-resolver.ts";
export type { EdgeSigner } from "../../edge/sign.ts";

/** The weaknesses of imgix's signature. */
export type ImgixWeakness = "plain-md5" | "no-expiry";
const WEAK: readonly ImgixWeakness[] = ["plain-md5", "no-expiry"];

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
export function imgixSigner(options: ImgixSignerOptions): EdgeSigner<ImgixSignRequest, ImgixWeakness> {
  const { secret, clock } = requireOptions(options);
  return edgeSigner(
    {
      name: "imgix",
      options: "withoutExpiry bind.query",
      own: ["s", "expires"],
      weak: WEAK,
      clock,
      draft(_request: ImgixSignRequest, url, { expires }) {
        const query = [url.query, expires && `expires=${expires}`].filter((text) => text).join("&");
        return {
          stringToSign: joinTarget(url.path, query),
          url: (signature) => joinUrl({ ...url, query }, `s=${signature}`),
          bound: ["path", "query"],
        };
      },
    },
    imgixHash(checkSecret(secret)),
  );
}

/** What a verified imgix URL allows. */
export interface ImgixGrant extends EdgeGrant<ImgixWeakness> {}

/** Options of {@link imgixVerifier}. */
export interface ImgixVerifierOptions extends EdgeVerifierOptions, ExpiryOptions {
  /** The source's token, several while one replaces another, or a function that fetches them. */
  readonly secrets: Secrets;
  /** Who signed, for `grant.keyId`: URLs do not contain it. `"imgix"` by default. */
  readonly keyId?: string | undefined;
}

/**
 * Verifies imgix URLs: the MD5 over token, path and query as on the wire, and `expires` if present.
 *
 * Weak by construction: a bare MD5 with the secret first, and URLs that never expire, which are refused unless
 * `withoutExpiry` accepts them. Host and method are not signed: `origins` and `methods` say what a URL grants.
 *
 * Source: https://docs.imgix.com/en-US/getting-started/setup/securing-assets
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { imgixVerifier } from "daypass/imgix";
 *
 * const verifier = imgixVerifier({
 *   secrets: "FOO123bar",
 *   origins: ["https://my-social-network.imgix.net"],
 *   withoutExpiry: "accept",
 * });
 * const grant = await verifier.verify({
 *   method: "GET",
 *   target: "/users/1.png?w=400&h=300&s=c7b86f666a832434dd38577e38cf86d1",
 *   authority: "my-social-network.imgix.net",
 *   headers: [],
 * });
 * console.log(grant.target); // "/users/1.png?w=400&h=300"
 * ```
 */
export function imgixVerifier(options: ImgixVerifierOptions): Verifier<ImgixGrant> {
  requireOptions(options);
  return edgeVerifier(
    {
      id: "imgix",
      weak: WEAK,
      detect: (request) => hasParameter(request, "s"),
      parse({ request, wire }) {
        // Bytes such as 0x80 would let a client extend the text that MD5 has hashed.
        checkVisible("target", request.target);
        const { own, others } = takeTokens(wire.tokens, ["s"]);
        const { s: signature = "" } = own;
        if (!/^[0-9a-f]{32}$/.test(signature)) throw malformed("s", "form", "32 lower-case hexadecimal digits");
        const target = joinTarget(wire.path, joinTokens(others));
        const expiresAt = readExpiry("expires", takeTokens(others, ["expires"]).own.expires);
        return { signature, stringToSign: target, expiresAt, path: wire.path, target };
      },
      dummyKey: imgixHash("dummy"),
    },
    secretResolver(options.secrets, imgixHash),
    options,
  );
}

/**
 * The MD5 of token and text. An attacker can extend the text of an MD5 (length extension), but the extension contains a byte
 * 0x80 and zeros, which the verifier refuses.
 */
function imgixHash(token: string): (token: { readonly stringToSign: string }) => string {
  return ({ stringToSign }) => hex(md5(token + stringToSign));
}
