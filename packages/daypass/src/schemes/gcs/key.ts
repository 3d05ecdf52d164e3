import { constantTimeEqual } from "#crypto";
import { type RsaJwk, rsaPublicKey } from "#crypto/rsa";
import type { KeyResolver } from "../../core/contracts.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import type { CredentialScope } from "../../core/v4.ts";
import { hex } from "../../wire/encoding.ts";
import { checkEmail, checkHmacKey, type GcsHmacKey, hmacSigner } from "./credentials.ts";

/** The public half of a service account's key. */
export interface GcsPublicAccount {
  readonly client_email: string;
  /** PEM of the key or of the certificate that Google publishes for the account, or a JWK. */
  readonly public_key: string | RsaJwk;
}

/** Tells whether a key has made a signature (lower-case hexadecimal) over an ASCII text, for a scope. */
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
 * Stands in for an unknown account, so that it costs what a known one does. Anybody can find the factors of this modulus of
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

/** Of an unknown HMAC key, too: it costs the same. */
export function hmacKey(secret: string): HasSigned {
  const sign = hmacSigner(secret);
  return (text, signature, scope) => constantTimeEqual(hex(sign(text, scope)), signature);
}
