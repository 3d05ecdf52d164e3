import { hash } from "node:crypto";

/** A keyed function: the MAC of `message`, text as UTF-8. */
export type Mac = (message: string | Uint8Array) => Uint8Array;

/** Broken against collisions: only for the protocols that know no other digest. */
export const md5 = (data: string | Uint8Array): Uint8Array => hash("md5", data, "buffer");
/** Broken against collisions: only for the protocols that know no other digest. */
export const sha1 = (data: string | Uint8Array): Uint8Array => hash("sha1", data, "buffer");

/** HMAC-MD5 (RFC 2104) with the key's pads computed once, as the others here. */
export const md5Hmac = (key: string | Uint8Array): Mac => hmac("md5", key);
export const sha1Hmac = (key: string | Uint8Array): Mac => hmac("sha1", key);
/** Over bytes; for text the one in `#crypto` is faster. */
export const sha256Hmac = (key: string | Uint8Array): Mac => hmac("sha256", key);

// Two one-shot hashes over padded keys: `createHmac` builds an object for each message and is half as fast. A block of
// each of these hashes has 64 bytes.
function hmac(algorithm: string, key: string | Uint8Array): Mac {
  const given = Buffer.from(key as string);
  const block = new Uint8Array(64);
  block.set(given.length > 64 ? hash(algorithm, given, "buffer") : given);
  const inner = block.map((byte) => byte ^ 0x36);
  const outer = block.map((byte) => byte ^ 0x5c);
  const digest = (parts: Uint8Array[]): Buffer => hash(algorithm, Buffer.concat(parts), "buffer");
  return (message) => digest([outer, digest([inner, Buffer.from(message as string)])]);
}
