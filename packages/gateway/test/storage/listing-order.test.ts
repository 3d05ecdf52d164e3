import fc from "fast-check";
import { expect, it } from "vitest";
import { compareUtf8, textAfterPrefix } from "../../src/storage/contract/listing.ts";

// Around the surrogates, behind which UTF-16 has another order than UTF-8, and at the ends.
const CHARACTERS = ["\u0000", "a", "/", "\u007f", "\u0080", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
const text = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 4 }).map((characters) => characters.join(""));

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

it("compares texts as their bytes in UTF-8 compare", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(byBytes(a, b));
    }),
    { numRuns: 2000 },
  );
});

it("finds the first text behind all those that begin with another one", () => {
  fc.assert(
    fc.property(text, text, (prefix, key) => {
      const end = textAfterPrefix(prefix);
      const isBehind = byBytes(key, prefix) > 0 && !key.startsWith(prefix);
      expect(end !== undefined && byBytes(key, end) >= 0).toBe(isBehind);
    }),
    { numRuns: 2000 },
  );
});
