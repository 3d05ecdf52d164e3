import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { movedClock } from "./moved-clock.ts";
import { exampleFiles, serveWith, status } from "./serving.ts";

test("keeps expired URLs expired when the clock is set back and after a reload", async () => {
  const root = exampleFiles();
  const { env, move } = movedClock();
  const { said, child, log } = await serveWith({ env }, root, "--port", "0", "--show-secret");
  const credentials = { accessKeyId: said.accessKeyId, secretAccessKey: said.secretAccessKey ?? "" };
  const signer = s3Signer({ region: "us-east-1", endpoint: said.s3Endpoint, addressing: "path", credentials });
  const path = new URL(said.presignedUrl).pathname.slice(1);
  const [bucket = "", ...key] = path.split("/").map(decodeURIComponent);
  const sign = (expiresIn: number) => signer.sign({ bucket, key: key.join("/"), expiresIn }).url;
  const [short, long] = [sign(60), sign(86_400)];
  const rotated = await daypass(
    ["keys", "rotate", said.accessKeyId, "--overlap", "10m", "--out", join(temporaryFolder(), "key")],
    { env: { DAYPASS_STATE: join(root, ".daypass") } },
  );
  expect(rotated.status).toBe(0);
  await expect.poll(() => status(short)).toBe(200);
  move(120);
  expect([await status(short), await status(long)]).toEqual([403, 200]);
  move(0);
  expect(await status(short)).toBe(403);
  child.kill("SIGHUP");
  await expect.poll(log).toContain("were reloaded");
  expect(await status(short)).toBe(403);
  move(700);
  await expect.poll(() => status(long)).toBe(403);
  move(0);
  expect(await status(long)).toBe(403);
});

test("keeps expired URLs expired in idle workers", async () => {
  const { env, move } = movedClock();
  const root = exampleFiles();
  const { said, log } = await serveWith({ env }, root, "--port", "0", "--workers", "2");
  // The URL expires within an hour.
  const url = said.presignedUrl;
  expect(await status(url)).toBe(200);
  move(86_400);
  await looked(root, log, 2);
  move(0);
  const asked = Array.from({ length: 20 }, () => status(url, { headers: { connection: "close" } }));
  expect(new Set(await Promise.all(asked))).toEqual(new Set([403]));
});

test("logs once that the clock was set back", async () => {
  const { env, move } = movedClock();
  move(3600);
  const root = exampleFiles();
  const { log } = await serveWith({ env }, root, "--port", "0");
  move(0);
  await expect.poll(log).toMatch(/"seconds":3[56]\d\d,"msg":"the system clock was set back/);
  await looked(root, log, 1);
  expect(log().match(/was set back/g)).toHaveLength(1);
  move(3700);
  await looked(root, log, 1);
  move(0);
  await expect.poll(() => log().match(/was set back/g)?.length).toBe(2);
});

/** Waits until each process has polled its clock and keys twice, by a fault of the key file that it logs, and its repair. */
async function looked(root: string, log: () => string, processes: number): Promise<void> {
  const file = join(root, ".daypass/keys.json");
  const whole = readFileSync(file, "utf8");
  for (const [text, says] of [
    ["{", "could not read the keys"],
    [whole, "keys can be read again"],
  ] as const) {
    const times = (): number => log().split(says).length - 1;
    const before = times();
    writeFileSync(`${file}.next`, text, { mode: 0o600 });
    renameSync(`${file}.next`, file);
    await expect.poll(times).toBe(before + processes);
  }
}
