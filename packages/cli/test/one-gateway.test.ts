import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { linkFiles } from "../src/state-folder/link-files.ts";
import { daypass, daypassProcess, start, temporaryFolder } from "./command.ts";
import { commands } from "./newer-schema.ts";
import { refusesSecond } from "./second-gateway.ts";
import { exampleFiles, status } from "./serving.ts";

test.each(["0", "2"])(
  "refuses a second gateway on a state folder, beside one of %s workers, and touches nothing",
  (workers) => {
    const root = exampleFiles();
    return refusesSecond({ state: join(root, ".daypass"), args: [root], key: "files/readme.txt", workers });
  },
  60_000,
);

test("makes a link while the gateway starts, and every worker opens it at once", async () => {
  const root = exampleFiles();
  const state = join(root, ".daypass");
  start(["serve", root, "--port", "0", "--workers", "2"]).stderr.resume();
  await expect.poll(() => existsSync(join(state, "gateway.sock")), { timeout: 20_000 }).toBe(true);
  const made = await daypass(["links", "create", "files/readme.txt", "--state", state, "--json"]);
  expect([made.status, made.stderr]).toEqual([0, ""]);
  const { url } = JSON.parse(made.stdout);
  const answers = Array.from({ length: 8 }, () => status(url, { headers: { connection: "close" } }));
  expect(await Promise.all(answers)).toEqual(Array(8).fill(200));
});

test("makes no file to list what an empty state folder has", async () => {
  const state = join(temporaryFolder(), ".daypass");
  mkdirSync(state);
  for (const command of commands) {
    const run = await daypass([...command.split(" "), "--state", state, "--json"]);
    expect([command, run.status, run.stdout.trim(), run.stderr]).toEqual([command, 0, "", ""]);
  }
  expect((await daypass(["links", "show", "unknown", "--state", state, "--json"])).stdout).toContain("NO_SUCH_LINK");
  expect(readdirSync(state)).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)("refuses a socket that another user made in the temporary folder", async () => {
  const root = exampleFiles();
  const state = join(temporaryFolder(), "a".repeat(100));
  mkdirSync(state);
  const { gatewaySocket } = linkFiles(state);
  const asked: string[] = [];
  const impostor = createServer((socket) => {
    socket.on("data", (data) => asked.push(String(data)));
    socket.write("process 1\nready\n");
  }).listen(gatewaySocket);
  onTestFinished(() => {
    impostor.close();
    rmSync(gatewaySocket, { force: true });
  });
  await once(impostor, "listening");
  chownSync(gatewaySocket, 65_534, 65_534);
  for (const args of [
    ["links", "list"],
    ["serve", root, "--port", "0"],
  ]) {
    const { status: code, stderr } = await daypassProcess([...args, "--state", state]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("belongs to another user (65534)")]);
  }
  expect([asked, readdirSync(state)]).toEqual([[], []]);
});
