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

test("every code that a command fails with has its entry in the documentation", () => {
  const text = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(SOURCES, path), "utf8"))
    .join("\n");
  const codes = new Set(CODES.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code)));
  expect([...codes]).toEqual(
    expect.arrayContaining(["UNREACHABLE", "LISTING_REFUSED", "MALFORMED_ANSWER", "INVALID_INPUT"]),
  );
  const documented = [...guide.matchAll(/^(?:### |\| )`([A-Z_]+)`/gm)].map(([, code]) => code);
  expect([...codes].filter((code) => !documented.includes(code))).toEqual([]);
});
