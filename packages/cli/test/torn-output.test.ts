import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AWS, daypass, jsonLines, temporaryFolder } from "./command.ts";

test("drops a torn line that is longer than all answers that follow it", async () => {
  const folder = temporaryFolder();
  const [input, out] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
  const line = { scheme: "s3", region: "us-east-1", bucket: "media", expiresIn: 900, signedAt: "2026-01-02T03:04:05Z" };
  writeFileSync(input, jsonLines(["a", "b"].map((key) => ({ ...line, key }))));
  const run = ["sign", "--batch", input, "--out", out];
  expect((await daypass(run, { env: AWS })).status).toBe(0);
  const whole = readFileSync(out, "utf8");
  const first = whole.slice(0, whole.indexOf("\n") + 1);
  writeFileSync(out, `${first}{"url":"${"x".repeat(whole.length)}`);
  expect((await daypass([...run, "--resume"], { env: AWS })).status).toBe(0);
  expect(readFileSync(out, "utf8")).toBe(whole);
});
