import { randomBytes } from "#crypto";
import type { AsyncSigner, Clock, Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { hasMember } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkOneOf, optionPairs } from "../../core/validate-options.ts";
import {
  asyncEdgeSigner,
  type EdgeDraft,
  type EdgeSignFormat,
  type EdgeUrl,
  type EndlessSignRequest,
  edgeSigner,
  joinUrl,
} from "../../edge/sign.ts";
import { base64url } from "../../wire/encoding.ts";
import { readClaims } from "./claims.ts";
import type { UriSigningRegex } from "./ere.ts";
import { invalidKey, loadSecret, type UriSigningPrivateKey, type UriSigningSecret } from "./keys.ts";
import { ATTRIBUTE, findAttribute, jwsInput } from "./token.ts";
import { hashContainer, joinUri, normalizeUri, prefixContainer } from "./uri.ts";

/** One URI to sign. `notBefore` is bound. */
export interface UriSigningRequest extends EndlessSignRequest {
  /** Every URI that begins with this path, which ends in `/`. */
  readonly prefix?: string | undefined;
  /** Instead of `prefix`: an expression, created by `uriSigningRegex`, that the whole normalised URI must match. */
  readonly regex?: UriSigningRegex | undefined;
  /** `aud`: one or several audiences, one of which must be the verifier's. */
  readonly audience?: string | readonly string[] | undefined;
  /** `jti`, for a single use; `true` generates one. Needs a verifier with state. */
  readonly nonce?: string | true | undefined;
  /**
   * Signed Token Renewal: each response has a new token, valid for `every` seconds, in a cookie for the first `depth`
   * segments of the path (0 by default: for all paths).
   */
  readonly renewal?: { readonly every: number; readonly depth?: number } | undefined;
  /** The claims `sub` and `cdniip`, which identify a person, as JWEs created by `uriSigningEncryption`. */
  readonly encrypted?: { readonly subject?: string; readonly ip?: string } | undefined;
  /** `true` adds `iat`. */
  readonly issuedAt?: boolean | undefined;
  /** Your own claims; `critical` lists those that a verifier must understand. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Names of claims that a verifier must understand. */
  readonly critical?: readonly string[] | undefined;
  /** Where the token goes: `"query"` by default, `"path"` as a path parameter, `"cookie"` as a header of the request. */
  readonly place?: "query" | "path" | "cookie" | undefined;
}

