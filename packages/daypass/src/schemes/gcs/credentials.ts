import { constantTimeEqual } from "#crypto";
import { type RsaJwk, rsaPrivateKey, rsaPublicKey } from "#crypto/rsa";
import type { KeyResolver } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import type { CredentialScope } from "../../core/v4.ts";
import { smallHmac } from "../../crypto/small-hmac.ts";
import { hex } from "../../wire/encoding.ts";
import { GOOG4_HMAC } from "./canonical.ts";

/** The content of a service account's key file: the parsed file can be passed unchanged. */
export interface GcsServiceAccount {
  readonly client_email: string;
  /** PEM. */
  readonly private_key: string;
  readonly universe_domain?: string | undefined;
  /** When it expires, if it does: no URL signed with it lasts longer. */
  readonly expiration?: Date | undefined;
}

/** A service account whose key is elsewhere: at Google (see `iamCredentials`), in a KMS or an HSM. */
export interface GcsRemoteAccount {
  readonly client_email: string;
  /** RSASSA-PKCS1-v1_5 with SHA-256 over these bytes, by the account's key. */
  readonly signBytes: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** Seconds after which the key behind `signBytes` may have been replaced: longer lifetimes get a warning. */
  readonly keyLife?: number | undefined;
  readonly universe_domain?: string | undefined;
  /** When it expires, if it does: no URL signed with it lasts longer. */
  readonly expiration?: Date | undefined;
}

/** A service account, wherever its key is. */
export type GcsAccount = GcsServiceAccount | GcsRemoteAccount;

/** An HMAC key of Cloud Storage. */
export interface GcsHmacKey {
  /** Begins with `GOOG`. */
  readonly accessKeyId: string;
  /** The text as Google shows it, base64 that is not decoded. */
  readonly secretAccessKey: string;
  /** When it expires, if it does: no URL signed with it lasts longer. */
  readonly expiration?: Date | undefined;
}

// An invalid Date compares as false, and one before 1970 is a mistake.
const isEnd = (expiration: Date | 1 = 1): boolean => Number(expiration) > 0;

/** Throws `INVALID_KEY`. */
export function checkEmail(email: string, expiration?: Date): string {
  if (/^[\w.+-]+@[\w.-]+$/.test(email) && isEnd(expiration)) return email;
  throw refusal(
    "INVALID_KEY",
    "the credentials cannot be used. Pass client_email as an address, and expiration as a Date",
  );
}

/** Throws `INVALID_KEY` without the value, which may be the secret in the wrong place. */
export function checkHmacKey(key: GcsHmacKey): GcsHmacKey {
  const { accessKeyId, secretAccessKey, expiration } = key ?? {};
  const areTexts = [accessKeyId, secretAccessKey].every((part) => typeof part === "string" && /^[!-~]+$/.test(part));
  if (areTexts && isEnd(expiration)) return key;
  throw refusal(
    "INVALID_KEY",
    "the credentials cannot be used. Pass accessKeyId and secretAccessKey as ASCII text, and expiration as a Date",
  );
}

/** All that is signed is ASCII: paths and parameters are encoded, names and header values are held to it. */
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Signs ASCII text by the account's key, wherever that is. Throws `INVALID_KEY`. */
export function accountSigner(account: GcsAccount): (text: string) => Promise<Uint8Array> {
  checkEmail(account?.client_email, account?.expiration);
  if ("signBytes" in account) {
    return async (text) => {
      const bytes = await account.signBytes(ascii(text));
      // Not by its class: an array of another realm is no instance of this one's. No key has fewer than 1024 bits.
      if (bytes?.BYTES_PER_ELEMENT === 1 && bytes.length >= 128) return bytes;
      throw refusal("INVALID_KEY", "signBytes did not return a Uint8Array");
    };
  }
  const key = rsaPrivateKey(account.private_key);
  return (text) => key.sign("sha256", text);
}

// A URL lives for seven days at most, so eight dates can be in use; the rest is room for a few locations.
const MAX_SCOPES = 32;

/** Signs ASCII text by the keys that are derived of one secret: an HMAC chain over the parts of a scope, each key is kept. */
export function hmacSigner(secret: string): (text: string, scope: CredentialScope) => Uint8Array {
  const derived = new Map<string, Uint8Array>();
  return (text, { date, region, service }) => {
    const steps = [date, region, service, GOOG4_HMAC.terminator];
    const name = steps.join("/");
    const key = derived.get(name) ?? steps.map(ascii).reduce(smallHmac, ascii(GOOG4_HMAC.secretPrefix + secret));
    // The scope comes from the request. A client that sends many scopes must not fill the memory.
    if (derived.size >= MAX_SCOPES) derived.clear();
    derived.set(name, key);
    return smallHmac(key, ascii(text));
  };
}

/** The public half of a service account's key. */
export interface GcsPublicAccount {
  readonly client_email: string;
  /** PEM of the key or of the certificate that Google publishes for the account, or a JWK. */
  readonly public_key: string | RsaJwk;
}

/** Returns whether a key has made a signature (lower-case hexadecimal) over an ASCII text, for a scope. */
export type HasSigned = (text: string, signature: string, scope: CredentialScope) => boolean | Promise<boolean>;

/** The keys of accounts, ready to verify. Throws `INVALID_KEY`. */
export function accountKeys(keys: Keys<GcsPublicAccount>): KeyResolver<HasSigned> {
  return keyResolver(
    keys,
    ({ client_email }) => client_email,
    ({ client_email, public_key }) => {
      checkEmail(client_email);
      return rsaKey(public_key);
    },
  );
}

function rsaKey(publicKey: string | RsaJwk): HasSigned {
  const key = rsaPublicKey(publicKey);
  return (text, signature) => {
    const pairs = signature.match(/../g) ?? [];
    return key.verify(
      "sha256",
      text,
      Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)),
    );
  };
}

/**
 * Replaces the key of an unknown account, so that both accounts cost the same. Everyone can find the factors of this modulus of
 * 2048 ones, but a match with it is never believed.
 */
export function dummyAccount(): HasSigned {
  return rsaKey({ kty: "RSA", n: `${"_".repeat(341)}w`, e: "AQAB" });
}

/** HMAC keys, ready to verify. Throws `INVALID_KEY`. */
export function hmacKeys(keys: Keys<GcsHmacKey>): KeyResolver<HasSigned> {
  return keyResolver(
    keys,
    ({ accessKeyId }) => accessKeyId,
    (key) => hmacKey(checkHmacKey(key).secretAccessKey),
  );
}

/** Also called for an unknown HMAC key, so that both cost the same time. */
export function hmacKey(secret: string): HasSigned {
  const sign = hmacSigner(secret);
  return (text, signature, scope) => constantTimeEqual(hex(sign(text, scope)), signature);
}
