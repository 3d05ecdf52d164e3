import { constantTimeEqual } from "#crypto";
import type { Verifier } from "../../core/contracts.ts";
import { type Secrets, secretResolver } from "../../core/secrets.ts";
import { hasToken } from "../../edge/query.ts";
import {
  type EdgeFormat,
  type EdgeGrant,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
} from "../../edge/verify.ts";
import { IMGIX_WEAK, type ImgixWeakness, imgixHash } from "./canonical.ts";
import { type ImgixToken, parseImgix } from "./parse.ts";

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
  const format: EdgeFormat<ImgixToken, string, ImgixWeakness, object> = {
    id: "imgix",
    weak: IMGIX_WEAK,
    detect: ({ target }) => hasToken(target, ["s"]),
    parse: parseImgix,
    check: (_received, { stringToSign, signature }, token) => ({
      matches: constantTimeEqual(imgixHash(token, stringToSign), signature),
      stringToSign,
    }),
    dummyKey: "dummy",
    facts: () => ({}),
  };
  return edgeVerifier(
    format,
    secretResolver(options.secrets, (token) => token),
    options,
  );
}
