import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { freePort } from "../../../../tools/free-port.ts";
import { until } from "../e2e/clients.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

/** Starts a primary with two workers over a folder with `bucket/hello.txt`. They write events to a file. */
export async function startCluster() {
  const root = tempRoot();
  const port = await freePort();
  const journal = join(root, "..", `${process.pid}-${port}.journal`);
  writeFileSync(journal, "");
  writeFileSync(join(root, "bucket/hello.txt"), "hello");
  const program = await bundledFixture("../../node/fixtures/cluster.ts");
  const primary = spawn(process.execPath, [program, root, String(port), journal], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exited = once(primary, "exit");
  const lines = (pattern: RegExp) =>
    readFileSync(journal, "utf8")
      .split("\n")
      .filter((text) => pattern.test(text));
  /** Waits for so many lines. */
  const line = (pattern: RegExp, count = 1) => until(() => lines(pattern).length >= count && lines(pattern));
  await line(/^ready$/);
  return {
    root,
    port,
    primary,
    exited,
    lines,
    line,
    s3: s3Signer({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${port}`,
      addressing: "path",
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    }),
    async [Symbol.asyncDispose]() {
      primary.kill("SIGKILL");
      await exited;
      removeRoot(root);
      removeRoot(journal);
    },
  };
}
