/**
 * Tokens of Google's Media CDN: {@link mediaCdnTokenSigner}, {@link mediaCdnEd25519TokenSigner} and
 * {@link mediaCdnTokenVerifier}.
 *
 * @module
 */

import { constantTimeEqual, ed25519PrivateKey } from "#crypto";
import { type Mac, sha1Hmac, sha256Hmac } from "#crypto/digests";
import type { AsyncSigner, Clock, Signer, Verifier } from "../../../core/contracts.ts";
import { strictPublicKey } from "../../../core/ed25519.ts";
import { invalidInput, refusal } from "../../../core/errors.ts";
import { hasMember, type Keys, keyResolver } from "../../../core/key-resolver.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { parseEpoch } from "../../../core/time.ts";
import { checkName, checkTexts, optionPairs } from "../../../core/validate-options.ts";
import { anyBase64, checkPrefix, ed25519Bytes, invalidEd25519, readPrefix } from "../../../edge/google-cdn.ts";
import { checkBelow, isBelow, takeTokens, unsignedParameters } from "../../../edge/query.ts";
import {
  asyncEdgeSigner,
  checkPlainPath,
  type EdgeDraft,
  type EdgeSignFormat,
  type EdgeSignRequest,
  type EdgeUrl,
  edgeSigner,
  joinUrl,
} from "../../../edge/sign.ts";
import {
  type EdgeGrant,
  type EdgeKey,
  type EdgeToken,
  type EdgeVerifierOptions,
  edgeVerifier,
  hasCookie,
  hasParameter,
  type UnsignedOptions,
} from "../../../edge/verify.ts";
import { cookieValue } from "../../../wire/cookie.ts";
import { base64url, fromBase64url, hex, latin1, utf8 } from "../../../wire/encoding.ts";
import { matchesGlob } from "../../../wire/glob.ts";
import { isInside, type Network, parseCidr } from "../../../wire/ip.ts";
import { bad, joinToken, readFields, type TokenFields, tokenStringToSign } from "./canonical.ts";

/** A shared secret for HMAC-SHA256. */
export interface MediaCdnTokenSecret {
  /** At least 16 bytes in base64url. */
  readonly secret: string;
}

/** A key for another algorithm, created by `mediaCdnSha1Key` or `mediaCdnPublicKey`. */
export interface MediaCdnTokenVerifyKey {
  /** Whether a field `hmac=…` or `Signature=…` is one of this text. */
  readonly matches: (text: string, proof: string) => Promise<boolean>;
}

/** A shared secret that signs. */
export interface MediaCdnTokenMac {
  /** The field `hmac=…` of a text. */
  readonly prove: (text: string) => string;
}

/**
 * A shared secret for keysets that are set up for HMAC-SHA1, for the signer as well as for the verifier.
 *
 * Source: https://cloud.google.com/media-cdn/docs/use-dual-token-authentication
 *
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { mediaCdnSha1Key, mediaCdnTokenSigner } from "daypass/media-cdn/token";
 *
 * export const signer = mediaCdnTokenSigner({ key: mediaCdnSha1Key({ secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" }) });
 * ```
 */
export function mediaCdnSha1Key(secret: MediaCdnTokenSecret): MediaCdnTokenMac & MediaCdnTokenVerifyKey {
  const prove = prover(sha1Hmac(secretBytes(secret)));
  return { prove, matches: async (text, proof) => constantTimeEqual(prove(text), proof) };
}

/**
 * The key that `mediaCdnTokenVerifier` verifies Ed25519 tokens with: the 32 bytes of a public key in base64url.
 *
 * @param publicKey base64url or base64, padded or not
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { mediaCdnPublicKey, mediaCdnTokenVerifier } from "daypass/media-cdn/token";
 *
 * export const verifier = mediaCdnTokenVerifier({
 *   keys: mediaCdnPublicKey("n7nwvhza11C0SuU9ay1uWjDSfzH-CpIBgXxqIz-Yd9Q"),
 *   origins: ["https://media.example.com"],
 * });
 * ```
 */
export function mediaCdnPublicKey(publicKey: string): MediaCdnTokenVerifyKey {
  const key = strictPublicKey(ed25519Bytes(publicKey), invalidEd25519);
  return {
    async matches(text, proof) {
      const bytes = proof.startsWith("Signature=") ? fromBase64url(proof.slice(10)) : undefined;
      return bytes !== undefined && key.verify(text, bytes);
    },
  };
}

/** The bytes of a shared secret. */
function secretBytes(key: MediaCdnTokenSecret): Uint8Array {
  const bytes = anyBase64(key?.secret);
  if (bytes !== undefined && bytes.length >= 16) return bytes;
  throw refusal("INVALID_KEY", "secret cannot be used. Pass at least 16 bytes in base64url");
}

