import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uriSigningRegex } from "../../src/schemes/uri-signing/index.ts";

const matches = (source: string, text: string): boolean => uriSigningRegex(source).matches(text);

describe("POSIX extended regular expressions", () => {
  it.each([
    ["abc", "abc", true],
    ["abc", "abcd", false],
    ["abc", "xabc", false],
    ["a|bc|d", "bc", true],
    ["a|bc|d", "ab", false],
    ["(a|b)*c", "ababc", true],
    ["(a|b)*c", "abab", false],
    ["a.c", "a/c", true],
    ["a\\.c", "a/c", false],
    ["a+", "", false],
    ["a?b", "b", true],
    ["a{3}", "aaa", true],
    ["a{3}", "aa", false],
    ["a{2,}", "aaaaa", true],
    ["a{2,3}", "aaaa", false],
    ["a{0}b", "b", true],
    ["a{0,1}b", "ab", true],
    ["(ab){2}", "abab", true],
    ["[a-c]+", "abcabc", true],
    ["[^a-c]+", "xyz", true],
    ["[^a-c]+", "xaz", false],
    ["[]a]+", "]a]", true],
    ["[^]a]", "b", true],
    ["[a-]", "-", true],
    ["[-a]", "-", true],
    ["[\\d]", "\\", true],
    ["[\\d]", "5", false],
    ["[.*$]", "$", true],
    ["[[:digit:]]{2}", "42", true],
    ["[[:alpha:]_]+", "aZ_", true],
    ["[^[:space:]/]+", "a/b", false],
    ["[[:upper:][:digit:]]+", "A1", true],
    ["^a$", "a", true],
    ["(^a|b)c", "ac", true],
    ["a^b", "ab", false],
    ["a$|b", "a", true],
    ["\\^\\$\\(\\)\\[\\]\\{\\}\\|\\*\\+\\?\\\\", "^$()[]{}|*+?\\", true],
    ["a}", "a}", true],
    ["((a*)*)*b", "aaab", true],
    ["(a{0})*b", "b", true],
    [".*", "é", false],
    // RFC 9246 section 2.1.15.2, its one example
    [
      "[^:]*\\://[^/]*/folder/content/quality_[^/]*/segment.{3}\\.mp4(\\?.*)?",
      "https://h/folder/content/quality_hd/segment001.mp4?x",
      true,
    ],
    [
      "[^:]*\\://[^/]*/folder/content/quality_[^/]*/segment.{3}\\.mp4(\\?.*)?",
      "https://h/folder/content/quality_hd/x/segment001.mp4",
      false,
    ],
  ])("%s and %s: %s", (source, text, expected) => {
    expect(matches(source, text)).toBe(expected);
  });

  it.each([
    ...[
      "",
      "(",
      ")",
      "(a",
      "a)",
      "[",
      "[a",
      "[z-a]",
      "[[:foo:]]",
      "[[.a.]]",
      "[[=a=]]",
      "a||b",
      "|a",
      "a|",
      "()",
      "(|a)",
    ],
    ...[
      "*a",
      "+",
      "?",
      "a**",
      "a*?",
      "a+?",
      "a?+",
      "a{2}{3}",
      "a{2}*",
      "^*",
      "$+",
      "{2}",
      "a{3,2}",
      "a{256}",
      "a{1,256}",
      "a{",
      "a{x}",
      "a{,3}",
    ],
    ...["\\d", "\\w", "\\1", "\\n", "\\", "(?:a)", "(?=a)", "a\\", "é", "a\n", "a\t"],
    "a".repeat(2049),
  ])("refuses %j", (source) => {
    expect(() => uriSigningRegex(source)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("agrees with another engine on random expressions and texts", () => {
    const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\.", "/", "[[:digit:]]", "1");
    const { expression } = fc.letrec<{ expression: string; piece: string }>((tie) => ({
      piece: fc
        .tuple(
          fc.oneof(
            { weight: 4, arbitrary: atom },
            { weight: 1, arbitrary: tie("expression").map((inner) => `(${inner})`) },
          ),
          fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}"),
        )
        .map((parts) => parts.join("")),
      expression: fc
        .array(
          fc.array(tie("piece"), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join("")),
          { minLength: 1, maxLength: 2 },
        )
        .map((branches) => branches.join("|")),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "1"), maxLength: 10 });
    let matched = 0;
    fc.assert(
      fc.property(expression, text, (source, subject) => {
        // Longer ones may have too many states here, and keep the other engine busy without end.
        fc.pre(source.length <= 40);
        const other = new RegExp(`^(?:${source.replaceAll("[[:digit:]]", "[0-9]").replaceAll("/", "\\/")})$`, "s").test(
          subject,
        );
        if (other) matched++;
        expect(matches(source, subject)).toBe(other);
      }),
      { numRuns: 1500 },
    );
    expect(matched).toBeGreaterThan(30);
  });
});

// Work that grows with the square of the text, or of the number of states, exceeds the timeout.
describe("ReDoS", () => {
  it.each(["(a+)+b", "(a|a)*b", "(a|aa)+b", "((a*)*)*b", "(.*)*x(.*)*y", "(a{0,20}){0,20}b"])(
    "matches %s in linear time",
    (source) => expect(uriSigningRegex(source).matches("a".repeat(8000))).toBe(false),
  );

  it("matches the largest expression on the longest target in linear time", () => {
    expect(uriSigningRegex("(.|.){255}(.|.)*").matches("a".repeat(8192))).toBe(true);
  });

  it.each(["(a{255}){255}", "((a{0}){255}){255}", "((((a{0}){255}){255}){255}){255}", "(((a?){99}){99}){99}"])(
    "refuses %s, which has too many states",
    (source) => {
      expect(() => uriSigningRegex(source)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    },
  );

  it("matches the deepest parentheses without a stack overflow", () => {
    expect(matches(`${"(".repeat(1000)}a${")".repeat(1000)}`, "a")).toBe(true);
  });
});
