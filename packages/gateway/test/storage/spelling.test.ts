import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { foldedName } from "../../src/storage/disk/database/folded-name.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { otherSpellings, spellingBelow } from "../../src/storage/disk/objects/case-folding.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

it.each([
  ["Secret.txt", ["sECRET.TXT"]],
  ["caf\u00e9", ["CAF\u00e9", "cafe\u0301"]],
  // Without case, so that no listing is needed. Where case is folded, what is not to be seen is left out.
  ["000123", ["000123\u200c"]],
  ["\u3057\u3083", ["\u3057\u3083\u200c"]],
  // Signs that are these letters to Unicode: a ZFS that normalises keeps case, and finds them.
  ["K.txt", ["k.TXT", "\u212a.txt"]],
  ["3;4", ["3\u037e4", "3;4\u200c"]],
  ["\u8eca", ["\uf902", "\u8eca\u200c"]],
  ["12\u00ad3", undefined],
  // Names that are too long are never there.
  [`${"\u00e9".repeat(127)}a`, undefined],
  [
    "\u0444\u043e\u0442\u043e",
    [
      "\u0424\u043e\u0442\u043e",
      "\u0444\u041e\u0442\u043e",
      "\u0444\u043e\u0422\u043e",
      "\u0444\u043e\u0442\u043e\u200c",
    ],
  ],
  ["123.", undefined],
  ["123~1", undefined],
  ["\u00df", undefined],
])("of %j the names that would find the same entry are %j", (name, others) => {
  expect(otherSpellings(name)).toEqual(others);
  for (const other of others ?? []) expect(foldedName(other)).toBe(foldedName(name));
});

it("has one folded name for all spellings of a letter, and of a name that is cut at its end", () => {
  const apart: string[] = [];
  for (let code = 0x20; code < 0x1_0000; code++) {
    const letter = String.fromCharCode(code);
    const others = [letter.toLowerCase(), letter.toUpperCase(), letter.normalize("NFC"), letter.normalize("NFD")];
    const different = others.filter((other) => other !== letter);
    if (different.some((other) => foldedName(`a${other}b`) !== foldedName(`a${letter}b`))) apart.push(letter);
  }
  expect(apart).toEqual([]);
  expect(foldedName("Dir. /a.txt .")).toBe("dir/a.txt");
  expect(foldedName("photos/a.b.jpg")).toBe("photos/a.b.jpg");
  // In time that grows with the length: its square would be half a minute.
  const dots = `${".".repeat(100_000)}x`;
  expect(foldedName(dots)).toBe(dots);
});

it("takes a name for its own where others that differ in case stand beside it", () => {
  const root = tempRoot();
  mkdirSync(join(root, "Dir"));
  mkdirSync(join(root, "dir"));
  for (const name of ["Dir/a", "Dir/A", "dir/1"]) writeFileSync(join(root, name), name);
  const isSpelled = spellingBelow(root, { folds: false });
  expect(["Dir/a", "Dir/A", "dir/1"].map((name) => isSpelled(join(root, name)))).toEqual([true, true, true]);
  removeRoot(root);
});

it("takes a name for an entry's own only where a listing has it, where the root folds names", async () => {
  const root = tempRoot();
  await (await disk({ root })).close();
  // As if the name of the probe had found it.
  writeFileSync(join(root, ".daypass/probe-\u00e9"), "");
  const layout = openLayout(root, { owner: true });
  const base = join(root, "bucket");
  writeFileSync(join(base, "123"), "");
  const device = statSync(base).dev;
  expect(["123", "456"].map((name) => layout.isSpelledSo(base, join(base, name), device))).toEqual([true, false]);
  removeRoot(root);
});
