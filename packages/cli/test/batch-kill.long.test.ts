import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { daypass, daypassProcess, jsonLines, start, temporaryFolder } from "./command.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const signedAt = "2026-01-02T03:04:05Z";
const pinned = { scheme: "s3", region: "us-east-1", bucket: "media", credentials, expiresIn: 900, signedAt };

test.each(["0", "2"])("resumes after kill -9 with the same results (%s workers)", async (workers) => {
  const folder = temporaryFolder();
  const file = join(folder, "in.jsonl");
  const keys = Array.from({ length: 30_000 }, (_, i) => (i % 9 === 0 ? 7 : `k${i}`));
  writeFileSync(file, jsonLines(keys.map((key) => ({ ...pinned, key }))));
  const { stdout: whole } = await daypass(["sign", "--batch", file]);
  const out = join(folder, "out.jsonl");
  const run = (batch: string) => ["sign", "--batch", batch, "--out", out, "--workers", workers, "--resume"];
  const child = start(run("-"));
  child.stdin.on("error", () => undefined);
  // The input stays open, so that the kill interrupts the batch.
  child.stdin.write(readFileSync(file).subarray(0, 4_000_000));
  while (!existsSync(out) || statSync(out).size === 0) await sleep(5);
  child.kill("SIGKILL");
  await once(child, "exit");
  const killedAt = statSync(out).size;
  expect(killedAt).toBeGreaterThan(0);
  expect(killedAt).toBeLessThan(whole.length);
  expect((await daypassProcess(run(file))).status).toBe(0);
  expect(readFileSync(out, "utf8")).toBe(whole);
  expect(statSync(out).mode & 0o777).toBe(0o600);
});