/** Options of {@link uriSigningSigner}. */
export interface UriSigningSignerOptions<K extends UriSigningSecret | UriSigningPrivateKey> {
  readonly key: K;
  /** `iss`: the issuer under which the verifier knows this key. */
  readonly issuer?: string | undefined;
  /** Name of the attribute and the cookie, `"URISigningPackage"` by default. */
  readonly attribute?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Random bytes for nonces; the runtime's generator by default. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Signs URIs for CDNs by RFC 9246: synchronously with a shared secret (HS256); with a key pair, returns a promise.
 *
 * Binds the whole URI by its hash, or with `prefix` or `regex` all that match; start and expiry, audience, single use, and, in
 * encrypted form, subject and client address. The method is not bound.
 *
 * Source: RFC 9246
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { uriSigningSigner } from "daypass/uri-signing";
 *
 * const signer = uriSigningSigner({ issuer: "csp", key: { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } });
 * const link = signer.sign({
 *   url: "https://cdn.example.com/live/1/master.m3u8",
 *   prefix: "/live/1/",
 *   renewal: { every: 30, depth: 2 },
 *   expiresIn: 60,
 * });
 * console.log(link.url.split("=")[0]); // "https://cdn.example.com/live/1/master.m3u8?URISigningPackage"
 * ```
 */
export function uriSigningSigner(options: UriSigningSignerOptions<UriSigningSecret>): Signer<UriSigningRequest>;
export function uriSigningSigner(
  options: UriSigningSignerOptions<UriSigningPrivateKey>,
): AsyncSigner<UriSigningRequest>;
export function uriSigningSigner(
  given: UriSigningSignerOptions<UriSigningSecret> | UriSigningSignerOptions<UriSigningPrivateKey>,
): Signer<UriSigningRequest> | AsyncSigner<UriSigningRequest> {
  requireOptions(given);
  // Read by name, because a class may have getters.
  const { key, issuer, attribute = ATTRIBUTE, clock, random = randomBytes } = given;
  const format = signFormat({ key, issuer, attribute, clock, random });
  if (hasMember(key, "verify")) {
    if (!key.sign) throw invalidKey("a private half");
    return asyncEdgeSigner(format, async ({ stringToSign }) => base64url(await key.sign(stringToSign)));
  }
  const mac = loadSecret(key);
  return edgeSigner(format, ({ stringToSign }) => mac.base64url(stringToSign));
}

const OPTIONS = "prefix notBefore withoutExpiry regex audience nonce renewal encrypted issuedAt claims critical place";

/** The options of a signer with their defaults. */
interface Settings extends UriSigningSignerOptions<UriSigningSecret | UriSigningPrivateKey> {
  readonly attribute: string;
  readonly random: (length: number) => Uint8Array;
}

function signFormat({ key, issuer, attribute, clock, random }: Settings): EdgeSignFormat<UriSigningRequest, EdgeDraft> {
  return {
    name: "URI Signing",
    instead: { "bind.ip": "encrypted.ip" },
    weak: [],
    clock,
    options: ({ prefix, regex }) => ((prefix ?? regex) ? OPTIONS : `${OPTIONS} bind.query`),
    draft(request, url, window) {
      const target = joinUrl({ ...url, origin: "" });
      if (findAttribute(target, attribute, 0) >= 0) throw invalidInput("url", `a URL without ${attribute}`, url.path);
      const { audience, nonce, renewal, encrypted, issuedAt, claims, critical, place = "query" } = request;
      for (const jwe of [encrypted?.subject, encrypted?.ip]) {
        // Plain text would show the person's name to everyone who sees the URL.
        if (jwe !== undefined && !/^[\w-]+(\.[\w-]*){4}$/.test(jwe)) throw invalidInput("encrypted", "JWEs", "another");
      }
      checkOneOf("place", place, "query", "path", "cookie");
      const container = containerOf(request, joinUri(normalizeUri(url.origin, target)), url);
      const own = {
        iss: issuer,
        sub: encrypted?.subject,
        aud: audience,
        exp: window.expires && Number(window.expires),
        nbf: window.starts && Number(window.starts),
        iat: issuedAt ? Math.floor(window.signedAt / 1000) : undefined,
        jti: nonce === true ? base64url(random(16)) : nonce,
        cdnicrit: critical?.join(","),
        cdniip: encrypted?.ip,
        cdniuc: container,
        cdniets: renewal?.every,
        cdnistt: renewal && 1,
        cdnistd: renewal?.depth,
      };
      for (const [name] of optionPairs("claims", claims)) {
        // An own claim with the name of an absent option would replace it.
        if (Object.hasOwn(own, name))
          throw invalidInput(
            "claims",
            `claims without ${name}, which is the option ${OPTION_OF[name] ?? "renewal"}`,
            "another",
          );
      }
      // Checked as JSON, which omits what is undefined.
      const payload: object = JSON.parse(JSON.stringify({ ...claims, ...own }));
      checkPayload(payload, Object.keys(claims ?? {}));
      const stringToSign = jwsInput(key.alg, key.kid, payload);
      const withToken = (token: string): string => {
        if (place === "path") return joinUrl({ ...url, path: `${url.path};${token}` });
        return place === "query" ? joinUrl(url, token) : joinUrl(url);
      };
      const isWhole = !(request.prefix ?? request.regex);
      return {
        stringToSign,
        url: (signature) => withToken(`${attribute}=${stringToSign}.${signature}`),
        headers: (signature) => (place === "cookie" ? { cookie: `${attribute}=${stringToSign}.${signature}` } : {}),
        bound: [
          container.startsWith("hash:") ? "URI" : `URIs that match ${container}`,
          ...Object.keys(payload).filter(isBinding),
        ],
        unbound: [
          "method",
          ...(isWhole ? [] : [`path ${request.prefix ? "below the prefix" : "in the regex"}`, "query"]),
          "headers",
          "body",
        ],
        covers: () => true,
      };
    },
  };
}

const OPTION_OF: Readonly<Record<string, string>> = {
  iss: "issuer",
  sub: "encrypted.subject",
  aud: "audience",
  exp: "expiresAt",
  nbf: "notBefore",
  iat: "issuedAt",
  jti: "nonce",
  cdnicrit: "critical",
  cdniip: "encrypted.ip",
  cdniuc: "prefix or regex",
};

const isBinding = (claim: string): boolean => /^(iss|sub|aud|nbf|jti|cdniip)$/.test(claim);

function containerOf({ prefix, regex }: UriSigningRequest, uri: string, { origin, path }: EdgeUrl): string {
  if ((prefix ?? regex) === undefined) return hashContainer(uri);
  // The prefix before its normalisation: `/users/7/../` would cover all users. `matches` is absent if `regex` is a text.
  if (prefix === undefined ? regex?.matches?.(uri) : !regex && prefix.endsWith("/") && path.startsWith(prefix)) {
    return regex ? `regex:${regex.source}` : prefixContainer(joinUri(normalizeUri(origin, prefix ?? "")));
  }
  throw invalidInput("prefix or regex", "the url up to a /", prefix ?? regex?.source);
}

/** Refuses claims that a verifier would refuse. */
function checkPayload(payload: object, extensions: readonly string[]): void {
  try {
    readClaims(payload, extensions);
  } catch (cause) {
    throw invalidInput("claims", `claims as in RFC 9246: ${String(cause)}`, "another");
  }
}
