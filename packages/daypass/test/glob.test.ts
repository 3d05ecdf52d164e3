import fc from "fast-check";
import { expect, it } from "vitest";
import { matchesGlob } from "../src/wire/glob.ts";

it("matches like the pattern's regular expression", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "."), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, subject) => {
      const source = glob.replace(/[.*?/]/g, (c) => ({ "*": ".*", "?": "." })[c] ?? `\\${c}`);
      expect(matchesGlob(glob, subject)).toBe(new RegExp(`^${source}$`, "s").test(subject));
    }),
    { numRuns: 3000 },
  );
});

it("matches many stars without backtracking", () => {
  expect(matchesGlob(`${"*a".repeat(1000)}b`, "a".repeat(8000))).toBe(false);
});
