import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { keyStore } from "../src/state/key-store.ts";
import { withLock } from "../src/state/lock.ts";
import { masterKey } from "../src/state/master-key.ts";
import { daypass, nodeArguments, temporaryFolder, words } from "./command.ts";

test.skipIf(process.platform === "win32").each(["0640", "0604", "0620", "0602", "0610"])(
  "rejects a master key of mode %s",
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

test.each([31, -31])("takes over a lock that a crash left %i seconds ago", async (ageSeconds) => {
  const path = lockOf({ ageSeconds });
  const held = await withLock(path, async () => existsSync(path) && Date.now() - statSync(path).mtimeMs < 30_000);
  expect([held, existsSync(path)]).toEqual([true, false]);
});

test("waits for a recent lock", async () => {
  const path = lockOf({ ageSeconds: 20 });
  const order: string[] = [];
  const waiting = withLock(path, async () => order.push("the second"));
  await sleep(60);
  order.push("the first");
  rmSync(path);
  await waiting;
  expect(order).toEqual(["the first", "the second"]);
});

test("reports a lock that another process took over, and leaves the lock to that process", async () => {
  const path = join(temporaryFolder(), "keys.json.lock");
  const age = (): void => {
    const then = Date.now() / 1000 - 31;
    utimesSync(path, then, then);
  };
  let theirs = false;
  await withLock(path, async ({ expectHeld }) => {
    await expectHeld();
    age();
    await withLock(path, async (second) => {
      await expect(expectHeld()).rejects.toThrow("found another process using it");
      await second.expectHeld();
      theirs = true;
    });
    // The new file may get the inode of the first file.
    writeFileSync(path, "");
    await expect(expectHeld()).rejects.toThrow("found another process using it");
  });
  expect([theirs, existsSync(path)]).toEqual([true, true]);
});

test("does not restore a key that was revoked while the command was stopped", async () => {
  const folder = temporaryFolder();
  const store = (clock: () => Date) => keyStore({ folder, env: {}, clock });
  const now = () => new Date();
  const wanted = { algorithm: "HS256", scope: {} } as const;
  const [first, second] = [await store(now).create(wanted), await store(now).create(wanted)];
  const lock = join(folder, "keys.json.lock");
  // The store reads the clock after the keys. Revoke a key at that moment.
  const stopped = store(() => {
    const then = Date.now() / 1000 - 31;
    utimesSync(lock, then, then);
    const revoked = spawnSync(
      process.execPath,
      words`${nodeArguments} keys revoke ${second.record.id} --state ${folder}`,
    );
    expect(revoked.status).toBe(0);
    return new Date();
  });
  await expect(stopped.revoke(first.record.id)).rejects.toThrow("found another process using it");
  const active = (await store(now).active()).map(({ record }) => record.id);
  expect(active).toEqual([first.record.id]);
  expect(readdirSync(folder).sort()).toEqual(["keys.json", "keys.json.spare", "master.key"]);
  await store(now).revoke(first.record.id);
});

test("removes the temporary files of a crash with the next change", async () => {
  const folder = temporaryFolder();
  const left = ["keys.json.0123456789ab.tmp", "master.key.0123456789ab.tmp"];
  const copies = ["keys.json.202611271844", "keys.json.tmp", "other.json.0123456789ab.tmp"];
  for (const name of [...left, ...copies]) writeFileSync(join(folder, name), "");
  await keyStore({ folder, env: {}, clock: () => new Date() }).create({ algorithm: "HS256", scope: {} });
  expect(readdirSync(folder).sort()).toEqual([...copies, "keys.json", "keys.json.spare", "master.key"].sort());
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

describe("Node's permission model", () => {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const limited = (rights: readonly string[], args: readonly string[]) =>
    spawnSync(process.execPath, [flag, ...rights, ...nodeArguments, ...args], { encoding: "utf8", timeout: 20_000 });

  test("prevents serving a folder, because it forbids fsync()", () => {
    const root = temporaryFolder();
    const rights = ["--allow-fs-read=*", "--allow-fs-write=*"];
    const { status, stderr } = limited(rights, ["serve", root, "--port", "0"]);
    expect([status, readdirSync(root)]).toEqual([1, []]);
    expect(stderr).toContain("daypass serve: expected Node without --permission");
  });

  test("is not reported as a bug of the command", () => {
    const args = ["keys", "create", "url", "--state", temporaryFolder(), "--show-secret"];
    const { status, stderr } = limited(["--allow-fs-read=*"], args);
    expect([status, stderr.includes("please report")]).toEqual([1, false]);
  });
});

/** Changes keys forever, and reports each change. */
const CHANGES = `
const { keyStore } = await import(process.argv[1]);
const store = keyStore({ folder: process.argv[2], env: {}, clock: () => new Date() });
for (let id; ; ) {
  ({ record: { id } } = await store.create({ algorithm: "HS256", scope: {} }));
  process.send(["made", id]);
  ({ record: { id } } = await store.rotate(id, 60));
  process.send(["made", id]);
  await store.revoke(id);
  process.send(["revoked", id]);
}`;

test("loses no key and restores no revoked key when a change is killed", async () => {
  const folder = temporaryFolder();
  const module = new URL("../dist/state/key-store.js", import.meta.url).href;
  const made = new Set<string>();
  const revoked = new Set<string>();
  const store = keyStore({ folder, env: {}, clock: () => new Date() });
  for (let round = 0; round < 6; round += 1) {
    const args = ["--input-type=module", "-e", CHANGES, module, folder];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    let changes = 0;
    child.on("message", ([what, id]: [string, string]) => {
      changes += 1;
      (what === "made" ? made : revoked).add(id);
      // Kill at another step of a change in each round.
      if (changes === 3) setTimeout(() => child.kill("SIGKILL"), round);
    });
    await once(child, "close");
    const rows = await store.opened();
    const found = new Set(rows.map(({ record }) => record.id));
    expect([...made].filter((id) => !found.has(id))).toEqual([]);
    for (const { record, key } of rows) {
      expect(key === undefined).toBe(record.revokedAt !== undefined);
      if (revoked.has(record.id)) expect(record.revokedAt).toBeDefined();
    }
    // Removes the lock of the killed process, which would expire after 30 seconds.
    rmSync(join(folder, "keys.json.lock"), { force: true });
  }
  expect(made.size).toBeGreaterThan(10);
}, 60_000);
