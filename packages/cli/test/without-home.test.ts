import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needsMounts } from "../../../tools/mounts.ts";
import { AWS, daypassProcess, nodeArguments, temporaryFolder } from "./command.ts";

const env = { ...AWS, AWS_REGION: "us-east-1" };
const URL_TO_READ = "https://a.example/x?X-Amz-Signature=a";

test("a HOME that is set to nothing is not the folder that the command runs in", async () => {
  const cwd = temporaryFolder();
  const ran = join(cwd, "ran");
  for (const folder of [".aws", ".config/gcloud"]) mkdirSync(join(cwd, folder), { recursive: true });
  writeFileSync(join(cwd, ".aws/config"), `[default]\ncredential_process = touch '${ran}'\n`);
  writeFileSync(join(cwd, ".config/gcloud/application_default_credentials.json"), "{}");
  const explained = await daypassProcess(["explain", URL_TO_READ], { cwd, env: { HOME: "" } });
  expect([explained.status, existsSync(ran)]).toEqual([0, false]);
  const signed = await daypassProcess(["sign", "gs://b/o"], { cwd, env: { HOME: "" } });
  expect([signed.status, signed.stderr]).toEqual([
    1,
    expect.stringContaining("expected Google credentials, found none"),
  ]);
});

const reason = needsMounts();

// As in a container that runs under any number: such a user has no entry, and HOME is not set for it.
test.skipIf(reason)(`a user whom the system does not know has no home and signs all the same${reason ?? ""}`, () => {
  const run = (...args: readonly string[]) =>
    spawnSync("unshare", ["--user", "--map-user=54321", process.execPath, ...nodeArguments, ...args], {
      env: { PATH: process.env["PATH"], ...env },
      encoding: "utf8",
    });
  const signed = run("sign", "s3://media/a");
  expect([signed.status, signed.stdout]).toEqual([0, expect.stringContaining("X-Amz-Signature=")]);
  expect(run("verify", signed.stdout.trim()).stdout).toMatch(/^granted\n/);
});
