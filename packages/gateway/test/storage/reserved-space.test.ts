import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { giveUpReserve, reservedSpace } from "../../src/storage/disk/reserved-space.ts";
import { removeRoot, tempRoot } from "./temp-root.ts";

const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC", syscall: "write" });

function spaceOf() {
  const root = tempRoot();
  onTestFinished(() => removeRoot(root));
  const layout = { root, own: join(root, ".daypass") };
  mkdirSync(layout.own);
  const reserved = () => statSync(join(layout.own, "reserve"), { throwIfNoEntry: false })?.size;
  return { layout, reserved, space: reservedSpace(layout as never, { checkpoint() {} }) };
}

it("gives up the reserve for a removal, and makes it again when the disk has plenty", async () => {
  const { space, reserved, layout } = spaceOf();
  for (let time = 0; time < 2; time++) {
    await space.keep();
    expect(reserved()).toBe(512 * 1024);
    let calls = 0;
    const spent = space.spending(() => {
      calls += 1;
      if (calls === 1) throw full;
      return reserved();
    });
    expect(spent).toBeUndefined();
  }
  await space.keep();
  expect([giveUpReserve(layout), reserved(), giveUpReserve(layout)]).toEqual([true, undefined, false]);
});

it("passes an error on that is no full disk, without giving up the reserve", async () => {
  const { space, reserved } = spaceOf();
  await space.keep();
  const broken = Object.assign(new Error("disk I/O error"), { errcode: 10 });
  expect(() =>
    space.spending(() => {
      throw broken;
    }),
  ).toThrow(broken);
  expect(reserved()).toBe(512 * 1024);
});

it("does not try again to make a reserve that failed", async () => {
  const { space, layout } = spaceOf();
  renameSync(layout.own, `${layout.own}-away`);
  await space.keep();
  renameSync(`${layout.own}-away`, layout.own);
  await space.keep();
  expect(readdirSync(layout.own)).not.toContain("reserve");
});

it("does not report a full disk while the root is missing", async () => {
  const { space, layout } = spaceOf();
  removeRoot(layout.root);
  expect(space.isDiskFull(Object.assign(new Error("disk I/O error"), { errcode: 10 }))).toBe(false);
  await expect(space.keep()).resolves.toBe(undefined);
});
