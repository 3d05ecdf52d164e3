import { sha256 } from "#crypto";

const BLOCK = 64;

/**
 * HMAC-SHA256 (RFC 2104) out of SHA-256 alone, for schemes whose other algorithm leaves little room: the quick one in
 * `#crypto` weighs five times as much.
 */
export function smallHmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key;
  const padded = (filling: number, data: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(BLOCK + data.length).fill(filling, 0, BLOCK);
    short.forEach((byte, i) => {
      bytes[i] = filling ^ byte;
    });
    bytes.set(data, BLOCK);
    return sha256(bytes);
  };
  return padded(0x5c, padded(0x36, message));
}
