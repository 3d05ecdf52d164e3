import { _SHA1 } from "@noble/hashes/legacy.js";
import { _SHA256 } from "@noble/hashes/sha2.js";
import { base64url, hex, utf8 } from "../wire/encoding.ts";
import type { Ed25519PrivateKey, Ed25519PublicKey, HmacFrame, PreparedHmac } from "./contract.ts";
import { keyedHash } from "./keyed-hash.ts";

export {
  type Ed25519PrivateKey,
  type Ed25519PublicKey,
  equalDigests,
  equalDigests as constantTimeEqual,
  type HmacFrame,
  type PreparedHmac,
} from "./contract.ts";

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  getRandomValues(bytes: Uint8Array): Uint8Array;
  readonly subtle: {
    importKey(
      format: "raw" | "pkcs8",
      data: Uint8Array,
      algorithm: "Ed25519",
      extractable: false,
      usages: readonly ["sign" | "verify"],
    ): Promise<CryptoKey>;
    sign(algorithm: "Ed25519", key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>;
    verify(algorithm: "Ed25519", key: CryptoKey, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
  };
};
interface CryptoKey {
  readonly type: string;
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? utf8(data) : data);

export function sha256Hex(data: string | Uint8Array): string {
  return hex(sha256(data));
}

export function sha256(data: string | Uint8Array): Uint8Array {
  return new _SHA256().update(bytesOf(data)).digest();
}

/** base64url of the first 16 bytes of SHA-256. */
export function sha256Half(data: string): string {
  return base64url(sha256(data).subarray(0, 16));
}

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** A SHA-256 that is fed piece by piece. */
export function sha256Stream(): { update(bytes: Uint8Array): void; hex(): string } {
  const state = new _SHA256();
  return { update: (bytes) => void state.update(bytes), hex: () => hex(state.digest()) };
}

const padded = (key: string | Uint8Array): ((message: Uint8Array) => Uint8Array) =>
  keyedHash(() => new _SHA256(), bytesOf(key));

/** An HMAC-SHA256 key for many messages: the padded key is hashed once. */
export function hmacSha256(key: string | Uint8Array): PreparedHmac {
  const mac = padded(key);
  return {
    hex: (message) => hex(mac(utf8(message))),
    base64url: (message) => base64url(mac(utf8(message))),
  };
}

/** An ASCII message under a key, laid out once, so that parts of it can be replaced in place. */
export function hmacFrame(key: string | Uint8Array, message: string): HmacFrame {
  const mac = padded(key);
  const bytes = utf8(message);
  return {
    write(at, ascii) {
      for (let i = 0; i < ascii.length; i++) bytes[at + i] = ascii.charCodeAt(i);
    },
    hex: () => hex(mac(bytes)),
  };
}

/** One HMAC-SHA256. */
export function hmacSha256Once(key: string | Uint8Array, message: string): Uint8Array {
  return padded(key)(utf8(message));
}

/** One HMAC-SHA1, for the schemes that predate SHA-256. */
export function hmacSha1(key: string | Uint8Array, message: string): Uint8Array {
  return keyedHash(() => new _SHA1(), bytesOf(key))(utf8(message));
}

// DER prefix of RFC 8410 for a private key: the 32 raw bytes follow. WebCrypto imports public keys raw, private ones not.
const PKCS8_PREFIX = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

export function ed25519PublicKey(raw: Uint8Array): Ed25519PublicKey {
  const key = crypto.subtle.importKey("raw", Uint8Array.from(raw), "Ed25519", false, ["verify"]);
  return {
    verify: async (message, signature) =>
      crypto.subtle.verify("Ed25519", await key, Uint8Array.from(signature), utf8(message)),
  };
}

export function ed25519PrivateKey(raw: Uint8Array): Ed25519PrivateKey {
  const key = crypto.subtle.importKey("pkcs8", Uint8Array.from([...PKCS8_PREFIX, ...raw]), "Ed25519", false, ["sign"]);
  return { sign: async (message) => new Uint8Array(await crypto.subtle.sign("Ed25519", await key, utf8(message))) };
}
