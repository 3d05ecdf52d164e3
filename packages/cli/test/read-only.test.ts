import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { s3Signer } from "daypass/s3";
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
  test.each(["0", "2"])(
    "reads from it where its state is elsewhere, and says so once (%s workers)",
    async (workers) => {
      const { child, root, log } = start("--state", temporaryFolder(), "--workers", workers, "--show-secret");
      const lines = createInterface({ input: child.stdout });
      const [line] = await once(lines, "line");
      const said = JSON.parse(line);
      expect(await (await fetch(said.presignedUrl)).text()).toBe("hello");
      const { accessKeyId, secretAccessKey, s3Endpoint: endpoint } = said;
      const signer = s3Signer({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey } });
      const { url } = signer.sign({ method: "PUT", bucket: "media", key: "new.txt", expiresIn: 60 });
      expect((await fetch(url, { method: "PUT", body: "new" })).status).toBe(403);
      const times = (): number => log().split("may not write to the folder").length - 1;
      await expect.poll(times).toBe(1);
      const closed = once(child, "close");
      child.kill("SIGTERM");
      expect([(await closed)[0], times(), readdirSync(root)]).toEqual([0, 1, ["media"]]);
    },
  );

  test.each(["0", "2"])(
    "says what to do where its state would be in it, and leaves nothing (%s workers)",
    async (workers) => {
      const { child, root, log, said } = start("--workers", workers);
      const [status] = await once(child, "close");
      expect([status, said()]).toEqual([1, expect.stringContaining("name another with --state")]);
      expect([`${said()}${log()}`.includes("    at "), readdirSync(root)]).toEqual([false, ["media"]]);
    },
  );
});
