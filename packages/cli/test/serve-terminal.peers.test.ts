import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { nodeCommand, shellWord } from "./command.ts";
import { exampleFiles } from "./serving.ts";

/** Ctrl-C at a terminal. */
const CONTROL_C = "\u0003";

test.skipIf(!existsSync("/usr/bin/script"))("prints the secret to a terminal", async () => {
  const root = exampleFiles();
  const command = `${nodeCommand} serve ${shellWord(root)} --port 0`;
  const terminal = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], {
    env: { PATH: process.env["PATH"], HOME: root },
  });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  const closed = once(terminal, "close");
  let stdout = "";
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  await expect.poll(() => stdout, { timeout: 15_000 }).toMatch(/X-Amz-Signature=\w{64}/);
  terminal.stdin.write(CONTROL_C);
  await closed;
  expect(stdout).toMatch(/S3 endpoint +http:\/\/127\.0\.0\.1:\d+/);
  expect(stdout).toMatch(/access key +DP[A-Z2-7]{18}/);
  expect(stdout).toMatch(/secret key +[\w-]{40} +\(shown only once\)/);
  expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/files\/readme\.txt\?X-Amz-Algorithm=/);
});
