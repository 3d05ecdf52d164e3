// As a namespace: bundlers keep every name of an external import, but only the used members of a namespace.
import * as crypto from "node:crypto";
import type { Ed25519PrivateKey, Ed25519PublicKey, HmacFrame, PreparedHmac } from "./contract.ts";

export {
  type Ed25519PrivateKey,
  type Ed25519PublicKey,
  equalDigests,
  type HmacFrame,
  type PreparedHmac,
} from "./contract.ts";

export function sha256Hex(data: string | Uint8Array): string {
  return crypto.hash("sha256", data, "hex");
}

export function sha256(data: string | Uint8Array): Uint8Array {
  return crypto.hash("sha256", data, "buffer");
}

/**
 * SHA-256 with one character a byte. Node returns a text three times faster than a Buffer, which needs separate memory; a Buffer
 * of a text is a part of a larger existing buffer.
 */
function sha256Text(data: string | Uint8Array): string {
  // The name that Node compares with first; its types only know the other one.
  return crypto.hash("sha256", data, "latin1" as "binary");
}

/** base64url of the first 16 bytes of SHA-256. */
export function sha256Half(data: string): string {
  return Buffer.from(sha256Text(data), "latin1").toString("base64url", 0, 16);
}

export function randomBytes(length: number): Uint8Array {
  return crypto.randomBytes(length);
}

/** A SHA-256 that is fed piece by piece. */
export function sha256Stream(): { update(bytes: Uint8Array): void; hex(): string } {
  const state = crypto.createHash("sha256");
  return { update: (bytes) => void state.update(bytes), hex: () => state.digest("hex") };
}

const BLOCK = 64;

/**
 * HMAC-SHA256 (RFC 2104) from two one-shot hashes over buffers that begin with the padded key. `createHmac` builds an
 * object for each message and is half as fast. The inner digest comes as a text, which is written back in place without decoding it.
 */
function padded(key: string | Uint8Array): {
  load(message: string): Buffer;
  digest(loaded: Buffer, encoding: "hex" | "base64url"): string;
} {
  const bytes = Buffer.from(key as string);
  const block = bytes.length > BLOCK ? sha256(bytes) : bytes;
  const inner = Buffer.alloc(BLOCK, 0x36);
  const outer = Buffer.alloc(BLOCK + 32, 0x5c);
  for (const [i, byte] of block.entries()) {
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return {
    load: (message) => Buffer.concat([inner, Buffer.from(message, "utf8")]),
    digest(loaded, encoding) {
      outer.write(sha256Text(loaded), BLOCK, 32, "latin1");
      return crypto.hash("sha256", outer, encoding);
    },
  };
}

/** An HMAC-SHA256 key for many messages. */
export function hmacSha256(key: string | Uint8Array): PreparedHmac {
  const { load, digest } = padded(key);
  return {
    hex: (message) => digest(load(message), "hex"),
    base64url: (message) => digest(load(message), "base64url"),
  };
}

/** An ASCII message under a key, laid out once, so that parts of it can be replaced in place. */
export function hmacFrame(key: string | Uint8Array, message: string): HmacFrame {
  const { load, digest } = padded(key);
  const loaded = load(message);
  return {
    write: (at, ascii) => void loaded.write(ascii, BLOCK + at, ascii.length, "latin1"),
    hex: () => digest(loaded, "hex"),
  };
}

/** One HMAC-SHA256. */
export function hmacSha256Once(key: string | Uint8Array, message: string): Uint8Array {
  return crypto.createHmac("sha256", key).update(message, "utf8").digest();
}

/**
 * Compares two texts of equal, public length without an early exit. Only for digests in a fixed-length encoding: the
 * length is checked first and may leak, the content may not.
 */
export function constantTimeEqual(a: string, b: string): boolean {
  return a.length === b.length && crypto.timingSafeEqual(Buffer.from(a, "ucs2"), Buffer.from(b, "ucs2"));
}

/** One HMAC-SHA1, for the schemes that predate SHA-256. */
export function hmacSha1(key: string | Uint8Array, message: string): Uint8Array {
  return crypto.createHmac("sha1", key).update(message, "utf8").digest();
}

// DER prefixes of RFC 8410: the 32 raw bytes of the key follow.
const SPKI_PREFIX = /* @__PURE__ */ Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = /* @__PURE__ */ Buffer.from("302e020100300506032b657004220420", "hex");

export function ed25519PublicKey(raw: Uint8Array): Ed25519PublicKey {
  const key = crypto.createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
  return { verify: async (message, signature) => crypto.verify(null, Buffer.from(message, "utf8"), key, signature) };
}

export function ed25519PrivateKey(raw: Uint8Array): Ed25519PrivateKey {
  const key = crypto.createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: "der", type: "pkcs8" });
  return { sign: async (message) => crypto.sign(null, Buffer.from(message, "utf8"), key) };
}
