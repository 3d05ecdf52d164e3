/**
 * The CRCs that S3 has as checksums, and the CRC of a whole from those of its parts.
 * @module
 */

/** A CRC that S3 has as a checksum: CRC-32, CRC-32C or CRC-64/NVME. */
export type CrcAlgorithm = "crc32" | "crc32c" | "crc64nvme";

/** A checksum that is being computed. */
export interface RunningCrc {
  update(bytes: Uint8Array): void;
  /** Big-endian, as S3 writes it. */
  digest(): Uint8Array;
}

/**
 * Makes the CRCs. All that it needs is inside, so that a thread can be given its text.
 *
 * Slicing by eight: look-ups in eight tables take in eight bytes at once. A 64-bit register is two 32-bit halves, because
 * BigInt is a hundred times slower.
 */
export function crcs(): Readonly<Record<CrcAlgorithm, () => RunningCrc>> {
  // ISO-HDLC (zip, PNG), Castagnoli (RFC 3720 appendix B.4) and NVMe, each reflected; a 32-bit one has no low half.
  const polynomials = { crc32: [0, 0xedb88320], crc32c: [0, 0x82f63b78], crc64nvme: [0x9a6c9329, 0xac4bc9b5] } as const;
  const tables = new Map<CrcAlgorithm, { high: Uint32Array; low: Uint32Array }>();

  function tablesOf(algorithm: CrcAlgorithm): { high: Uint32Array; low: Uint32Array } {
    const known = tables.get(algorithm);
    if (known !== undefined) return known;
    const [polynomialHigh, polynomialLow] = polynomials[algorithm];
    const high = new Uint32Array(8 * 256);
    const low = new Uint32Array(8 * 256);
    for (let i = 0; i < 256; i++) {
      let h = 0;
      let l = i;
      for (let bit = 0; bit < 8; bit++) {
        const odd = (l & 1) === 1;
        l = (l >>> 1) | (h << 31);
        h >>>= 1;
        if (odd) {
          h ^= polynomialHigh;
          l ^= polynomialLow;
        }
      }
      high[i] = h;
      low[i] = l;
    }
    for (let i = 256; i < 8 * 256; i++) {
      const h = high[i - 256] as number;
      const l = low[i - 256] as number;
      high[i] = (high[l & 255] as number) ^ (h >>> 8);
      low[i] = (low[l & 255] as number) ^ ((l >>> 8) | (h << 24));
    }
    const made = { high, low };
    tables.set(algorithm, made);
    return made;
  }

  function crc32(algorithm: "crc32" | "crc32c"): RunningCrc {
    const { low } = tablesOf(algorithm);
    let crc = -1;
    return {
      update(bytes) {
        let i = 0;
        for (const end = bytes.length - 7; i < end; i += 8) {
          crc ^=
            (bytes[i] as number) |
            ((bytes[i + 1] as number) << 8) |
            ((bytes[i + 2] as number) << 16) |
            ((bytes[i + 3] as number) << 24);
          crc =
            (low[1792 + (crc & 255)] as number) ^
            (low[1536 + ((crc >>> 8) & 255)] as number) ^
            (low[1280 + ((crc >>> 16) & 255)] as number) ^
            (low[1024 + (crc >>> 24)] as number) ^
            (low[768 + (bytes[i + 4] as number)] as number) ^
            (low[512 + (bytes[i + 5] as number)] as number) ^
            (low[256 + (bytes[i + 6] as number)] as number) ^
            (low[bytes[i + 7] as number] as number);
        }
        for (; i < bytes.length; i++) crc = (low[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
      },
      digest() {
        const value = ~crc;
        return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
      },
    };
  }

  function crc64(): RunningCrc {
    const { high, low } = tablesOf("crc64nvme");
    let h = -1;
    let l = -1;
    return {
      update(bytes) {
        let i = 0;
        for (const end = bytes.length - 7; i < end; i += 8) {
          l ^=
            (bytes[i] as number) |
            ((bytes[i + 1] as number) << 8) |
            ((bytes[i + 2] as number) << 16) |
            ((bytes[i + 3] as number) << 24);
          h ^=
            (bytes[i + 4] as number) |
            ((bytes[i + 5] as number) << 8) |
            ((bytes[i + 6] as number) << 16) |
            ((bytes[i + 7] as number) << 24);
          const a = 1792 + (l & 255);
          const b = 1536 + ((l >>> 8) & 255);
          const c = 1280 + ((l >>> 16) & 255);
          const d = 1024 + (l >>> 24);
          const e = 768 + (h & 255);
          const f = 512 + ((h >>> 8) & 255);
          const g = 256 + ((h >>> 16) & 255);
          const k = h >>> 24;
          h =
            (high[a] as number) ^
            (high[b] as number) ^
            (high[c] as number) ^
            (high[d] as number) ^
            (high[e] as number) ^
            (high[f] as number) ^
            (high[g] as number) ^
            (high[k] as number);
          l =
            (low[a] as number) ^
            (low[b] as number) ^
            (low[c] as number) ^
            (low[d] as number) ^
            (low[e] as number) ^
            (low[f] as number) ^
            (low[g] as number) ^
            (low[k] as number);
        }
        for (; i < bytes.length; i++) {
          const index = (l ^ (bytes[i] as number)) & 255;
          l = (low[index] as number) ^ ((l >>> 8) | (h << 24));
          h = (high[index] as number) ^ (h >>> 8);
        }
      },
      digest() {
        const [x, y] = [~h, ~l];
        return Uint8Array.of(x >>> 24, x >>> 16, x >>> 8, x, y >>> 24, y >>> 16, y >>> 8, y);
      },
    };
  }

  return { crc32: () => crc32("crc32"), crc32c: () => crc32("crc32c"), crc64nvme: crc64 };
}

const POLYNOMIALS: Readonly<Record<CrcAlgorithm, readonly [width: bigint, reflected: bigint]>> = {
  crc32: [32n, 0xedb88320n],
  crc32c: [32n, 0x82f63b78n],
  crc64nvme: [64n, 0x9a6c9329ac4bc9b5n],
};

export interface CrcPart {
  /** As `RunningCrc.digest` gives it. */
  readonly crc: Uint8Array;
  /** Bytes. */
  readonly size: number;
}

/**
 * The CRC of the parts one after the other, from theirs alone: with polynomials over GF(2), crc(AB) is crc(A) · x^(8·|B|)
 * plus crc(B), since the ones with which a CRC begins and ends cancel out.
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

  // Most parts have one size, and its power of x takes thirty multiplications.
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
