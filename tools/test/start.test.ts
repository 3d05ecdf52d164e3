import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../run.mjs";

test.each([".", "packages/daypass", "packages/gateway", "packages/cli"])(
  "no script of %s needs one that ignore-scripts leaves out",
  (folder) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const names = Object.keys(scripts);
    expect(names.filter((name) => names.some((other) => [`pre${other}`, `post${other}`].includes(name)))).toEqual([]);
  },
);

test.each(["check.mjs", "start.mjs"])("%s says what to install where npm has left the tools out", (script) => {
  const clone = mkdtempSync(join(tmpdir(), "daypass-clone-"));
  onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(join(root, "tools"), join(clone, "tools"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  mkdirSync(join(clone, "node_modules"));
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(clone, "tools", script)], { encoding: "utf8" });
  expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining("run `npm ci --include=dev` first")]);
});
