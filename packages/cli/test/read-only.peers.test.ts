import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { IN_NAMESPACE, needsMounts } from "../../../tools/mounts.ts";
import { nodeArguments, temporaryFolder } from "./command.ts";

const SCRIPT = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; shift; exec "$@"';

const reason = needsMounts();

function start(...args: readonly string[]) {
  const root = temporaryFolder();
  mkdirSync(join(root, "media"));
  writeFileSync(join(root, "media/hello.txt"), "hello");
  const command = [process.execPath, ...nodeArguments, "serve", root, "--port", "0", "--json", ...args];
  const child = spawn("unshare", [...IN_NAMESPACE, SCRIPT, "sh", root, ...command], {
    env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
  });
  onTestFinished(() => void child.kill("SIGTERM"));
  let log = "";
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk;
  });
  return { child, root, log: () => log, said: () => said };
}

describe.skipIf(reason)(`serve of a folder that can only be read${reason ?? ""}`, () => {
  test.each([
    ["0", "elsewhere"],
    ["2", "elsewhere"],
    ["0", "in it"],
  ])("refuses to start, says what to do, and leaves nothing (%s workers, state %s)", async (workers, state) => {
    const args = state === "elsewhere" ? ["--state", temporaryFolder()] : [];
    const { child, root, log, said } = start("--workers", workers, ...args);
    const [status] = await once(child, "close");
    expect([status, said()]).toEqual([
      1,
      expect.stringContaining("Grant write permission, or mount a writable folder"),
    ]);
    expect([`${said()}${log()}`.includes("    at "), readdirSync(root)]).toEqual([false, ["media"]]);
  });
});
