import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { otherSpellings, spellingBelow } from "../../src/storage/disk/spelling.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

it.each([
  ["Secret.txt", ["sECRET.TXT"]],
  ["caf\u00e9", ["CAF\u00e9", "cafe\u0301"]],
  // Nothing folds into these, so that no listing is needed.
  ["000123", []],
  ["\u5199\u771f", []],
  ["\u0444\u043e\u0442\u043e", ["\u0424\u043e\u0442\u043e", "\u0444\u041e\u0442\u043e", "\u0444\u043e\u0422\u043e"]],
  ["123.", undefined],
  ["123~1", undefined],
  ["\u00df", undefined],
])("of %j the names that would find the same entry are %j", (name, others) => {
  expect(otherSpellings(name)).toEqual(others);
});

it("takes a name for its own where others that differ in case stand beside it", () => {
  const root = tempRoot();
  mkdirSync(join(root, "Dir"));
  mkdirSync(join(root, "dir"));
  for (const name of ["Dir/a", "Dir/A", "dir/1"]) writeFileSync(join(root, name), name);
  const isSpelled = spellingBelow(root);
  expect(["Dir/a", "Dir/A", "dir/1"].map((name) => isSpelled(join(root, name)))).toEqual([true, true, true]);
  removeRoot(root);
});
