import { hmac } from "@noble/hashes/hmac.js";
import { md5 as nobleMd5, sha1 as nobleSha1 } from "@noble/hashes/legacy.js";
import { sha256 as nobleSha256, sha512 as nobleSha512 } from "@noble/hashes/sha2.js";
import { utf8 } from "../encode.ts";

/** A keyed function: the MAC of `message`, text as UTF-8. */
export type Mac = (message: string | Uint8Array) => Uint8Array;

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === "string" ? utf8(data) : data);

/** Broken against collisions: only for the protocols that know no other digest. */
export const md5 = (data: string | Uint8Array): Uint8Array => nobleMd5(bytesOf(data));
/** Broken against collisions: only for the protocols that know no other digest. */
export const sha1 = (data: string | Uint8Array): Uint8Array => nobleSha1(bytesOf(data));
export const sha512 = (data: string | Uint8Array): Uint8Array => nobleSha512(bytesOf(data));

/** HMAC-MD5 (RFC 2104) with the padded key hashed once, as the others here. */
export const md5Hmac = (key: string | Uint8Array): Mac => keyed(nobleMd5, key);
export const sha1Hmac = (key: string | Uint8Array): Mac => keyed(nobleSha1, key);
/** Over bytes; for text the one in `#crypto` does the same. */
export const sha256Hmac = (key: string | Uint8Array): Mac => keyed(nobleSha256, key);
export const sha512Hmac = (key: string | Uint8Array): Mac => keyed(nobleSha512, key);

function keyed(digest: Parameters<typeof hmac.create>[0], key: string | Uint8Array): Mac {
  const state = hmac.create(digest, bytesOf(key));
  return (message) => state.clone().update(bytesOf(message)).digest();
}
