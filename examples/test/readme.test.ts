import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (name: string) => readFileSync(new URL(`../../packages/daypass/${name}`, import.meta.url), "utf8");

it("the README of the library names each subpath of the package, and no other", () => {
  const { exports } = JSON.parse(read("package.json")) as { readonly exports: object };
  const subpaths = Object.keys(exports).filter((path) => path !== "." && path !== "./package.json");
  const named = [...read("README.md").matchAll(/`(\/[a-z0-9/-]+)`/g)].map(([, path]) => `.${path}`);
  expect([...new Set(named)].sort()).toEqual(subpaths.sort());
});
