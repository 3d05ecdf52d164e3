import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, expect, it, vi } from "vitest";
import { modulesOf, samplesIn } from "../../../tools/samples.ts";

// examples/test/docs.test.ts compiles the samples. This suite runs the samples that need only the library and Node, and no network.

const root = new URL("../../../", import.meta.url);
const source = new URL("../src/", import.meta.url);
const folder = mkdtempSync(fileURLToPath(new URL(".samples-", import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

const pages = ["docs/schemes/", "docs/guide/", "docs/spec/", "docs/", "packages/daypass/", ""].flatMap((path) =>
  readdirSync(new URL(path, root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => ({ name: path + name, text: readFileSync(new URL(path + name, root), "utf8") })),
);
const docstrings = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name: `src/${name}`, text: readFileSync(new URL(name, source), "utf8").replace(/^ *\* ?/gm, "") }));

const samples = samplesIn([...pages, ...docstrings]);
const runnable = samples.filter(({ code }) => {
  const modules = modulesOf(code);
  const needsNoMore = modules.every((module) => /^(?:daypass(?:\/|$)|node:)/.test(module));
  const isOwn = modules.some((module) => module.startsWith("daypass")) && needsNoMore;
  return isOwn && !/\bdeclare\b|^\s*(?:const .* = )?await fetch\(|metadata\.google/m.test(code);
});

const plain = (text: string): string => text.replace(/["'\s]/g, "");

/** The output that the printing lines announce, with `…` for anything; `undefined` for a line without a value. */
function shownBy(code: string): readonly (RegExp | undefined)[] {
  return [...code.matchAll(/^console\.log\(.*\);(?: \/\/ (.*))?$/gm)].map(([, comment = ""]) => {
    if (!/^(?:["[{…\d]|https:|true\b|false\b|undefined\b)/.test(comment)) return undefined;
    const value = comment.replace(/^("[^"]*"): .*/, "$1");
    const parts = plain(value).split("…");
    return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*")}$`);
  });
}

it.each(runnable)("$name runs, and prints the values in its comments", async ({ code, name }) => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const file = `${folder}/${name.replace(/\W+/g, "-")}.ts`;
  // Listens on a free port, and does not keep the process alive.
  writeFileSync(file, code.replace(/\.listen\(\d+\)/g, ".listen(0).unref()"));
  for (const [, variable = ""] of code.matchAll(/process\.env\["(\w+)"\]/g)) vi.stubEnv(variable, "secret");
  try {
    await import(file);
    const printed = log.mock.calls.map((values) => values.map((value) => inspect(value, { depth: 9 })).join(" "));
    for (const [i, shown] of shownBy(code).entries()) {
      if (shown !== undefined) expect(plain(printed[i] ?? "")).toMatch(shown);
    }
  } finally {
    log.mockRestore();
    vi.unstubAllEnvs();
  }
});

it("runs most samples", () => {
  expect(runnable.length).toBeGreaterThan(samples.length / 2);
});
