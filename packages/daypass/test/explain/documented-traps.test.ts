import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL("../../src/explain/", import.meta.url));
const page = readFileSync(new URL("../../../../docs/guide/explain.md", import.meta.url), "utf8");
const ofUrls = page.slice(page.indexOf("\n## Traps\n"), page.indexOf("\n## A page that uploads\n"));
const ofForms = /^Traps of forms: [\s\S]*?\n\n/m.exec(page)?.[0] ?? "";

/** A trap is written as `{ name: "…", text }`, or added as one to a list. */
const TRAPS = [/\bname: "([a-z][a-z0-9-]*)",\s*text\b/g, /\badd\(\s*"([a-z][a-z0-9-]*)",/g];

const namesIn = (path: string): readonly string[] => {
  const text = readFileSync(SOURCES + path, "utf8");
  return TRAPS.flatMap((pattern) => Array.from(text.matchAll(pattern), ([, name = ""]) => name));
};

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
const isForm = (path: string): boolean => path.startsWith("form");

it.each([
  ["URLs", files.filter((path) => !isForm(path)), ofUrls, ["http", "sigv2", "sha1", "start-now", "signed-address"]],
  ["forms", files.filter(isForm), ofForms, ["any-key", "open-redirect", "expired"]],
] as const)("docs/guide/explain.md names every trap of %s", (_, paths, section, some) => {
  const names = new Set(paths.flatMap(namesIn));
  expect([...names]).toEqual(expect.arrayContaining([...some]));
  expect([...names].filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
});
