/** A hash that has read some bytes. */
interface HashState<S> {
  readonly blockLen: number;
  update(bytes: Uint8Array): S;
  clone(): S;
  digest(): Uint8Array;
}

/**
 * HMAC (RFC 2104) out of a hash's own states: the padded key is hashed once, and each message goes into copies. The hashes
 * come as classes and not as noble's functions, whose options and checks weigh as much as the hash itself.
 */
export function keyedHash<S extends HashState<S>>(
  empty: () => S,
  key: Uint8Array,
): (message: Uint8Array) => Uint8Array {
  const block = new Uint8Array(empty().blockLen);
  block.set(key.length > block.length ? empty().update(key).digest() : key);
  const [inner, outer] = [0x36, 0x5c].map((pad) => empty().update(block.map((byte) => byte ^ pad))) as [S, S];
  return (message) => outer.clone().update(inner.clone().update(message).digest()).digest();
}
