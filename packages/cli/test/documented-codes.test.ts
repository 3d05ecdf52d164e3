import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
const guide = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

/** A code is the last argument of a `CommandError`, and the first of an error of the library. */
const CODES = [
  /new CommandError\((?:(?!\);)[\s\S])*?"([A-Z]+(?:_[A-Z]+)*)",?\s*\);/g,
  /new DaypassError\(\s*"([A-Z_]+)"/g,
];

const text = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(SOURCES, path), "utf8"))
  .join("\n");

test("every code that a command fails with has its entry in the documentation", () => {
  const codes = new Set(CODES.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code)));
  expect([...codes]).toEqual(
    expect.arrayContaining(["UNREACHABLE", "LISTING_REFUSED", "MALFORMED_ANSWER", "INVALID_INPUT"]),
  );
  const documented = [...guide.matchAll(/^(?:### |\| )`([A-Z_]+)`/gm)].map(([, code]) => code);
  expect([...codes].filter((code) => !documented.includes(code))).toEqual([]);
});

const [, section = ""] = guide.split(/^## On the command line$/m);
const rows = Array.from(section.matchAll(/^\| `([A-Z_\d]+)` \| (.*) \|$/gm), ([, code = "", cells = ""]) => ({
  code,
  cells,
}));

test.each(rows)(
  "$code is one of the command line's, with its exit status, what it means and what to do",
  ({ code, cells }) => {
    expect(text).toContain(`"${code}"`);
    const [status, meaning = "", remedy = ""] = cells.split(" | ");
    expect(status).toMatch(/^[012]$/);
    expect(meaning).toMatch(/^(?:[A-Z]|`).*\.$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  },
);

test("the page has the codes of the command line in one table", () => {
  expect(rows.length).toBeGreaterThan(6);
});
