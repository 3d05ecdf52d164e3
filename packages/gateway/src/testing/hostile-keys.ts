/** Keys that a path, a URL or a careless join would change. Each names its own object. */
export const HOSTILE_KEYS: readonly string[] = [
  ...["a", "a/b", "a/b/c", "a/", "/a", "//a", "a//b", "/", ".", "..", "../a", "a/../b", "./a", "a/./b"],
  ...["a\\b", "..\\..\\a", "%2e%2e/a", "a b", "a+b", "a%20b", "a?b#c", "a:b", "con", "nul", "nul.txt"],
  ...["trailing.", "trailing ", "A", "caf\u00e9", "cafe\u0301", "\u{1f511}", "line\nbreak", "tab\tstop"],
  ...[".daypass", ".daypass/index.db", ".daypass-0-0.tmp", "'\"<>&"],
  ...["x".repeat(255), "x".repeat(256), "\u00e9".repeat(200), `deep/${"d/".repeat(300)}leaf`],
];
