import { sha256 } from "#crypto";
import { utf8 } from "../wire/encoding.ts";

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

// The parts of WebCrypto that are used, declared here because the library is compiled without the DOM's types.
declare const crypto: {
  readonly subtle: {
    importKey(
      format: "raw",
      data: Uint8Array,
      algorithm: { readonly name: "HMAC"; readonly hash: "SHA-512" },
      extractable: false,
      usages: readonly ["sign"],
    ): Promise<object>;
    sign(algorithm: "HMAC", key: object, data: Uint8Array): Promise<ArrayBuffer>;
  };
};

/**
 * HMAC-SHA512 by WebCrypto, which every runtime has: the tables of SHA-512 are a sixth of a whole scheme's size limit.
 * The price is a promise.
 */
export function subtleSha512Hmac(key: string): (message: string) => Promise<Uint8Array> {
  const imported = crypto.subtle.importKey("raw", utf8(key), { name: "HMAC", hash: "SHA-512" }, false, ["sign"]);
  return async (message) => new Uint8Array(await crypto.subtle.sign("HMAC", await imported, utf8(message)));
}
