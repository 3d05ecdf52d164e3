import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { foldedName } from "../../src/storage/disk/database/key-lock.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { spellingBelow } from "../../src/storage/disk/objects/case-folding.ts";
import { ownRoot } from "./temp-root.ts";

it("gives all spellings of a letter, and of a name that is cut at its end, one folded name", () => {
  const apart: string[] = [];
  for (let code = 0x20; code < 0x1_0000; code++) {
    const letter = String.fromCharCode(code);
    const others = [letter.toLowerCase(), letter.toUpperCase(), letter.normalize("NFC"), letter.normalize("NFD")];
    const different = others.filter((other) => other !== letter);
    if (different.some((other) => foldedName(`a${other}b`) !== foldedName(`a${letter}b`))) apart.push(letter);
  }
  expect(apart).toEqual([]);
  // The last of these is what HFS+ and ext4 ignore: a zero-width non-joiner.
  for (const other of ["K.TXT", "k.txt", "\u212a.txt", "K.txt. ", "k\u200c.txt"]) {
    expect(foldedName(other)).toBe(foldedName("K.txt"));
  }
  expect(foldedName("Dir. /a.txt .")).toBe("dir/a.txt");
  expect(foldedName("photos/a.b.jpg")).toBe("photos/a.b.jpg");
});

it("folds a long name in linear time", () => {
  // Quadratic time would be half a minute.
  const dots = `${".".repeat(100_000)}x`;
  expect(foldedName(dots)).toBe(dots);
});

it.each([
  ["Dir/a", "Dir/A"],
  ["dir/1", "dir/2"],
  ["caf\u00e9", "cafe\u0301"],
  ["a:b", "a"],
  ["a~1", "A~1"],
  ["a.", "a "],
])("finds %j by its own spelling, and not by %j, on a disk that folds no names", (name, other) => {
  const root = ownRoot();
  mkdirSync(join(root, "Dir"));
  mkdirSync(join(root, "dir"));
  writeFileSync(join(root, name), name);
  const isSpelled = (path: string) => spellingBelow(root, { folds: false })(join(root, path));
  expect(isSpelled(name)).toBe(true);
  if (!/^[a-z/\d]*$/i.test(other)) expect(isSpelled(other)).toBe(false);
  writeFileSync(join(root, other), other);
  expect([isSpelled(name), isSpelled(other)]).toEqual([true, true]);
});

it.each([
  ["Secret.txt", "sECRET.TXT"],
  ["dir", "DIR"],
])("does not find %j if only a listing shows its real name", (asked, real) => {
  const root = ownRoot();
  // A disk that folds names finds the asked name, and the swapped one, but lists only the real one.
  writeFileSync(join(root, real), "");
  expect(spellingBelow(root, { folds: false })(join(root, asked))).toBe(false);
});

it("trusts only the listing of a folder if the root folds names", async () => {
  const root = ownRoot();
  await (await disk({ root })).close();
  // As if the name of the probe had found it.
  writeFileSync(join(root, ".daypass/probe-\u00e9"), "");
  const layout = openLayout(root, { owner: true });
  const base = join(root, "bucket");
  writeFileSync(join(base, "123"), "");
  const device = statSync(base).dev;
  expect(["123", "456"].map((name) => layout.isSpelledSo(base, join(base, name), device))).toEqual([true, false]);
});
