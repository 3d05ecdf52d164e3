import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fieldList } from "../../src/state/contract/fields.ts";

const page = readFileSync(new URL("../../../../docs/links.md", import.meta.url), "utf8");

it("documents every field that an owner can ask for, with its option", () => {
  const [, table = ""] = /^## Fields\n[^#]*\|---\|---\|---\|---\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const lines = fieldList.flatMap(({ name, option, about, editable }) =>
    about === undefined
      ? []
      : `| \`${name}\` | ${option === undefined ? "" : `\`${option}\``} | ${editable ? "yes" : "no"} | ${about} |`,
  );
  expect(table.trimEnd().split("\n")).toEqual(lines);
});
