import { _MD5, _SHA1 } from "@noble/hashes/legacy.js";
import { _SHA256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../wire/encoding.ts";
import { keyedHash } from "./keyed-hash.ts";

/** A keyed function: the MAC of `message`, text as UTF-8. */
export type Mac = (message: string | Uint8Array) => Uint8Array;

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? utf8(data) : data);

/** Broken against collisions: only for the protocols that know no other digest. */
export const md5 = (data: string | Uint8Array): Uint8Array => new _MD5().update(bytesOf(data)).digest();
/** Broken against collisions: only for the protocols that know no other digest. */
export const sha1 = (data: string | Uint8Array): Uint8Array => new _SHA1().update(bytesOf(data)).digest();

/** HMAC-MD5 (RFC 2104) with the padded key hashed once, as the others here. */
export const md5Hmac = (key: string | Uint8Array): Mac => ofText(keyedHash(() => new _MD5(), bytesOf(key)));
export const sha1Hmac = (key: string | Uint8Array): Mac => ofText(keyedHash(() => new _SHA1(), bytesOf(key)));
/** Over bytes; for text the one in `#crypto` does the same. */
export const sha256Hmac = (key: string | Uint8Array): Mac => ofText(keyedHash(() => new _SHA256(), bytesOf(key)));

function ofText(mac: (message: Uint8Array) => Uint8Array): Mac {
  return (message) => mac(bytesOf(message));
}
