import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../run.mjs";

/** A path from the root of the workspace. What has a `<`, `*` or `…` in it stands for many. */
const PATH = /(?<![\w./@-])(?:docs|packages|tools|examples|conformance|bench|runtimes)\/[\w./-]*\w(?![\w*<…])/g;

/** Paths that exist only after a build or an installation. */
const MADE = /^docs\/api$|\/(?:dist|node_modules)(?:\/|$)/;

const committed = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n");
const texts = committed
  .filter((path) => path.endsWith(".md") || /^(?:packages\/\w+\/src|tools)\/.*\.m?[jt]s$/.test(path))
  .map((path) => ({ path, named: [...readFileSync(join(root, path), "utf8").matchAll(PATH)].map(([name]) => name) }))
  .filter(({ named }) => named.length > 0);

it.each(texts)("$path names only paths that exist", ({ path, named }) => {
  const isThere = (name: string): boolean =>
    MADE.test(name) || [name, `${name}.ts`, join(dirname(path), name)].some((found) => existsSync(join(root, found)));
  expect(named.filter((name) => !isThere(name))).toEqual([]);
});

it("the list of decisions has each page, by its number and title", () => {
  const folder = "docs/decisions/";
  const pages = committed.filter((path) => path.startsWith(folder) && !path.endsWith("/README.md"));
  const list = readFileSync(join(root, folder, "README.md"), "utf8");
  const lines = pages.map((path) => {
    const [, title] = /^# (.+)/.exec(readFileSync(join(root, path), "utf8")) ?? [];
    return `- [${title}](${path.slice(folder.length)})`;
  });
  expect([...list.matchAll(/^- .+/gm)].map(([line]) => line).sort()).toEqual(lines.sort());
});
