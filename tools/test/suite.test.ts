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
  for (const suffix of ["", "-alone"]) rmSync(`${root}.test-results/${name}${suffix}.json`, { force: true });
});

const HEAD = `import { existsSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
const again = (name) => { const file = new URL(name, import.meta.url); const was = existsSync(file); writeFileSync(file, ""); return was; };
`;

const files: Readonly<Record<string, string>> = {
  "vitest.config.mjs": `export default { test: { include: ["*.test.mjs"], reporters: ["../../count-reporter.mjs"] } };`,
  "once.test.mjs": `describe("a (b)* [c", () => {
  it("fails\\0\\nonce", () => expect(again("1")).toBe(true));
  it("passes", () => {});
  it.skip("is left out", () => {});
});`,
  "always.test.mjs": `it("fails always", () => { throw new Error("seen\\nbelow"); });
it("fails once beside it", () => expect(again("2")).toBe(true));`,
  "hook.test.mjs": `describe("a", () => {
  beforeAll(() => { if (!again("3")) throw new Error("not yet"); });
  it("passes after its hook", () => {});
});
it("throws no error once", () => { if (!again("4")) throw { code: 1 }; });`,
};

// Vitest is started several times, each of which takes seconds on a busy machine.
const timeout = 60_000;

const told = (failures: readonly { file: string; name: string; message: string }[]) =>
  failures.map(({ file, name, message }) => [relative(folder, file), name, message]);

it("runs once more, alone, what failed, and tells it from what fails again", { timeout }, () => {
  for (const [file, text] of Object.entries(files))
    writeFileSync(`${folder}/${file}`, file.includes(".test.") ? HEAD + text : text);
  const { passed, failed, skipped, failures, passedAlone } = runSuite(name, relative(root, folder));
  expect(told(passedAlone).sort()).toEqual([
    // A hook that throws is seen, although a test failed beside it.
    ["hook.test.mjs", "", "not yet"],
    ["hook.test.mjs", "throws no error once", "failed"],
    ["once.test.mjs", "a (b)* [c fails\0\nonce", "expected false to be true // Object.is equality"],
  ]);
  // One that fails always takes the others of its file with it.
  expect(told(failures)).toEqual([
    ["always.test.mjs", "fails always", "seen"],
    ["always.test.mjs", "fails once beside it", "expected false to be true // Object.is equality"],
  ]);
  expect({ passed, failed, skipped }).toEqual({ passed: 4, failed: 2, skipped: 2 });
});

it("runs nothing again where more than a few files fail", { timeout }, () => {
  for (let i = 0; i < 4; i++)
    writeFileSync(`${folder}/more${i}.test.mjs`, `${HEAD}it("fails", () => expect(again("m${i}")).toBe(true));`);
  const { passedAlone, failures } = runSuite(name, relative(root, folder));
  expect(passedAlone).toEqual([]);
  expect(failures).toHaveLength(5);
});
