import { ed25519PrivateKey, hmacSha256, type PreparedHmac } from "#crypto";
import { type EcJwk, ecdsaPrivateKey, ecdsaPublicKey } from "#crypto/ecdsa";
import { type RsaJwk, rsaPrivateKey, rsaPublicKey } from "#crypto/rsa";
import { strictPublicKey } from "../../core/ed25519.ts";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { hasMember } from "../../core/key-resolver.ts";
import { isForSignatures, type JwkPurpose } from "../../crypto/contract.ts";
import { fromBase64url } from "../../wire/encoding.ts";

/** The algorithms of JWS that are known here. `none` is not among them. */
export type UriSigningAlgorithm = "HS256" | "ES256" | "RS256" | "EdDSA";

/** A shared secret as a JWK. `kid` and `alg` are required: the key decides the algorithm, never the token. */
export interface UriSigningSecret {
  readonly kty: "oct";
  readonly alg: "HS256";
  readonly kid: string;
  /** base64url. */
  readonly k: string;
}

/** A public-key pair, or its public half, created by `uriSigningEs256`, `uriSigningRs256` or `uriSigningEdDsa`. */
export interface UriSigningKey {
  readonly alg: UriSigningAlgorithm;
  readonly kid: string;
  /** Whether `signature` is one of this key over the bytes of `input`, which is ASCII. */
  readonly verify: (input: string, signature: Uint8Array) => Promise<boolean>;
  /** Missing in public halves. */
  readonly sign?: ((input: string) => Promise<Uint8Array>) | undefined;
}

/** A pair that can sign. */
export interface UriSigningPrivateKey extends UriSigningKey {
  readonly sign: (input: string) => Promise<Uint8Array>;
}

/** The keys of one issuer. */
export interface UriSigningKeySet {
  /** The `iss` of the tokens that these keys sign; without it, of tokens that have none. */
  readonly issuer?: string | undefined;
  /** Several while one replaces another. */
  readonly keys: readonly (UriSigningSecret | UriSigningKey)[];
}

/** A key that has been checked. */
export interface LoadedKey {
  readonly alg: UriSigningAlgorithm;
  readonly kid: string;
  readonly issuer: string | undefined;
  /** HS256 only. */
  readonly mac?: PreparedHmac | undefined;
  /** The others. */
  readonly key?: UriSigningKey | undefined;
}

/** Checks a secret and prepares it. Throws `INVALID_KEY`. */
export function loadSecret(key: UriSigningSecret): PreparedHmac {
  const { kty, alg, kid, k } = key ?? ({} as UriSigningSecret);
  checkKid(kid);
  const bytes = typeof k === "string" ? fromBase64url(k) : undefined;
  if (kty !== "oct" || alg !== "HS256" || bytes === undefined || bytes.length < 16) {
    throw invalidKey('kty "oct", alg "HS256", k of 16 bytes or more in base64url');
  }
  return hmacSha256(bytes);
}

export function checkKid(kid: unknown): void {
  if (typeof kid !== "string" || kid === "") throw invalidKey("a kid");
}

export function loadKey(key: UriSigningSecret | UriSigningKey, issuer: string | undefined): LoadedKey {
  if (hasMember(key, "verify")) return { alg: key.alg, kid: key.kid, issuer, key };
  const mac = loadSecret(key);
  return { alg: key.alg, kid: key.kid, issuer, mac };
}

/** `INVALID_KEY` without the value, which may be the secret in the wrong place. */
export function invalidKey(expected: string): DaypassError {
  return refusal("INVALID_KEY", `the key cannot be used for URI signing. Pass ${expected}`);
}

/** A P-256 key as a JWK; keys that sign have `d`. */
export interface UriSigningEcJwk extends EcJwk, Omit<JwkPurpose, "alg"> {
  readonly alg: "ES256";
  readonly kid: string;
}

/**
 * A key for ES256: ECDSA over P-256.
 *
 * Source: RFC 7518, section 3.4
 *
 * @param jwk signs if it has `d`
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { uriSigningEs256 } from "daypass/uri-signing";
 *
 * // The key of RFC 9246, appendix A.
 * export const key = uriSigningEs256({
 *   kty: "EC",
 *   alg: "ES256",
 *   kid: "P5UpOv0eMq1wcxLf7WxIg09JdSYGYFDOWkldueaImf0",
 *   crv: "P-256",
 *   x: "be807S4O7dzB6I4hTiCUvmxCI6FuxWba1xYBlLSSsZ8",
 *   y: "rOGC4vI69g-WF9AGEVI37sNNwbjIzBxSjLvIL7f3RBA",
 * });
 * ```
 */
