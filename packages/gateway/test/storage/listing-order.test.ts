import fc from "fast-check";
import { expect, it } from "vitest";
import { compareUtf8, textAfterPrefix } from "../../src/storage/contract/listing.ts";

// Around the surrogates, where UTF-16 and UTF-8 sort differently, and at the ends.
const CHARACTERS = ["\u0000", "a", "/", "\u007f", "\u0080", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
const text = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 4 }).map((characters) => characters.join(""));

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

it("compares texts by their UTF-8 bytes", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(byBytes(a, b));
    }),
    { numRuns: 2000 },
  );
});

it("finds the first text after all texts with a prefix", () => {
  fc.assert(
    fc.property(text, text, (prefix, key) => {
      const end = textAfterPrefix(prefix);
      const isAfter = byBytes(key, prefix) > 0 && !key.startsWith(prefix);
      expect(end !== undefined && byBytes(key, end) >= 0).toBe(isAfter);
    }),
    { numRuns: 2000 },
  );
});
