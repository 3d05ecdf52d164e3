/**
 * The CRCs among S3's checksums, and the combination of the CRCs of parts.
 * @module
 */

import type { CrcAlgorithm } from "./crc.thread.js";

export { type CrcAlgorithm, crcs, type RunningCrc } from "./crc.thread.js";

const POLYNOMIALS: Readonly<Record<CrcAlgorithm, readonly [width: bigint, reflected: bigint]>> = {
  crc32: [32n, 0xedb88320n],
  crc32c: [32n, 0x82f63b78n],
  crc64nvme: [64n, 0x9a6c9329ac4bc9b5n],
};

export interface CrcPart {
  /** The result of `RunningCrc.digest`. */
  readonly crc: Uint8Array;
  /** Bytes. */
  readonly size: number;
}

/**
 * Returns the CRC of concatenated parts from the CRCs of the parts: with polynomials over GF(2), crc(AB) is crc(A) · x^(8·|B|)
 * plus crc(B), because the initial and final inversions cancel out.
 */
export function combineCrcs(algorithm: CrcAlgorithm, parts: Iterable<CrcPart>): Uint8Array {
  const [width, polynomial] = POLYNOMIALS[algorithm];
  const one = 1n << (width - 1n);

  /** Reflected: the highest bit stands for x^0. */
  function multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let power = b;
    for (let bit = one; bit > 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= power;
      power = (power & 1n) === 1n ? (power >> 1n) ^ polynomial : power >> 1n;
    }
    return product;
  }

  // Most parts have the same size, and its power of x takes thirty multiplications.
  const shifts = new Map<number, bigint>();
  function shift(size: number): bigint {
    const known = shifts.get(size);
    if (known !== undefined) return known;
    let result = one;
    let square = one >> 8n;
    for (let left = size; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = multiply(square, result);
      square = multiply(square, square);
    }
    shifts.set(size, result);
    return result;
  }

  let crc = 0n;
  for (const part of parts) crc = multiply(shift(part.size), crc) ^ numberOf(part.crc);
  return Uint8Array.from({ length: Number(width) / 8 }, (_, i) => Number((crc >> (width - 8n * BigInt(i + 1))) & 255n));
}

function numberOf(bytes: Uint8Array): bigint {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  return number;
}
