import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { runningCrc } from "../../src/http/checksum.ts";
import { type CrcAlgorithm, combineCrcs } from "../../src/http/crc.ts";

function hexOf(algorithm: CrcAlgorithm, ...pieces: Uint8Array[]): string {
  const crc = runningCrc(algorithm);
  for (const piece of pieces) crc.update(piece);
  return Buffer.from(crc.digest()).toString("hex");
}

/** Computes a CRC bit by bit, without the tables. */
function bitwise(algorithm: CrcAlgorithm, bytes: Uint8Array): string {
  const [width, polynomial] = {
    crc32: [32n, 0xedb88320n],
    crc32c: [32n, 0x82f63b78n],
    crc64nvme: [64n, 0x9a6c9329ac4bc9b5n],
  }[algorithm] as [bigint, bigint];
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(Number(width) / 4, "0");
}

const ALGORITHMS = ["crc32", "crc32c", "crc64nvme"] as const;
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 13));

// https://reveng.sourceforge.io/crc-catalogue/17plus.htm: "check" is the CRC of the nine digits.
it.each([
  ["crc32", "cbf43926"],
  ["crc32c", "e3069283"],
  ["crc64nvme", "ae8b14860a799888"],
] as const)("returns the catalogue's %s of the check string", (algorithm, expected) => {
  expect(hexOf(algorithm, Buffer.from("123456789"))).toBe(expected);
});

describe.each(ALGORITHMS)("%s", (algorithm) => {
  it("agrees with its definition for every length and split", () => {
    const bytes = noise(70);
    for (let length = 0; length <= bytes.length; length++) {
      const whole = bytes.subarray(0, length);
      const expected = bitwise(algorithm, whole);
      expect(hexOf(algorithm, whole)).toBe(expected);
      const cut = (length * 7) % (length + 1);
      expect(hexOf(algorithm, whole.subarray(0, cut), whole.subarray(cut))).toBe(expected);
    }
  });

  it("combines the CRCs of parts of any sizes", () => {
    const bytes = noise(40_000);
    for (const sizes of [[40_000], [1, 39_999], [0, 20_000, 0, 20_000, 0], [9_999, 9_999, 9_999, 9_999, 4]]) {
      let start = 0;
      const parts = sizes.map((size) => {
        const part = bytes.subarray(start, start + size);
        start += size;
        return { size, crc: Buffer.from(hexOf(algorithm, part), "hex") };
      });
      expect(Buffer.from(combineCrcs(algorithm, parts)).toString("hex")).toBe(hexOf(algorithm, bytes));
    }
  });
});

it("agrees with the crc32 of zlib", () => {
  const bytes = noise(100_003);
  expect(hexOf("crc32", bytes)).toBe(zlibCrc32(bytes).toString(16).padStart(8, "0"));
});
