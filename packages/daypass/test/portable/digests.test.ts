import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as node from "../../src/crypto/digests-node.ts";
import * as portable from "../../src/crypto/digests-portable.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const JEFE = "what do ya want for nothing?";

describe.each([
  ["node", node],
  ["portable", portable],
])("the digests for %s", (_, digests) => {
  it("return the published values", () => {
    // RFC 1321 appendix A.5, RFC 3174 section 7.3
    expect(hex(digests.md5("abc"))).toBe("900150983cd24fb0d6963f7d28e17f72");
    expect(hex(digests.sha1("abc"))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    // RFC 2202 sections 2 and 3, RFC 4231 section 4.3
    expect(hex(digests.md5Hmac("Jefe")(JEFE))).toBe("750c783e6ab0b503eaa86e310a5db738");
    expect(hex(digests.sha1Hmac("Jefe")(JEFE))).toBe("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    expect(hex(digests.sha256Hmac("Jefe")(JEFE))).toMatch(/^5bdcc146bf60754e.*9dec58b964ec3843$/);
  });

  it("agree with OpenSSL for any bytes, keys around the block size, and a key used again", () => {
    const data = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: "grapheme", maxLength: 100 }));
    const key = fc.oneof(data, fc.uint8Array({ minLength: 60, maxLength: 70 }));
    fc.assert(
      fc.property(key, data, data, (secret, first, second) => {
        for (const name of ["md5", "sha1"] as const) {
          expect(hex(digests[name](first))).toBe(createHash(name).update(first).digest("hex"));
        }
        for (const name of ["md5", "sha1", "sha256"] as const) {
          const mac = digests[`${name}Hmac`](secret);
          const expected = (message: string | Uint8Array): string =>
            createHmac(name, secret).update(message).digest("hex");
          expect([hex(mac(first)), hex(mac(second))]).toEqual([expected(first), expected(second)]);
        }
      }),
    );
  });
});

it("exports the same names from both builds of #crypto/digests", () => {
  expect(Object.keys(portable).sort()).toEqual(Object.keys(node).sort());
});
