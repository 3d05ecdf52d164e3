import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { root } from "../run.mjs";
import { runSuite } from "../suite.mjs";

// Inside the workspace, where `npx` finds Vitest.
const folder = mkdtempSync(fileURLToPath(new URL(".suite-", import.meta.url)));
const name = basename(folder);
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(`${root}.test-results/${name}-quick.json`, { force: true });
});

const HEAD = `import { beforeAll, describe, expect, it } from "vitest";\n`;
const files: Readonly<Record<string, string>> = {
  "vitest.config.mjs": `export default { test: { include: ["*.test.mjs"], reporters: ["../../count-reporter.mjs"] } };`,
  "assertion.test.mjs": `${HEAD}describe("a", () => {
  it("fails\\0\\nhere", () => expect(false).toBe(true));
  it("passes", () => {});
  it.skip("is skipped", () => {});
});`,
  "hook.test.mjs": `${HEAD}describe("a", () => {
  beforeAll(() => { throw new Error("not ready"); });
  it("waits for its hook", () => {});
});
it("throws a value without a message", () => { throw { code: 1 }; });`,
};

it("counts passed, failed and skipped tests, and names each failure once, without a second run", {
  timeout: 60_000,
}, () => {
  for (const [file, text] of Object.entries(files)) writeFileSync(`${folder}/${file}`, text);
  const { failures, ...counts } = runSuite(name, relative(root, folder), "quick");
  expect(failures.map(({ file, name: test, message }) => [relative(folder, file), test, message]).sort()).toEqual([
    ["assertion.test.mjs", "a fails\0\nhere", "expected false to be true // Object.is equality"],
    ["hook.test.mjs", "", "not ready"],
    ["hook.test.mjs", "throws a value without a message", "failed"],
  ]);
  expect(counts).toEqual({ passed: 1, failed: 3, skipped: 2 });
});
