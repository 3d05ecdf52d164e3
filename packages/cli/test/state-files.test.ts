import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { keyStore } from "../src/state-folder/key-store.ts";
import { withLock } from "../src/state-folder/lock.ts";
import { masterKey } from "../src/state-folder/master-key.ts";
import { writerOf } from "../src/state-owner/writer.ts";
import { nodeArguments, temporaryFolder, words } from "./command.ts";

test.skipIf(process.platform === "win32").each(["0640", "0604", "0620", "0602", "0610"])(
  "rejects a master key of mode %s",
  async (mode) => {
    const folder = temporaryFolder();
    await masterKey({ env: {}, folder, create: true });
    const again = () => masterKey({ env: {}, folder, create: false });
    await expect(again()).resolves.toHaveLength(32);
    chmodSync(join(folder, "master.key"), Number.parseInt(mode, 8));
    await expect(again()).rejects.toThrow(`has the mode ${mode}, and other users may read it. Run chmod 600`);
  },
);

function lockOf({ ageSeconds }: { readonly ageSeconds: number }): string {
  const path = join(temporaryFolder(), "keys.json.lock");
  writeFileSync(path, "");
  const then = Date.now() / 1000 - ageSeconds;
  utimesSync(path, then, then);
  return path;
}

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
      await expect(expectHeld()).rejects.toThrow("another process is changing");
      await second.expectHeld();
      theirs = true;
    });
    // The new file may get the inode of the first file.
    writeFileSync(path, "");
    await expect(expectHeld()).rejects.toThrow("another process is changing");
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
  await expect(stopped.revoke(first.record.id)).rejects.toThrow("another process is changing");
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

describe("Node's permission model", () => {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const limited = (rights: readonly string[], args: readonly string[]) =>
    spawnSync(process.execPath, [flag, ...rights, ...nodeArguments, ...args], { encoding: "utf8", timeout: 20_000 });

  test("prevents serving a folder, because it forbids fsync()", () => {
    const root = temporaryFolder();
    const rights = ["--allow-fs-read=*", "--allow-fs-write=*"];
    const { status, stderr } = limited(rights, ["serve", root, "--port", "0"]);
    expect([status, readdirSync(root)]).toEqual([1, []]);
    expect(stderr).toContain("daypass serve: Node runs with --permission");
  });

  test("is not reported as a bug of the command", () => {
    const args = ["keys", "create", "url", "--state", temporaryFolder(), "--show-secret"];
    const { status, stderr } = limited(["--allow-fs-read=*"], args);
    expect([status, stderr.includes("please report")]).toEqual([1, false]);
  });
});

test("a folder of an earlier release keeps the id of its writer, and a new folder has another", async () => {
  const [older, newer] = [temporaryFolder(), temporaryFolder()];
  for (const folder of [older, newer]) writeFileSync(join(folder, "state.postgres.json"), "{}");
  writeFileSync(join(older, "audit.last"), JSON.stringify({ writer: "0123456789ab", last: 3, mac: "m" }).padEnd(160));
  expect(await writerOf(older)).toBe("0123456789ab");
  expect(await writerOf(newer)).toMatch(/^[0-9a-f]{12}$/);
  expect(await writerOf(newer)).toBe(await writerOf(newer));
  expect(statSync(join(newer, "writer")).mode & 0o777).toBe(0o600);
});
