import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openSpareIndex } from "../../src/storage/disk/database/spare-index.ts";
import { openLayout } from "../../src/storage/disk/layout.ts";
import { keptRoom } from "../../src/storage/disk/reserved-space.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const database = { checkpoint() {} };

function full(): Error {
  return Object.assign(new Error("no space left on device"), { code: "ENOSPC", syscall: "write" });
}

it("keeps room again that was spent, once there is plenty", async () => {
  const root = tempRoot();
  const layout = openLayout(root, { owner: true });
  const room = keptRoom(layout, database);
  const kept = () => statSync(join(layout.own, "reserve"), { throwIfNoEntry: false })?.size;
  for (let time = 0; time < 2; time++) {
    await room.keep();
    expect(kept()).toBe(512 * 1024);
    let calls = 0;
    const spent = room.spending(() => {
      calls += 1;
      if (calls === 1) throw full();
      return kept();
    });
    expect(spent).toBeUndefined();
  }
  removeRoot(root);
});

it("does not try for ever to keep room where it cannot", async () => {
  const root = tempRoot();
  const layout = openLayout(root, { owner: true });
  renameSync(layout.own, `${layout.own}-away`);
  const room = keptRoom(layout, database);
  await room.keep();
  renameSync(`${layout.own}-away`, layout.own);
  await room.keep();
  expect(readdirSync(layout.own)).not.toContain("reserve");
  removeRoot(root);
});

it("leaves no copy of an index that cannot be opened", async () => {
  const root = tempRoot();
  const path = join(root, "index.db");
  writeFileSync(path, "no database at all, and longer than its head of 100 bytes".repeat(10));
  const temporary = join(root, "tmp");
  mkdirSync(temporary);
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = temporary;
  try {
    await expect(openSpareIndex(path, "run")).rejects.toThrow();
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  }
  expect(readdirSync(temporary)).toEqual([]);
  rmSync(root, { recursive: true });
});
