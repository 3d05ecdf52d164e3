import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveSettings } from "../src/commands/serve/settings.ts";
import { stateFolder } from "../src/state-folder/state-folder.ts";
import { daypass, parseLines, temporaryFolder } from "./command.ts";

test("rejects a state folder that would be served", async () => {
  const folder = temporaryFolder();
  const root = join(folder, "files");
  mkdirSync(join(root, "media"), { recursive: true });
  symlinkSync(root, join(folder, "link"));
  symlinkSync(join(root, "media"), join(folder, "elsewhere"));
  const inside = [
    "files",
    "files/",
    "files/state",
    "files/media",
    "files/media/.daypass",
    "link/state",
    "elsewhere/keys",
  ];
  for (const state of inside) {
    await expect(serveSettings({ root, state: join(folder, state) }), state).rejects.toThrow(
      /which would serve its keys/,
    );
  }
  for (const state of ["state", "files-state", "files/.daypass", "files/.keys/daypass", "link/.daypass"]) {
    await expect(serveSettings({ root, state: join(folder, state) }), state).resolves.toMatchObject({ root });
  }
  await expect(serveSettings({ root })).resolves.toMatchObject({ state: join(root, ".daypass") });
});

test("rejects keys in the served folder and names their place", async () => {
  const root = join(temporaryFolder(), "files");
  const { status } = await daypass(["keys", "create", "--state", root, "--out", `${root}.credentials`]);
  expect([status, existsSync(join(root, "keys.json"))]).toEqual([0, true]);
  await expect(serveSettings({ root, state: `${root}.state` })).rejects.toThrow(/Move it, and master.key/);
  // Windows editors add a byte order mark.
  writeFileSync(join(root, "keys.json"), `\ufeff${readFileSync(join(root, "keys.json"), "utf8")}`);
  await expect(serveSettings({ root })).rejects.toThrow(/Move it, and master.key/);
  // An unrelated object with this name.
  writeFileSync(join(root, "keys.json"), '{"keys":["a"]}');
  await expect(serveSettings({ root })).resolves.toMatchObject({ root });
});

test("does not read an uploaded keys.json as keys", async () => {
  const root = join(temporaryFolder(), "files");
  const state = join(root, ".daypass");
  const keys = (...args: readonly string[]) => daypass(["keys", ...args, "--json"]);
  await keys("create", "--state", state, "--show-secret");
  const [key] = parseLines<{ readonly id: string }>((await keys("list", "--state", root)).stdout);
  const id = key?.id ?? "";
  const record = { kind: "s3", id, algorithm: "AWS4-HMAC-SHA256", createdAt: "2026-01-02T03:04:05Z", scope: {} };
  writeFileSync(join(root, "keys.json"), JSON.stringify({ version: 1, keys: [{ record, secret: "" }] }));
  const { status, stdout } = await keys("revoke", id, "--state", root);
  expect([status, stdout]).toEqual([2, expect.stringContaining(`give --state ${state}`)]);
  expect(() => stateFolder(root, {})).toThrow(/keys.json/);
  expect((await keys("revoke", id, "--state", state)).stdout).toContain("revokedAt");
  await expect(serveSettings({ root })).resolves.toMatchObject({ state });
});
