/** @typedef {import("./crc.thread.d.ts").CrcAlgorithm} CrcAlgorithm */
/** @typedef {import("./crc.thread.d.ts").RunningCrc} RunningCrc */

/**
 * The CRCs that S3 has as checksums. JavaScript, so that a thread can import it.
 *
 * Slicing by eight: look-ups in eight tables take in eight bytes at once. A 64-bit register is two 32-bit halves, because
 * BigInt is a hundred times slower.
 *
 * @returns {Readonly<Record<CrcAlgorithm, () => RunningCrc>>}
 */
export function crcs() {
  // ISO-HDLC (zip, PNG), Castagnoli (RFC 3720 appendix B.4) and NVMe, each reflected; a 32-bit one has no low half.
  /** @type {Readonly<Record<CrcAlgorithm, readonly [number, number]>>} */
  const polynomials = { crc32: [0, 0xedb88320], crc32c: [0, 0x82f63b78], crc64nvme: [0x9a6c9329, 0xac4bc9b5] };
  /** @type {Map<CrcAlgorithm, { high: Uint32Array, low: Uint32Array }>} */
  const tables = new Map();

  /** @param {CrcAlgorithm} algorithm */
  function tablesOf(algorithm) {
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
      const h = high[i - 256];
      const l = low[i - 256];
      high[i] = high[l & 255] ^ (h >>> 8);
      low[i] = low[l & 255] ^ ((l >>> 8) | (h << 24));
    }
    const made = { high, low };
    tables.set(algorithm, made);
    return made;
  }

  /** @param {"crc32" | "crc32c"} algorithm @returns {RunningCrc} */
  function crc32(algorithm) {
    const { low } = tablesOf(algorithm);
    let crc = -1;
    return {
      update(bytes) {
        let i = 0;
        for (const end = bytes.length - 7; i < end; i += 8) {
          crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
          crc =
            low[1792 + (crc & 255)] ^
            low[1536 + ((crc >>> 8) & 255)] ^
            low[1280 + ((crc >>> 16) & 255)] ^
            low[1024 + (crc >>> 24)] ^
            low[768 + bytes[i + 4]] ^
            low[512 + bytes[i + 5]] ^
            low[256 + bytes[i + 6]] ^
            low[bytes[i + 7]];
        }
        for (; i < bytes.length; i++) crc = low[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
      },
      digest() {
        const value = ~crc;
        return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
      },
    };
  }

  /** @returns {RunningCrc} */
  function crc64() {
    const { high, low } = tablesOf("crc64nvme");
    let h = -1;
    let l = -1;
    return {
      update(bytes) {
        let i = 0;
        for (const end = bytes.length - 7; i < end; i += 8) {
          l ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
          h ^= bytes[i + 4] | (bytes[i + 5] << 8) | (bytes[i + 6] << 16) | (bytes[i + 7] << 24);
          const a = 1792 + (l & 255);
          const b = 1536 + ((l >>> 8) & 255);
          const c = 1280 + ((l >>> 16) & 255);
          const d = 1024 + (l >>> 24);
          const e = 768 + (h & 255);
          const f = 512 + ((h >>> 8) & 255);
          const g = 256 + ((h >>> 16) & 255);
          const k = h >>> 24;
          h = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[k];
          l = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[k];
        }
        for (; i < bytes.length; i++) {
          const index = (l ^ bytes[i]) & 255;
          l = low[index] ^ ((l >>> 8) | (h << 24));
          h = high[index] ^ (h >>> 8);
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
