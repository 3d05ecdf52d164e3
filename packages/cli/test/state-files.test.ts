import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { withLock } from "../src/state/files.ts";
import { masterKey } from "../src/state/master-key.ts";
import { daypass, nodeArguments, temporaryFolder } from "./command.ts";

test.skipIf(process.platform === "win32").each(["0640", "0604", "0620", "0602", "0610"])(
  "a master key of mode %s is refused, whoever besides its owner may do what with it",
  async (mode) => {
    const folder = temporaryFolder();
    await masterKey({ env: {}, folder, create: true });
    const again = () => masterKey({ env: {}, folder, create: false });
    await expect(again()).resolves.toHaveLength(32);
    chmodSync(join(folder, "master.key"), Number.parseInt(mode, 8));
    await expect(again()).rejects.toThrow(`found mode ${mode}: run chmod 600`);
  },
);

function lockOf({ ageSeconds }: { readonly ageSeconds: number }): string {
  const path = join(temporaryFolder(), "keys.json.lock");
  writeFileSync(path, "");
  const then = Date.now() / 1000 - ageSeconds;
  utimesSync(path, then, then);
  return path;
}

test.skipIf(process.getuid?.() !== 0)("what root does to the keys of another user leaves them to him", async () => {
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
  // A secret that root asks for is root's.
  expect(ownerOf(secret)).toEqual([0, 0]);
  chownSync(state, 0, 0);
  expect((await keys("revoke", JSON.parse(made.stdout).id)).status).toBe(0);
  expect(ownerOf(join(state, "keys.json"))).toEqual([nobody, nobody]);
});

test.each([31, -31])(
  "a lock that a crash left behind %i seconds ago is taken over, and gone afterwards",
  async (ageSeconds) => {
    const path = lockOf({ ageSeconds });
    const held = await withLock(path, async () => existsSync(path) && Date.now() - statSync(path).mtimeMs < 30_000);
    expect([held, existsSync(path)]).toEqual([true, false]);
  },
);

test("a lock that may still be held is waited for", async () => {
  const path = lockOf({ ageSeconds: 20 });
  const order: string[] = [];
  const waiting = withLock(path, async () => order.push("the second"));
  // Longer than the pause between two tries.
  await sleep(60);
  order.push("the first");
  rmSync(path);
  await waiting;
  expect(order).toEqual(["the first", "the second"]);
});

const withoutRights = ["--bounding-set=-dac_override,-dac_read_search"];
const canDrop = spawnSync("setpriv", [...withoutRights, "true"]).status === 0;

test.skipIf(process.getuid?.() !== 0 || !canDrop)("a start that may not look into its folder says which", () => {
  const root = temporaryFolder();
  const own = join(root, ".daypass");
  mkdirSync(own, { mode: 0o700 });
  chownSync(own, 65_534, 65_534);
  const command = [process.execPath, ...nodeArguments, "serve", root, "--port", "0"];
  const { status, stderr } = spawnSync("setpriv", [...withoutRights, ...command], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`read and write ${own}`)]);
});
