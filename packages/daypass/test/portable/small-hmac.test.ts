import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { smallHmac } from "../../src/crypto/small-hmac.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

// RFC 4231 sections 4.2, 4.3 and 4.7: a key of 20 bytes, one shorter than the block, one longer.
it.each([
  ["0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  ["4a656665", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  [
    "aa".repeat(131),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
])("the small HMAC gives the published value for key %s", (key, message, expected) => {
  expect(hex(smallHmac(Buffer.from(key, "hex"), Buffer.from(message)))).toBe(expected);
});

it("the small HMAC agrees with OpenSSL's for any key and text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 140 }), fc.string({ unit: "grapheme", maxLength: 200 }), (key, message) => {
      expect(hex(smallHmac(key, Buffer.from(message)))).toBe(createHmac("sha256", key).update(message).digest("hex"));
    }),
  );
});