function prover(mac: Mac): (text: string) => string {
  return (text) => `hmac=${hex(mac(text))}`;
}

/** One URL to sign. `bind.ip` and `bind.headers` are bound, and so is `notBefore`. */
export interface MediaCdnTokenRequest extends EdgeSignRequest {
  /** Everything below this path, which ends in `/`; also binds scheme and host. */
  readonly prefix?: string | undefined;
  /** Instead of `prefix`: patterns with `*` and `?`, one of which the path must match. */
  readonly pathGlobs?: readonly string[] | undefined;
  /** The field `SessionID`, as text. It is bound, and nothing more is done with it here. */
  readonly sessionId?: string | undefined;
  /** The field `Data`, as text. It is bound, and nothing more is done with it here. */
  readonly data?: string | undefined;
}

/** Options that both signers have in addition to their keys. */
export interface MediaCdnTokenOptions {
  /** Name of the query parameter, `"edge-cache-token"` by default. */
  readonly parameter?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Options of {@link mediaCdnTokenSigner}. */
export interface MediaCdnTokenSignerOptions extends MediaCdnTokenOptions {
  readonly key: MediaCdnTokenSecret | MediaCdnTokenMac;
}

/**
 * Signs URLs with a token of Google's Media CDN by a shared secret: HMAC-SHA256, or with `mediaCdnSha1Key`
 * HMAC-SHA1. With Ed25519: `mediaCdnEd25519TokenSigner`.
 *
 * Binds path, prefix or path patterns, start and expiry, client addresses and request headers; the host only with a
 * `prefix`. Method and query are not bound.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} from the factory `INVALID_KEY`; from `sign` `INVALID_INPUT`, `INVALID_EXPIRY`, `DOT_SEGMENTS`,
 * `UNSUPPORTED_CONSTRAINT`
 * @example
 * ```ts
 * import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
 *
 * const signer = mediaCdnTokenSigner({ key: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" } });
 * export const { url } = signer.sign({ url: "https://media.example.com/a.m3u8", expiresIn: 900, bind: { ip: "203.0.113.0/24" } });
 * ```
 */
export function mediaCdnTokenSigner(options: MediaCdnTokenSignerOptions): Signer<MediaCdnTokenRequest> {
  requireOptions(options);
  const { key } = options;
  const prove = hasMember(key, "prove") ? key.prove : prover(sha256Hmac(secretBytes(key)));
  return edgeSigner(signFormat(options), ({ stringToSign }) => prove(stringToSign));
}

/** Options of {@link mediaCdnEd25519TokenSigner}. */
export interface MediaCdnEd25519TokenSignerOptions extends MediaCdnTokenOptions {
  /** The 32 bytes of an Ed25519 private key in base64url. */
  readonly privateKey: string;
}

/**
 * Signs URLs with a token of Google's Media CDN by an Ed25519 key. Its requests bind the same as requests of
 * `mediaCdnTokenSigner`.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} as `mediaCdnTokenSigner`
 * @example
 * ```ts
 * import { mediaCdnEd25519TokenSigner } from "daypass/media-cdn/token";
 *
 * const signer = mediaCdnEd25519TokenSigner({ privateKey: "DJUcnLguVFKmVCFnWGubG1MZg7fWAnxacMjKDhVZMGI" });
 * export const { url } = await signer.sign({ url: "https://media.example.com/a.m3u8", expiresIn: 900 });
 * ```
 */
export function mediaCdnEd25519TokenSigner(
  options: MediaCdnEd25519TokenSignerOptions,
): AsyncSigner<MediaCdnTokenRequest> {
  requireOptions(options);
  const key = ed25519PrivateKey(ed25519Bytes(options.privateKey));
  return asyncEdgeSigner(
    signFormat(options),
    async ({ stringToSign }) => `Signature=${base64url(await key.sign(stringToSign))}`,
  );
}

function signFormat({
  parameter = "edge-cache-token",
  clock,
}: MediaCdnTokenOptions): EdgeSignFormat<MediaCdnTokenRequest, EdgeDraft> {
  return {
    name: "this token",
    own: [parameter],
    weak: [],
    clock,
    options: "prefix notBefore bind.ip bind.headers pathGlobs sessionId data",
    draft(request, url, { starts, expires }) {
      const { bind, prefix, pathGlobs, sessionId, data } = request;
      checkPlainPath(url);
      checkName("parameter", parameter);
      const headers = optionPairs<string>("bind.headers", bind?.headers);
      const names = headers.map(([name]) => name).join();
      const rules = {
        Starts: starts,
        Expires: expires,
        SessionID: sessionId,
        Data: data,
        Headers: names || undefined,
        IPRanges: ranges(bind?.ip),
      };
      const fields = Object.fromEntries(
        [scope(request, url), ...Object.entries(rules)].filter(([, value]) => value !== undefined),
      ) as TokenFields;
      // URL parsers encode these characters in a query, which would change the token; no verifier accepts `\`.
      if (/["'<>\\]/.test(Object.values(fields).join()))
        throw invalidInput("fields", "text without \" ' < > \\", "another");
      return {
        stringToSign: tokenStringToSign(fields, { path: url.path, headers, code: "INVALID_INPUT" }),
        url: (proof) => joinUrl(url, `${parameter}=${joinToken(fields, proof)}`),
        headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
        bound: Object.keys(fields),
        unbound: [
          "method",
          ...(prefix === undefined ? ["scheme", "host"] : []),
          ...(prefix ? ["path below the prefix"] : pathGlobs ? ["path that the pathGlobs admit"] : []),
          "query",
          "other headers",
          "body",
        ],
      };
    },
  };
}

function scope({ prefix, pathGlobs }: MediaCdnTokenRequest, url: EdgeUrl): readonly [name: string, value: string] {
  if (pathGlobs !== undefined) {
    checkTexts("pathGlobs", /./, pathGlobs);
    const isFor = pathGlobs.some((glob) => matchesGlob(glob, url.path));
    if (isFor && prefix === undefined && pathGlobs.every((glob) => /^\/[^,!&#]*$/.test(glob))) {
      return ["PathGlobs", pathGlobs.join()];
    }
    throw invalidInput("pathGlobs", "patterns that cover the url, and no prefix", pathGlobs.join());
  }
  const whole = checkPrefix(url, prefix);
  return whole === undefined ? ["FullPath", ""] : ["URLPrefix", base64url(utf8(whole))];
}

function ranges(ip: string | readonly string[] | undefined): string | undefined {
  if (ip === undefined) return undefined;
  const list = [ip].flat();
  if (list.length > 0 && list.every((text) => typeof text === "string" && parseCidr(text)))
    return base64url(utf8(list.join()));
  throw invalidInput("bind.ip", "CIDR networks", list.join());
}

/** What a token grants in addition to the path. */
export interface MediaCdnTokenFacts {
  /** The URL below which everything is granted, if the token has one. */
  readonly prefix: string | undefined;
  /** The patterns of the token, if it has any: the path must match one of them. */
  readonly pathGlobs: readonly string[] | undefined;
  readonly sessionId: string | undefined;
  readonly data: string | undefined;
  /** Names of the request headers whose values are signed. */
  readonly signedHeaders: readonly string[];
}

/** What a verified token allows. */
export interface MediaCdnTokenGrant extends EdgeGrant, MediaCdnTokenFacts {}

/** Options of {@link mediaCdnTokenVerifier}. */
export interface MediaCdnTokenVerifierOptions extends EdgeVerifierOptions, UnsignedOptions {
  /**
   * One key, several during rotation, or a function that fetches them; tokens name no key. A key is a shared secret for
   * HMAC-SHA256, or the result of `mediaCdnSha1Key` or `mediaCdnPublicKey`.
   */
  readonly keys: Keys<MediaCdnTokenSecret | MediaCdnTokenVerifyKey>;
  /** Who signed, for `grant.keyId`. `"media-cdn/token"` by default. */
  readonly keyId?: string | undefined;
  /** Name of the query parameter, `"edge-cache-token"` by default. */
  readonly parameter?: string | undefined;
  /** Name of the cookie, `"Edge-Cache-Cookie"` by default. */
  readonly cookie?: string | undefined;
}

/**
 * Verifies the tokens of Google's Media CDN (`URLPrefix=…~Expires=…~hmac=…`) with Ed25519 or HMAC, whichever the key is
 * for: path, prefix or path patterns, start and end, client addresses and request headers.
 *
 * Does not bind method and query, nor the host unless there is a URLPrefix. Session and data are in the grant, but are
 * not checked. You must create the second token of a dual-token setup yourself. Values that could be mistaken for
 * another field are refused.
 *
 * Source: https://cloud.google.com/media-cdn/docs/generate-tokens
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `NOT_YET_VALID`, `METHOD_NOT_GRANTED`, `IP_NOT_GRANTED`, `KEY_SCOPE`
 * @example
 * ```ts
 * import { mediaCdnTokenVerifier } from "daypass/media-cdn/token";
 *
 * const verifier = mediaCdnTokenVerifier({
 *   keys: { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" },
 *   origins: ["http://10.20.30.40"],
 *   clock: () => new Date("2022-09-13T00:00:00Z"),
 * });
 * const token = "PathGlobs=/*~Expires=1663070400~hmac=9439ecdd5c4919f76f915dea72afa85a045579794e63d8cda664f5a1140c8d93";
 * const target = `/a.m3u8?edge-cache-token=${token}`;
 * const grant = await verifier.verify({ method: "GET", target, authority: "10.20.30.40", headers: [] });
 * console.log(grant.pathGlobs); // [ "/*" ]
 * ```
 */
export function mediaCdnTokenVerifier(options: MediaCdnTokenVerifierOptions): Verifier<MediaCdnTokenGrant> {
  requireOptions(options);
  const { parameter = "edge-cache-token", cookie = "Edge-Cache-Cookie", allowUnsigned } = options;
  const { keyId = "media-cdn/token" } = options;
  return edgeVerifier(
    {
      id: "media-cdn/token",
      weak: [],
      detect: (request) => hasParameter(request, parameter) || hasCookie(request, cookie),
      parse({ request: { headers }, wire: { path, tokens } }): MediaCdnToken {
        const { own, others } = takeTokens(tokens, [parameter]);
        const inCookie = cookieValue(headers, cookie);
        if (inCookie !== undefined && own[parameter] !== undefined) {
          throw refusal("AMBIGUOUS_AUTHENTICATION", "the request has two tokens. Send one");
        }
        checkBelow(path);
        const parts = (own[parameter] ?? inCookie ?? "").split("~");
        const signature = parts.pop() as string;
        const fields = readFields(parts);
        const { Starts, Expires = "", Headers, IPRanges, URLPrefix, PathGlobs, FullPath, SessionID, Data } = fields;
        const expiresAt = parseEpoch(Expires);
        const notBefore = parseEpoch(Starts ?? "0");
        const scopes = [FullPath, PathGlobs, URLPrefix].filter((value) => value !== undefined);
        if (!PROOF.test(signature) || scopes.length !== 1 || expiresAt === undefined || notBefore === undefined) {
          throw bad("a scope, Expires and a proof");
        }
        const facts: MediaCdnTokenFacts = {
          prefix: URLPrefix && readPrefix(URLPrefix),
          pathGlobs: PathGlobs?.split(/[,!]/),
          sessionId: SessionID,
          data: Data,
          signedHeaders: Headers?.toLowerCase().split(",") ?? [],
        };
        return {
          signature,
          notBefore,
          expiresAt,
          path,
          target: path,
          facts,
          stringToSign: tokenStringToSign(fields, { path, headers, code: "MALFORMED" }),
          networks: IPRanges === undefined ? undefined : readRanges(IPRanges),
          unsigned: unsignedParameters(others, allowUnsigned),
        };
      },
      dummyKey: prepare({ secret: "AAAAAAAAAAAAAAAAAAAAAA" }),
      facts({ request, origin }, { path, networks, facts }) {
        const { prefix, pathGlobs } = facts;
        // After the signature check: matching patterns costs time, and the sender of a request may choose them.
        const isElsewhere =
          (prefix && !isBelow(origin + path, prefix)) || pathGlobs?.some((glob) => matchesGlob(glob, path)) === false;
        if (isElsewhere) throw refusal("SIGNATURE_MISMATCH", "the token is for another path");
        if (isInside(request.remoteAddress, networks)) return facts;
        throw refusal("IP_NOT_GRANTED", "the client is outside the granted networks");
      },
    },
    keyResolver(options.keys, () => keyId, prepare),
    options,
  );
}

interface MediaCdnToken extends EdgeToken {
  readonly networks: readonly Network[] | undefined;
  readonly facts: MediaCdnTokenFacts;
}

/** `hmac=…` or `Signature=…`. */
const PROOF = /^(?:hmac=(?:[0-9a-f]{40}|[0-9a-f]{64})|Signature=[A-Za-z0-9_-]{86})$/;

/** The key decides the algorithm: it never matches a proof of another kind. */
function prepare(key: MediaCdnTokenSecret | MediaCdnTokenVerifyKey): EdgeKey<MediaCdnToken> {
  if (hasMember(key, "matches")) return ({ stringToSign, signature }) => key.matches(stringToSign, signature);
  const prove = prover(sha256Hmac(secretBytes(key)));
  return ({ stringToSign }) => prove(stringToSign);
}

function readRanges(text: string): readonly Network[] {
  const ranges = latin1(fromBase64url(text) ?? new Uint8Array())
    .split(",")
    .map(parseCidr);
  if (ranges.every((range) => range !== undefined)) return ranges;
  throw bad("IPRanges as CIDR networks");
}
