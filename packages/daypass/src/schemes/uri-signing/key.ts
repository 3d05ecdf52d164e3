import { hmacSha256, type PreparedHmac } from "#crypto";
import { type DaypassError, refusal } from "../../core/errors.ts";
import { hasMember } from "../../core/secrets.ts";
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

/** `INVALID_KEY`, which says nothing of what was found: it may be the secret in the wrong place. */
export function invalidKey(expected: string): DaypassError {
  return refusal("INVALID_KEY", `a key for URI signing: ${expected}`);
}
