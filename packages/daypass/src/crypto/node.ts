import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hash,
  randomBytes as nodeRandomBytes,
  sign,
  verify,
} from "node:crypto";
import type { Ed25519PrivateKey, Ed25519PublicKey, PreparedHmac } from "./contract.ts";

export type { Ed25519PrivateKey, Ed25519PublicKey, PreparedHmac } from "./contract.ts";

export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

export function sha256(data: string | Uint8Array): Uint8Array {
  return hash("sha256", data, "buffer");
}

export function randomBytes(length: number): Uint8Array {
  return nodeRandomBytes(length);
}

/** A SHA-256 that is fed piece by piece. */
export function sha256Stream(): { update(bytes: Uint8Array): void; hex(): string } {
  const state = createHash("sha256");
  return { update: (bytes) => void state.update(bytes), hex: () => state.digest("hex") };
}

const BLOCK = 64;

/**
 * HMAC-SHA256 (RFC 2104) from two one-shot hashes over buffers that already hold the padded key. `createHmac` builds an
 * object for each message and is half as fast; the inner digest comes as hex because Node gives a string faster than a
 * Buffer, and `write` turns it back into bytes in place.
 */
export function hmacSha256(key: Uint8Array): PreparedHmac {
  const block = key.length > BLOCK ? sha256(key) : key;
  let inner = Buffer.alloc(BLOCK);
  const outer = Buffer.alloc(BLOCK + 32);
  for (let i = 0; i < BLOCK; i++) {
    const byte = block[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const finish = (): string => {
    outer.write(hash("sha256", inner, "hex"), BLOCK, 32, "hex");
    return hash("sha256", outer, "hex");
  };
  const load = (message: string): void => {
    const length = BLOCK + Buffer.byteLength(message);
    // Strings to sign of one scope have one length, so the buffer is nearly always the right one already.
    if (inner.length !== length) {
      const resized = Buffer.alloc(length);
      inner.copy(resized, 0, 0, BLOCK);
      inner = resized;
    }
    inner.write(message, BLOCK, "utf8");
  };
  return {
    hex(message) {
      load(message);
      return finish();
    },
    bytes(message) {
      load(message);
      return Buffer.from(finish(), "hex");
    },
  };
}

/** One HMAC-SHA1, for the schemes that predate SHA-256. */
export function hmacSha1(key: Uint8Array, message: string): Uint8Array {
  return createHmac("sha1", key).update(message, "utf8").digest();
}

// DER prefixes of RFC 8410: the 32 raw bytes of the key follow.
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export function ed25519PublicKey(raw: Uint8Array): Ed25519PublicKey {
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
  return { verify: async (message, signature) => verify(null, Buffer.from(message, "utf8"), key, signature) };
}

export function ed25519PrivateKey(raw: Uint8Array): Ed25519PrivateKey {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: "der", type: "pkcs8" });
  return { sign: async (message) => sign(null, Buffer.from(message, "utf8"), key) };
}
