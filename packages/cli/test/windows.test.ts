import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypassProcess, temporaryFolder } from "./command.ts";

// A URL has no spaces, at which NODE_OPTIONS would be split.
const NODE_OPTIONS = `--import ${new URL("./as-windows.mjs", import.meta.url).href}`;

test("creates keys and signs on Windows, and refuses to serve", async () => {
  const [cwd, APPDATA] = [temporaryFolder(), temporaryFolder()];
  const env = { NODE_OPTIONS, APPDATA };
  const made = await daypassProcess(["keys", "create", "--out", "key", "--state", "state"], { cwd, env });
  expect([made.status, made.stderr]).toEqual([0, ""]);
  const signed = await daypassProcess(
    ["sign", "s3://media/a", "--endpoint", "http://127.0.0.1:8080", "--state", "state"],
    {
      cwd,
      env,
    },
  );
  expect(signed.stdout).toContain("X-Amz-Signature=");

  mkdirSync(join(APPDATA, "gcloud"));
  writeFileSync(join(APPDATA, "gcloud/application_default_credentials.json"), "{}");
  expect((await daypassProcess(["sign", "gs://media/a"], { cwd, env })).stderr).toContain("has no type");

  const served = await daypassProcess(["serve", ".", "--port", "0"], { cwd, env });
  expect([served.status, served.stderr]).toEqual([
    1,
    expect.stringContaining("Windows cannot serve a folder. Run the gateway in WSL"),
  ]);
  expect(existsSync(join(cwd, ".daypass"))).toBe(false);
});
