import { describe, expect, it } from "vitest";
import { fits } from "../../src/schemes/cloudfront/policy.ts";
import { seeded } from "../tamper/seeded.ts";

describe("wildcards of a resource", () => {
  it.each([
    ["", "", true],
    ["*", "", true],
    ["*", "anything/at?all", true],
    ["**", "x", true],
    ["?", "", false],
    ["?", "x", true],
    ["?", "xy", false],
    ["a*", "a", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbbd", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b*", "xxbxxaxx", false],
    ["a?c*", "abcdef", true],
    ["https://d/hls/*", "https://d/hls/1/a.ts", true],
    ["https://d/hls/*", "https://d/hls", false],
    ["https://d/a?x=1", "https://d/a?x=1", true],
    ["https://d/a?x=1", "https://d/a/x=1", true],
    ["http*://d/a", "https://d/a", true],
    ["*ab", "aab", true],
    ["*aab", "aaab", true],
  ])("%j and %j: %s", (pattern, text, expected) => {
    expect(fits(pattern, text)).toBe(expected);
  });

  it("agree with a search that tries everything, for 20,000 random patterns", () => {
    const random = seeded(42);
    const word = (letters: string, length: number) =>
      Array.from({ length: random.below(length) }, () => random.pick([...letters])).join("");
    for (let i = 0; i < 20_000; i++) {
      const pattern = word("ab*?", 8);
      const text = word("ab", 8);
      expect([pattern, text, fits(pattern, text)]).toEqual([pattern, text, tries(pattern, text)]);
    }
  });

  it("matches a pattern of many stars without backtracking", () => {
    const text = "a".repeat(8000);
    for (const pattern of [`${"*a".repeat(200)}*b`, `*${"a".repeat(4000)}b`, `${"?*".repeat(500)}b`])
      expect(fits(pattern, text)).toBe(false);
  });
});

/** The definition, in exponential time. */
function tries(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern;
  if (first === "") return text === "";
  if (first === "*") return tries(rest.join(""), text) || (text !== "" && tries(pattern, text.slice(1)));
  return text !== "" && (first === "?" || first === text[0]) && tries(rest.join(""), text.slice(1));
}
