import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { isForSignatures } from "./contract.ts";
import {
  invalidRsaKey,
  pemLines,
  type RsaJwk,
  type RsaPrivateKey,
  type RsaPublicKey,
  SHORTEST_MODULUS,
} from "./rsa-contract.ts";

export type { RsaDigest, RsaJwk, RsaPrivateKey, RsaPublicKey } from "./rsa-contract.ts";

/** A key that signs, given as PEM (PKCS#8 or PKCS#1). Throws `INVALID_KEY`. */
export function rsaPrivateKey(pem: string): RsaPrivateKey {
  const key = load("private", () => createPrivateKey(pemLines(pem)));
  return {
    // With a callback OpenSSL works on the thread pool: half a millisecond of arithmetic does not hold up the event
    // loop, and as many signatures are made at once as there are cores.
    sign: (digest, message) =>
      new Promise((resolve, reject) => {
        sign(digest, bytesOf(message), key, (error, signature) => (error ? reject(error) : resolve(signature)));
      }),
  };
}

/** A key that verifies, given as PEM (SPKI, PKCS#1, or a certificate, of which only the key is read) or JWK. Throws `INVALID_KEY`. */
export function rsaPublicKey(pemOrJwk: string | RsaJwk): RsaPublicKey {
  const key = load("public", () => {
    const { kty, n, e } = Object(pemOrJwk) as RsaJwk;
    if (kty && isForSignatures("RS256", pemOrJwk as RsaJwk))
      return createPublicKey({ key: { kty, n, e }, format: "jwk" });
    const pem = pemLines(pemOrJwk);
    // Node would make a public key of a private one as well: a secret that a verifier should not have.
    return createPublicKey(pem.includes("PRIVATE KEY-") ? "" : pem);
  });
  return {
    // Not on the thread pool: with a short public exponent the way there would take as long as the arithmetic.
    verify: async (digest, message, signature) => verify(digest, bytesOf(message), key, signature),
  };
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? Buffer.from(data) : data);

function load(kind: "private" | "public", read: () => KeyObject): KeyObject {
  try {
    const key = read();
    const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    // A key for RSA-PSS has another type: it may not make signatures of this kind.
    if (key.asymmetricKeyType === "rsa" && modulusLength >= SHORTEST_MODULUS) return key;
  } catch {
    // OpenSSL's reason is omitted: some of its texts quote the unreadable key.
  }
  throw invalidRsaKey(kind);
}
