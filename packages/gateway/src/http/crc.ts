/**
 * CRC-32 and CRC-32C, the checksums that AWS SDKs send by default.
 * @module
 */

/** Goes on with a checksum: 0 at the start, then the last result. The result is unsigned. */
export type Crc = (bytes: Uint8Array, previous: number) => number;

/** ISO-HDLC, the polynomial of zip and PNG. */
export const crc32: Crc = crc(0xedb88320);

/** Castagnoli, RFC 3720 appendix B.4. */
export const crc32c: Crc = crc(0x82f63b78);

function crc(polynomial: number): Crc {
  // Slicing by four: four table look-ups take in four bytes at once, twice as fast as one at a time.
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256));
  const [t0, t1, t2, t3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    t0[i] = value;
  }
  for (let i = 0; i < 256; i++) {
    let value = at(t0, i);
    for (const table of [t1, t2, t3]) {
      value = at(t0, value & 255) ^ (value >>> 8);
      table[i] = value;
    }
  }
  return (bytes, previous) => {
    let value = ~previous;
    let i = 0;
    for (; i + 4 <= bytes.length; i += 4) {
      value ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
      value = at(t3, value & 255) ^ at(t2, (value >>> 8) & 255) ^ at(t1, (value >>> 16) & 255) ^ at(t0, value >>> 24);
    }
    for (; i < bytes.length; i++) value = at(t0, (value ^ at(bytes, i)) & 255) ^ (value >>> 8);
    return ~value >>> 0;
  };
}

function at(array: Uint8Array | Uint32Array, index: number): number {
  return array[index] as number;
}
