import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { needsMounts } from "../../../tools/mounts.ts";
import { AWS, nodeArguments } from "./command.ts";

const env = { ...AWS, AWS_REGION: "us-east-1" };
const _URL_TO_READ = "https://a.example/x?X-Amz-Signature=a";

const reason = needsMounts();

// As in a container that runs under any number: such a user has no entry, and HOME is not set for it.
test.skipIf(reason)(`signs for a user without an entry in the system${reason ?? ""}`, () => {
  const run = (...args: readonly string[]) =>
    spawnSync("unshare", ["--user", "--map-user=54321", process.execPath, ...nodeArguments, ...args], {
      env: { PATH: process.env["PATH"], ...env },
      encoding: "utf8",
    });
  const signed = run("sign", "s3://media/a");
  expect([signed.status, signed.stdout]).toEqual([0, expect.stringContaining("X-Amz-Signature=")]);
  expect(run("verify", signed.stdout.trim()).stdout).toMatch(/^granted\n/);
});
