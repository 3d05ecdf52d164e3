import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32, crc32c } from "../../src/http/crc.ts";

describe("checksums", () => {
  it("give the check values of the catalogue of CRCs", () => {
    expect(crc32(Buffer.from("123456789"), 0)).toBe(0xcbf43926);
    expect(crc32c(Buffer.from("123456789"), 0)).toBe(0xe3069283);
    expect(crc32(Buffer.alloc(0), 0)).toBe(0);
  });

  it("do not depend on how the bytes are cut, and agree with zlib", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const whole = crc32(bytes, 0);
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut), 0))).toBe(whole);
        expect(whole).toBe(zlibCrc32(bytes));
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut), 0))).toBe(crc32c(bytes, 0));
      }),
    );
  });
});
