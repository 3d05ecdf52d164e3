import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { daypass, nodeArguments, temporaryFolder } from "./command.ts";

test.skipIf(process.getuid?.() !== 0)("keeps the owner of keys that root changes", async () => {
  const nobody = 65_534;
  const ownerOf = (path: string): readonly number[] => [statSync(path).uid, statSync(path).gid];
  const root = temporaryFolder();
  chownSync(root, nobody, nobody);
  const state = join(root, "var", "state");
  const secret = join(root, "secret");
  const keys = (...args: readonly string[]) => daypass(["keys", ...args, "--state", state]);
  const made = await keys("create", "--out", secret, "--json");
  for (const path of [dirname(state), state, join(state, "keys.json"), join(state, "master.key")])
    expect(ownerOf(path)).toEqual([nobody, nobody]);
  // The file of --out belongs to root.
  expect(ownerOf(secret)).toEqual([0, 0]);
  chownSync(state, 0, 0);
  expect((await keys("revoke", JSON.parse(made.stdout).id)).status).toBe(0);
  expect(ownerOf(join(state, "keys.json"))).toEqual([nobody, nobody]);
});

const withoutRights = ["--bounding-set=-dac_override,-dac_read_search"];
const canDrop = spawnSync("setpriv", [...withoutRights, "true"]).status === 0;

test.skipIf(process.getuid?.() !== 0 || !canDrop)("names the folder that a start may not read", () => {
  const root = temporaryFolder();
  const own = join(root, ".daypass");
  mkdirSync(own, { mode: 0o700 });
  chownSync(own, 65_534, 65_534);
  const command = [process.execPath, ...nodeArguments, "serve", root, "--port", "0"];
  const { status, stderr } = spawnSync("setpriv", [...withoutRights, ...command], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`read and write ${own}`)]);
});