export function uriSigningEs256(jwk: UriSigningEcJwk & { readonly d: string }): UriSigningPrivateKey;
export function uriSigningEs256(jwk: UriSigningEcJwk): UriSigningKey;
export function uriSigningEs256(jwk: UriSigningEcJwk): UriSigningKey {
  const { alg, kid } = checkJwk(jwk, "ES256");
  const verify = ecdsaPublicKey(jwk).verifyRaw;
  return { alg, kid, verify, sign: jwk.d === undefined ? undefined : ecdsaPrivateKey(jwk).signRaw };
}

/** An Ed25519 key as a JWK (RFC 8037); keys that sign have `d`. */
export interface UriSigningOkpJwk extends Omit<JwkPurpose, "alg"> {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly alg: "EdDSA";
  readonly kid: string;
  readonly x: string;
  readonly d?: string | undefined;
}

/**
 * A key for EdDSA: Ed25519.
 *
 * Source: RFC 8037
 *
 * @param jwk signs if it has `d`
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { uriSigningEdDsa } from "daypass/uri-signing";
 *
 * const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
 * export const key = uriSigningEdDsa({ kty: "OKP", crv: "Ed25519", alg: "EdDSA", kid: "edge-1", x });
 * ```
 */
export function uriSigningEdDsa(jwk: UriSigningOkpJwk & { readonly d: string }): UriSigningPrivateKey;
export function uriSigningEdDsa(jwk: UriSigningOkpJwk): UriSigningKey;
export function uriSigningEdDsa(jwk: UriSigningOkpJwk): UriSigningKey {
  const { alg, kid } = checkJwk(jwk, "EdDSA");
  const bytes = (text: string): Uint8Array => {
    const found = jwk.kty === "OKP" && jwk.crv === "Ed25519" ? fromBase64url(String(text)) : undefined;
    if (found?.length !== 32) throw invalidKey('kty "OKP", crv "Ed25519", and x and d of 32 bytes in base64url');
    return found;
  };
  const publicKey = strictPublicKey(bytes(jwk.x), invalidKey);
  const privateKey = jwk.d === undefined ? undefined : ed25519PrivateKey(bytes(jwk.d));
  return { alg, kid, verify: publicKey.verify, sign: privateKey?.sign };
}

/** An RSA public key as a JWK. */
export interface UriSigningRsaJwk extends RsaJwk {
  readonly alg: "RS256";
  readonly kid: string;
}

/**
 * A key for RS256: RSASSA-PKCS1-v1_5 with SHA-256. It can sign if a private key in PEM is given.
 *
 * Source: RFC 7518, section 3.3
 *
 * @param jwk the public key, which verifies
 * @param privateKey PEM, PKCS #8 or PKCS #1
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { type UriSigningRsaJwk, uriSigningRs256 } from "daypass/uri-signing";
 *
 * export const load = (jwk: UriSigningRsaJwk) => uriSigningRs256(jwk);
 * ```
 */
export function uriSigningRs256(jwk: UriSigningRsaJwk, privateKey: string): UriSigningPrivateKey;
export function uriSigningRs256(jwk: UriSigningRsaJwk): UriSigningKey;
export function uriSigningRs256(jwk: UriSigningRsaJwk, privateKey?: string): UriSigningKey {
  const { alg, kid } = checkJwk(jwk, "RS256");
  const publicKey = rsaPublicKey(jwk);
  const pair = privateKey === undefined ? undefined : rsaPrivateKey(privateKey);
  return {
    alg,
    kid,
    verify: (input, signature) => publicKey.verify("sha256", input, signature),
    sign: pair && ((input) => pair.sign("sha256", input)),
  };
}

interface Named<A extends string> extends JwkPurpose {
  readonly alg: A;
  readonly kid: string;
}

function checkJwk<A extends string>(jwk: Named<A>, alg: A): Named<A> {
  checkKid(jwk?.kid);
  if (!jwk.alg || !isForSignatures(alg, jwk)) throw invalidKey(`alg "${alg}", for signatures`);
  return jwk;
}
