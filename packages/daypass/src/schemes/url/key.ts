import { keyAdvice } from "#advice";
import { type Ed25519PrivateKey, type Ed25519PublicKey, hmacSha256, type PreparedHmac } from "#crypto";
import type { KeyResolver } from "../../core/contracts.ts";
import { strictPrivateKey, strictPublicKey } from "../../core/ed25519.ts";
import { DaypassError } from "../../core/errors.ts";
import { listOf, keyResolver as preparedKeys } from "../../core/key-resolver.ts";
import { unchecked } from "../../core/unchecked.ts";
import { fromBase64url } from "../../wire/encoding.ts";
import { PARAMETERS, readValue } from "./parameters.ts";
import { faultyMember, type UrlKeyScope } from "./scope.ts";

interface KeyFields {
  /** Names the key in URLs: 1 to 64 of A-Z a-z 0-9 _ -. */
  readonly kid: string;
  readonly use?: "sig" | undefined;
  /** What this key may grant; without it, anything. */
  readonly scope?: UrlKeyScope | undefined;
}

/** An HMAC-SHA256 key as a JWK: who can verify with it can sign with it. */
export interface UrlHmacKey extends KeyFields {
  readonly kty: "oct";
  readonly alg: "HS256";
  /** base64url of at least 32 random bytes. */
  readonly k: string;
}

/** An Ed25519 key as a JWK (RFC 8037, with the algorithm name of RFC 9864). */
export interface UrlEd25519Key extends KeyFields {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly alg: "Ed25519";
  /** base64url of the 32 bytes of the public key. */
  readonly x: string;
  /** base64url of the 32 bytes of the private key. Signers need it; verifiers ignore it. */
  readonly d?: string | undefined;
}

/** An Ed25519 key that can sign. */
export interface UrlEd25519PrivateKey extends UrlEd25519Key {
  readonly d: string;
}

/** A JWK that verifies Daypass URLs. The key decides the algorithm, never the URL. */
export type UrlKey = UrlHmacKey | UrlEd25519Key;

/** A JWK set (RFC 7517 section 5). */
export interface UrlKeySet {
  /** Several while one replaces another. */
  readonly keys: readonly UrlKey[];
}

/** A key that has been checked, ready to verify with. */
export type LoadedKey =
  | { readonly alg: "HS256"; readonly kid: string; readonly scope: UrlKeyScope; readonly mac: PreparedHmac }
  | {
      readonly alg: "Ed25519";
      readonly kid: string;
      readonly scope: UrlKeyScope;
      readonly publicKey: Ed25519PublicKey;
    };

/** Checks a JWK and prepares it. Throws `INVALID_KEY`. */
export function loadKey(given: UrlKey): LoadedKey {
  const key = given ?? ({} as UrlKey);
  const { kid, kty, alg, use = "sig", scope = {} } = key;
  if (typeof kid !== "string" || readValue("dp-key", kid) === undefined) {
    throw invalidKey("(unnamed)", keyAdvice(given) ?? `kid as ${PARAMETERS["dp-key"].text}`);
  }
  const invalid = (expected: string, cause?: unknown): DaypassError => invalidKey(kid, expected, cause);
  // "The algorithm belongs to the key": without exactly one name for it, the two halves of a system could differ.
  const fits = kty === "oct" ? alg === "HS256" : kty === "OKP" && key.crv === "Ed25519" && alg === "Ed25519";
  if (!fits || use !== "sig") {
    throw invalid('use "sig", and kty "oct" with alg "HS256" or kty "OKP" with crv and alg "Ed25519"');
  }
  const faulty = faultyMember(scope);
  if (faulty !== undefined) throw invalid(`a scope without a misspelt or malformed ${faulty}`);
  if (kty === "oct") return { alg, kid, scope, mac: hmacSha256(keyBytes(key, "k")) };
  return { alg, kid, scope, publicKey: strictPublicKey(keyBytes(key, "x"), invalid) };
}

/** The private half of an Ed25519 key. Whether it belongs to `x` shows at the first signature. */
export function loadPrivateKey(key: UrlEd25519PrivateKey): Ed25519PrivateKey {
  return strictPrivateKey(keyBytes(key, "d"));
}

function keyBytes(key: UrlKey, member: "k" | "x" | "d"): Uint8Array {
  const text = unchecked<Readonly<Record<string, unknown>>>(key)[member];
  const bytes = typeof text === "string" ? fromBase64url(text) : undefined;
  if (bytes !== undefined && (bytes.length === 32 || (bytes.length > 32 && member === "k"))) return bytes;
  throw invalidKey(key.kid, `${member} as unpadded base64url of 32 bytes${member === "k" ? " or more" : ""}`);
}

/** No message holds any part of the key but its kid. */
export function invalidKey(kid: string, expected: string, cause?: unknown): DaypassError {
  return new DaypassError("INVALID_KEY", `the key ${kid} cannot be used. Pass ${expected}`, { cause });
}

/** Turns any form of a verifier's `keys` option into a resolver of checked keys. */
export function keyResolver(keys: readonly UrlKey[] | UrlKeySet | KeyResolver<UrlKey>): KeyResolver<LoadedKey> {
  if (typeof keys !== "function") {
    const byKid = loadKeys(keys);
    return (kid) => byKid.get(kid);
  }
  const find = preparedKeys(keys, ({ kid }) => kid, loadKey);
  return async (kid) => {
    const [key, second] = listOf(await find(kid));
    if (key === undefined || (second === undefined && key.kid === kid)) return key;
    throw invalidKey(kid, "one key with this kid");
  };
}

/** Checks a whole set: a bad key or a repeated kid invalidates all keys. Throws `INVALID_KEY`. */
function loadKeys(keys: readonly UrlKey[] | UrlKeySet): ReadonlyMap<string, LoadedKey> {
  const list = listKeys(keys);
  if (!Array.isArray(list)) throw invalidKey("(unnamed)", "keys as a list or JWK set");
  const byKid = new Map(list.map((key) => [key?.kid, loadKey(key)]));
  if (byKid.size < list.length) throw invalidKey([...byKid.keys()].join(), "each kid once");
  return byKid;
}

// Arrays have a `keys` method, so the other way round would not distinguish them.
function listKeys(keys: readonly UrlKey[] | UrlKeySet): readonly UrlKey[] {
  return Array.isArray(keys) ? keys : ((keys as UrlKeySet | undefined)?.keys as readonly UrlKey[]);
}

/**
 * The set that may be published for verifiers elsewhere: the Ed25519 keys without their private half. HMAC keys are
 * omitted, because anyone who can read one can sign with it.
 *
 * Source: docs/spec/daypass-url.md, section 8
 *
 * @param keys the JWKs of the signer, as a list or as a JWK set
 * @throws {DaypassError} `INVALID_KEY`
 * @example
 * ```ts
 * import { publishedKeySet } from "daypass/url";
 *
 * const key = { kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "edge-1", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } as const;
 * export const body = JSON.stringify(publishedKeySet([key]));
 * ```
 */
export function publishedKeySet(keys: readonly UrlKey[] | UrlKeySet): UrlKeySet {
  loadKeys(keys);
  const published = listKeys(keys).flatMap((key) => {
    if (key.kty !== "OKP") return [];
    const { kty, crv, alg, kid, x, scope } = key;
    return [{ kty, crv, alg, kid, use: "sig" as const, x, scope }];
  });
  return { keys: published };
}
