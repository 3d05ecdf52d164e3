import { utf8 } from "../wire/encoding.ts";
import { isForSignatures } from "./contract.ts";
import {
  invalidRsaKey,
  type RsaDigest,
  type RsaJwk,
  type RsaPrivateKey,
  type RsaPublicKey,
  rsaDer,
  SHORTEST_MODULUS,
} from "./rsa-contract.ts";

export type { RsaDigest, RsaJwk, RsaPrivateKey, RsaPublicKey } from "./rsa-contract.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  readonly subtle: {
    importKey(
      format: "spki" | "pkcs8" | "jwk",
      data: Uint8Array | RsaJwk,
      algorithm: Algorithm & { readonly hash: string },
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
 * A key that signs, given as PEM (PKCS#8 or PKCS#1). Throws `INVALID_KEY`: for a text that is not PEM at once, for other errors from
 * the first use on, as WebCrypto reads keys in its own time.
 */
export function rsaPrivateKey(pem: string): RsaPrivateKey {
  const keyFor = imported("pkcs8", rsaDer(pem, "private"));
  return {
    async sign(digest, message) {
      const data = bytesOf(message); // a copy, because the caller may change the bytes later
      return new Uint8Array(await crypto.subtle.sign(PKCS1, await keyFor(digest), data));
    },
  };
}

/** A key that verifies, given as PEM (SPKI, PKCS#1, or a certificate, of which only the key is read) or JWK. */
export function rsaPublicKey(pemOrJwk: string | RsaJwk): RsaPublicKey {
  const { kty, n, e } = Object(pemOrJwk) as RsaJwk;
  if (kty && !isForSignatures("RS256", pemOrJwk as RsaJwk)) throw invalidRsaKey("public");
  const keyFor = kty ? imported("jwk", { kty, n, e }) : imported("spki", rsaDer(pemOrJwk as string, "public"));
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
): (digest: RsaDigest) => Promise<CryptoKey> {
  const isPrivate = format === "pkcs8";
  const keys: { [digest in RsaDigest]?: Promise<CryptoKey> } = {};
  return async (digest) => {
    const algorithm = { ...PKCS1, hash: digest.replace("sha", "SHA-") };
    keys[digest] ??= crypto.subtle.importKey(format, data, algorithm, false, [isPrivate ? "sign" : "verify"]);
    const key = await keys[digest].catch(() => undefined);
    if ((key?.algorithm.modulusLength ?? 0) >= SHORTEST_MODULUS) return key as CryptoKey;
    throw invalidRsaKey(isPrivate ? "private" : "public");
  };
}
