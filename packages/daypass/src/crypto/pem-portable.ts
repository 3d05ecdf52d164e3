import { fromBase64, hex, utf8 } from "../wire/encoding.ts";
import { fromDer, toDer } from "./ecdsa-key.ts";
import { invalidPem, type PemHash, type PemPrivateKey, type PemPublicKey } from "./pem-contract.ts";
import { pemBlock } from "./rsa-contract.ts";

export type { PemHash, PemPrivateKey, PemPublicKey } from "./pem-contract.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  readonly subtle: {
    importKey(
      format: "spki" | "pkcs8",
      data: Uint8Array,
      algorithm: Algorithm,
      extractable: false,
      usages: readonly ["sign" | "verify"],
    ): Promise<CryptoKey>;
    sign(algorithm: Algorithm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    verify(algorithm: Algorithm, key: CryptoKey, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
  };
};
interface Algorithm {
  readonly name: "ECDSA" | "RSASSA-PKCS1-v1_5";
  readonly hash: "SHA-1" | "SHA-256";
  readonly namedCurve: "P-256";
}
interface CryptoKey {
  readonly algorithm: { readonly modulusLength?: number };
}

// Object identifiers in DER: rsaEncryption with its NULL; id-ecPublicKey, with prime256v1 behind it.
const RSA = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
const EC = [0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

interface Loaded {
  readonly isEc: boolean;
  algorithm(hash: PemHash): Algorithm;
  key(hash: PemHash): Promise<CryptoKey>;
}

/** Throws `INVALID_KEY`: for a text that is not PEM at once, for other errors on first use. */
export function pemPrivateKey(pem: string): PemPrivateKey {
  const { isEc, algorithm, key } = load(pem, "PRIVATE");
  return {
    isEc,
    async sign(hash, message) {
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm(hash), await key(hash), utf8(message)));
      return isEc ? toDer(signature) : signature;
    },
  };
}

/** Throws `INVALID_KEY`: for a text that is not PEM at once, for other errors on first use. */
export function pemPublicKey(pem: string): PemPublicKey {
  const { isEc, algorithm, key } = load(pem, "PUBLIC");
  return {
    async verify(hash, message, signature) {
      const raw = isEc ? fromDer(signature) : Uint8Array.from(signature);
      const imported = await key(hash);
      return raw !== undefined && crypto.subtle.verify(algorithm(hash), imported, raw, utf8(message));
    },
  };
}

function load(pem: string, kind: "PRIVATE" | "PUBLIC"): Loaded {
  const [label = "", base64 = ""] = pemBlock(
    pem,
    kind === "PUBLIC" ? "(?:RSA )?PUBLIC KEY" : "(?:RSA |EC )?PRIVATE KEY",
  );
  const inner = fromBase64(base64) ?? [];
  // WebCrypto imports PKCS#8 and SubjectPublicKeyInfo only: the older forms are put into these two.
  const id = label.startsWith("EC") ? EC : RSA;
  const whole = kind === "PUBLIC" ? [...id, ...element(3, [0, ...inner])] : [2, 1, 0, ...id, ...element(4, inner)];
  const der = Uint8Array.from(label.startsWith(kind) ? inner : element(0x30, whole));
  // A verifier should not have a secret.
  if (inner.length === 0 || String(pem).includes("PRIVATE KEY-") !== (kind === "PRIVATE")) throw invalidPem(kind);
  const isEc = hex(der.subarray(0, 40)).includes(hex(Uint8Array.from(EC)).slice(4));
  const algorithm = (hash: PemHash): Algorithm => ({
    name: isEc ? "ECDSA" : "RSASSA-PKCS1-v1_5",
    hash: hash === "sha1" ? "SHA-1" : "SHA-256",
    namedCurve: "P-256",
  });
  const [format, usage] = kind === "PUBLIC" ? (["spki", "verify"] as const) : (["pkcs8", "sign"] as const);
  // WebCrypto ties an RSA key to one hash: each is imported when it is first asked for, and once.
  const keys: { [hash in PemHash]?: Promise<CryptoKey> } = {};
  return {
    isEc,
    algorithm,
    async key(hash) {
      keys[hash] ??= crypto.subtle.importKey(format, der, algorithm(hash), false, [usage]);
      const key = await keys[hash].catch(() => undefined);
      if (key === undefined || !(isEc || (key.algorithm.modulusLength ?? 0) >= 1024)) throw invalidPem(kind);
      return key;
    },
  };
}

function element(tag: number, content: ArrayLike<number>): readonly number[] {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...Array.from(content)];
}
