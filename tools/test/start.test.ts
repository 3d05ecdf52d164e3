import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../run.mjs";

test.each([".", "packages/daypass", "packages/gateway", "packages/cli"])(
  "no script of %s needs one that ignore-scripts leaves out",
  (folder) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const names = Object.keys(scripts);
    expect(names.filter((name) => names.some((other) => [`pre${other}`, `post${other}`].includes(name)))).toEqual([]);
  },
);

// npm starts a script in a shell, and passes SIGTERM to the shell only.
test("start.mjs ends with the shell that npm has started it in", { timeout: 120_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), "daypass-home-"));
  const shell = spawn(
    "/bin/sh",
    ["-c", `${JSON.stringify(process.execPath)} tools/start.mjs --port 0 --state ${JSON.stringify(home)}; exit`],
    {
      cwd: root,
      env: { PATH: process.env["PATH"], HOME: home },
    },
  );
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  let said = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (text) => (said += text));
  await expect.poll(() => said, { timeout: 100_000 }).toContain("Stop with Ctrl-C.");
  expect(said).toContain("X-Amz-Signature=");
  shell.kill("SIGTERM");
  await once(shell.stdout, "end");
  expect(said).toContain('"msg":"closed"');
});

test("start.mjs names a port that is in use before it builds", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { status, stderr, stdout } = spawnSync(process.execPath, ["tools/start.mjs", `--port=${port}`], {
    cwd: root,
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining(`another program uses port ${port}.`)]);
});

test.each(["check.mjs", "start.mjs"])("%s says what to install where npm has left the tools out", (script) => {
  const clone = mkdtempSync(join(tmpdir(), "daypass-clone-"));
  onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(join(root, "tools"), join(clone, "tools"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  mkdirSync(join(clone, "node_modules"));
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(clone, "tools", script)], { encoding: "utf8" });
  expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining("run `npm ci --include=dev` first")]);
});
