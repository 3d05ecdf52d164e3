import { constantTimeEqual, hmacSha256 } from "#crypto";
import type { Obligation, Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { listOf, whenFound } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import {
  type EdgeGrant,
  type EdgeKey,
  type EdgeToken,
  type EdgeVerifierOptions,
  type ExpiryOptions,
  edgeVerifier,
} from "../../edge/verify.ts";
import { signatureBytesUrl } from "../../wire/encoding.ts";
import { malformed } from "../../wire/parameters.ts";
import { refuseDotSegments } from "../../wire/path-safety.ts";
import { readClaims, type UriSigningClaims } from "./claims.ts";
import type { UriSigningEncryption } from "./encryption.ts";
import type { UriSigningRegex } from "./ere.ts";
import { invalidKey, type LoadedKey, loadKey, type UriSigningKeySet } from "./keys.ts";
import { ATTRIBUTE, detectToken, findToken, type Jws, readJws } from "./token.ts";
import { containerHolds, joinUri, type NormalUri, normalizeUri } from "./uri.ts";

/** What a verified token allows. */
export interface UriSigningGrant extends EdgeGrant {
  /** The normalised URI without the token, for the container. */
  readonly uri: string;
  /** All claims. `jti` is the obligation `uses`, and a `sub` has been proved. */
  readonly claims: UriSigningClaims;
  /** `sub`, decrypted. */
  readonly subject: string | undefined;
  /** The instant from which the next token of a chain counts. */
  readonly verifiedAt: Date;
}

/** Options of {@link uriSigningVerifier}. */
export interface UriSigningVerifierOptions extends EdgeVerifierOptions, ExpiryOptions {
  /** The keys of each issuer, or a function that fetches them. */
  readonly keySets:
    | readonly UriSigningKeySet[]
    | (() => readonly UriSigningKeySet[] | Promise<readonly UriSigningKeySet[]>);
  /** Set it to `uriSigningRegex` to accept the containers `regex:`, which prefixes also use. */
  readonly regex?: ((source: string) => UriSigningRegex) | undefined;
  /** Who this is: one of the names in `aud`. Without it, only tokens without an audience are accepted. */
  readonly audience?: string | undefined;
  /** Reads `sub` and `cdniip`; without it, tokens with these are refused with `UNENFORCED_CONSTRAINT`. */
  readonly encryption?: Pick<UriSigningEncryption, "decrypt" | "admits"> | undefined;
  /** Names of further claims that the caller acts on (`grant.claims`). A token with any other is refused. */
  readonly extensions?: readonly string[] | undefined;
  /** Name of the attribute and the cookie, `"URISigningPackage"` by default. */
  readonly attribute?: string | undefined;
  /** The header of tokens that are sent without one, in base64url. */
  readonly header?: string | undefined;
  /** Seconds that `iat` may lie in the future: 60 by default. Ends and starts have no leeway. */
  readonly maxSkew?: number | undefined;
}

/**
 * Verifies URI Signing for CDNs (RFC 9246): a JWT in the query, in a path parameter or in a cookie.
 *
 * All claims of the standard are supported; anything else is refused: other claims, other containers, an expression
 * that is not POSIX or for which there is no `regex`, and a token without a URI container, which would be valid for every URI.
 * Expressions match the whole normalised URI, in linear time. `jti` is the obligation `uses`, which needs state. The key decides the
 * algorithm. The method is not bound: `methods` says what a token grants.
 *
 * Source: RFC 9246
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `WRONG_ORIGIN`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `METHOD_NOT_GRANTED`, `KEY_SCOPE`,
 * `WRONG_AUDIENCE`, `WRONG_SUBJECT`, `IP_NOT_GRANTED`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { uriSigningRegex, uriSigningVerifier } from "daypass/uri-signing";
 *
 * export const verifier = uriSigningVerifier({
 *   regex: uriSigningRegex,
 *   keySets: [{ issuer: "uCDN Inc", keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" }] }],
 *   origins: ["https://cdn.example.com"],
 * });
 * ```
 */
export function uriSigningVerifier(options: UriSigningVerifierOptions): Verifier<UriSigningGrant> {
  requireOptions(options);
  const { keySets, regex, attribute = ATTRIBUTE, header, audience, encryption, maxSkew = 60 } = options;
  const extensions = listOf(options.extensions);
  const edgeKey =
    (key: LoadedKey): EdgeKey<UriSigningToken> =>
    async ({ jws, claims, personal }, { request }) => {
      const matches = (await isSignedBy(key, jws)) && jws.alg === key.alg && claims.iss === key.issuer;
      const { sub, cdniip } = claims;
      if (matches && sub !== undefined) personal.subject = await encryption?.decrypt(sub);
      if (matches && cdniip !== undefined)
        personal.isAdmitted = await encryption?.admits(cdniip, request.remoteAddress);
      return matches;
    };
  const find = keyFinder(keySets);
  return edgeVerifier(
    {
      id: "uri-signing",
      weak: [],
      detect: (request) => detectToken(request, attribute),
      // Checks the grammar of the token and the types of its claims, but neither the signature nor the URI.
      parse({ request, origin }): UriSigningToken {
        const found = findToken(request, attribute);
        const jws = readJws(found.token, header);
        const claims = readClaims(jws.payload, extensions);
        const { exp, nbf } = claims;
        // Normalisation would complete a broken escape with the text after it: `%%37%33` would become `%73`.
        if (/%(?![0-9A-Fa-f]{2})/.test(found.target)) throw malformed("target", "form", "whole escapes");
        const uri = normalizeUri(origin, found.target);
        return {
          jws,
          claims,
          uri,
          keyId: jws.kid,
          signature: jws.signature,
          stringToSign: jws.input,
          path: uri.path,
          personal: {},
          // "URI Signing implementations MUST NOT allow for any time synchronization leeway".
          notBefore: nbf && nbf * 1000,
          expiresAt: exp && exp * 1000,
          // The handler acts on the verified URI, which is normalised.
          target: joinUri({ ...uri, origin: "" }),
        };
      },
      dummyKey: edgeKey({ alg: "HS256", kid: "", issuer: "", mac: hmacSha256("dummy") }),
      facts(_received, { claims, uri, personal }, { now, proof }) {
        const { aud, sub, cdniip, cdniuc, iat, jti } = claims;
        const text = joinUri(uri);
        // A hash covers the whole URI, but an expression can be a prefix.
        if (/^r/.test(cdniuc)) refuseDotSegments(uri.path);
        if (!containerHolds(cdniuc, text, regex))
          throw refusal("SIGNATURE_MISMATCH", "the URI container of the token does not hold this URI");
        if (aud === undefined ? audience !== undefined : !audience || ![aud].flat().includes(audience)) {
          throw refusal("WRONG_AUDIENCE", "the token is for another audience");
        }
        if (iat !== undefined && !(iat * 1000 <= now + maxSkew * 1000)) {
          throw refusal("NOT_YET_VALID", "the token was issued in the future");
        }
        const { subject } = personal;
        const constraint = sub === undefined ? cdniip && "cdniip" : "sub";
        if (constraint && encryption === undefined) {
          throw refusal(
            "UNENFORCED_CONSTRAINT",
            `the token has the encrypted claim ${constraint}, which this verifier has no key for`,
            { constraint },
          );
        }
        if (sub !== undefined && (subject === undefined || subject !== proof.subject)) {
          throw refusal("WRONG_SUBJECT", "the token is for another subject");
        }
        if (cdniip !== undefined && personal.isAdmitted !== true) {
          throw refusal("IP_NOT_GRANTED", "the client is outside the network of the token");
        }
        const obligations: readonly Obligation[] = jti === undefined ? [] : [{ kind: "uses", limit: 1 }];
        return { uri: text, claims, subject, verifiedAt: new Date(now), obligations };
      },
    },
    (kid) => whenFound(find(kid), (found) => found.map(edgeKey)),
    { ...options, keyId: "" },
  );
}

/** A parsed token. */
interface UriSigningToken extends EdgeToken {
  readonly jws: Jws;
  readonly claims: UriSigningClaims;
  readonly uri: NormalUri;
  /** The decrypted claims `sub` and `cdniip`, set after the signature has been verified. */
  readonly personal: { subject?: string | undefined; isAdmitted?: boolean | undefined };
}

async function isSignedBy({ mac, key }: LoadedKey, { input, signature }: Jws): Promise<boolean> {
  if (mac !== undefined) return constantTimeEqual(mac.base64url(input), signature);
  return (await key?.verify(input, signatureBytesUrl(signature) as Uint8Array)) === true;
}

type FindKeys = (kid: string) => readonly LoadedKey[] | Promise<readonly LoadedKey[]>;

/** Keys by kid. A token without a kid is tried with all keys. The check compares the issuer. */
function keyFinder(keySets: UriSigningVerifierOptions["keySets"]): FindKeys {
  const pick = (keys: readonly LoadedKey[], kid: string): readonly LoadedKey[] =>
    kid === "" ? keys : keys.filter((key) => key.kid === kid);
  if (typeof keySets !== "function") {
    const keys = listOf(keySets ?? ({} as UriSigningKeySet)).flatMap(loadSet);
    return (kid) => pick(keys, kid);
  }
  return async (kid) => pick(listOf(await keySets()).flatMap(loadSet), kid);
}

function loadSet({ issuer, keys }: UriSigningKeySet): readonly LoadedKey[] {
  if (!Array.isArray(keys)) throw invalidKey("keys as a list");
  const loaded = keys.map((key) => loadKey(key, issuer));
  if (new Set(loaded.map(({ kid }) => kid)).size === loaded.length) return loaded;
  throw invalidKey("each kid once");
}
