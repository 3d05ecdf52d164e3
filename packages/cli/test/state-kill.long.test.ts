import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { keyStore } from "../src/state-folder/key-store.ts";
import { temporaryFolder } from "./command.ts";

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
  // The published bundles have no file for this module.
  const module = join(temporaryFolder(), "key-store.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../src/state-folder/key-store.ts", import.meta.url))],
    outfile: module,
    bundle: true,
    format: "esm",
    platform: "node",
    conditions: ["@daypass/source"],
    logLevel: "error",
  });
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
