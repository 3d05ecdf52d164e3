import { utf8 } from "../encode.ts";
import {
  invalidRsaKey,
  PRIVATE_FORMS,
  PUBLIC_FORMS,
  type RsaDigest,
  type RsaJwk,
  type RsaPrivateKey,
  type RsaPublicKey,
  SHORTEST_MODULUS,
} from "./rsa-contract.ts";
import { rsaPkcs8, rsaSpki } from "./rsa-der.ts";

export type { RsaDigest, RsaJwk, RsaPrivateKey, RsaPublicKey } from "./rsa-contract.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  readonly subtle: {
    importKey(
      format: "spki" | "pkcs8" | "jwk",
      data: Uint8Array | RsaJwk,
      algorithm: Algorithm & { readonly hash: "SHA-1" | "SHA-256" },
      extractable: false,
      usages: readonly ["sign" | "verify"],
    ): Promise<CryptoKey>;
    sign(algorithm: Algorithm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    verify(algorithm: Algorithm, key: CryptoKey, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
  };
};
interface Algorithm {
  readonly name: "RSASSA-PKCS1-v1_5";
}
interface CryptoKey {
  readonly algorithm: { readonly modulusLength?: number };
}

const PKCS1: Algorithm = { name: "RSASSA-PKCS1-v1_5" };
const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? utf8(data) : Uint8Array.from(data);

/**
 * A key that signs, given as PEM (PKCS#8 or PKCS#1). Throws `INVALID_KEY`: for what is no PEM at once, for the rest from
 * the first use on, as WebCrypto reads keys in its own time.
 */
export function rsaPrivateKey(pem: string): RsaPrivateKey {
  const keyFor = imported("pkcs8", rsaPkcs8(pem), "sign", PRIVATE_FORMS);
  return {
    async sign(digest, message) {
      const data = bytesOf(message); // a copy, before anybody else has a turn
      return new Uint8Array(await crypto.subtle.sign(PKCS1, await keyFor(digest), data));
    },
  };
}

/** A key that verifies, given as PEM (SPKI, PKCS#1, or a certificate, of which only the key is read) or JWK. */
export function rsaPublicKey(pemOrJwk: string | RsaJwk): RsaPublicKey {
  const keyFor =
    typeof pemOrJwk === "object" && pemOrJwk !== null
      ? imported("jwk", { kty: pemOrJwk.kty, n: pemOrJwk.n, e: pemOrJwk.e }, "verify", PUBLIC_FORMS)
      : imported("spki", rsaSpki(pemOrJwk), "verify", PUBLIC_FORMS);
  return {
    async verify(digest, message, signature) {
      const data = bytesOf(message);
      const copy = Uint8Array.from(signature);
      return crypto.subtle.verify(PKCS1, await keyFor(digest), copy, data);
    },
  };
}

/** WebCrypto ties a key to one hash: each is imported when it is first asked for, and once. */
function imported(
  format: "spki" | "pkcs8" | "jwk",
  data: Uint8Array | RsaJwk,
  usage: "sign" | "verify",
  expected: string,
): (digest: RsaDigest) => Promise<CryptoKey> {
  const keys: { [digest in RsaDigest]?: Promise<CryptoKey> } = {};
  return async (digest) => {
    const hash = digest === "sha1" ? "SHA-1" : "SHA-256";
    keys[digest] ??= crypto.subtle.importKey(format, data, { ...PKCS1, hash }, false, [usage]);
    const key = await keys[digest].catch(() => undefined);
    if ((key?.algorithm.modulusLength ?? 0) >= SHORTEST_MODULUS) return key as CryptoKey;
    throw invalidRsaKey(expected);
  };
}
