import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveSettings } from "../src/serve/settings.ts";
import { temporaryFolder } from "./command.ts";

test("keys are not kept where they would be served", async () => {
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
    await expect(serveSettings({ root, state: join(folder, state) }), state).rejects.toThrow(/not served/);
  }
  for (const state of ["state", "files-state", "files/.daypass", "files/.keys/daypass", "link/.daypass"]) {
    await expect(serveSettings({ root, state: join(folder, state) }), state).resolves.toMatchObject({ root });
  }
  await expect(serveSettings({ root })).resolves.toMatchObject({ state: join(root, ".daypass") });
});
