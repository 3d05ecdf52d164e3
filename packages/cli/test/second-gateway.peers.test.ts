import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { s3 } from "@daypass/gateway/s3";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { needs } from "../../../tools/needs.ts";
import { needsPostgres, postgresServer } from "../../../tools/postgres-server.ts";
import { startRadosgw } from "../../../tools/radosgw-server.ts";
import { daypass, start, temporaryFolder } from "./command.ts";
import { refusesSecond } from "./second-gateway.ts";
import { exampleFiles } from "./serving.ts";

const KEY = "media/report.pdf";
const reason = needsPostgres() ?? needs("radosgw");

describe.skipIf(reason)(`a second gateway on a state folder${reason ?? ""}`, () => {
  test.each([
    ["PostgreSQL", "disk", "0"],
    ["PostgreSQL", "disk", "2"],
    ["SQLite", "S3", "0"],
    ["SQLite", "S3", "2"],
    ["PostgreSQL", "S3", "0"],
    ["PostgreSQL", "S3", "2"],
  ])("is refused, with %s and %s, beside one of %s workers, and touches nothing", async (engine, storage, workers) => {
    const folder = temporaryFolder();
    const state = join(folder, "state");
    const env: Record<string, string> = {};
    const config: Record<string, unknown> = { root: "root", state: { folder: state } };
    mkdirSync(join(folder, "root/media"), { recursive: true });
    writeFileSync(join(folder, "root", KEY), "a report");
    if (engine === "PostgreSQL") {
      const server = await postgresServer({ fsync: "off" });
      onTestFinished(() => server.remove());
      env["DAYPASS_POSTGRES"] = server.url;
      config["state"] = { folder: state, postgres: { variable: "DAYPASS_POSTGRES" } };
    }
    if (storage === "S3") {
      const { endpoint, credentials, stop } = await startRadosgw();
      onTestFinished(stop);
      const bucket = await s3({ region: "us-east-1", endpoint, credentials: () => credentials });
      await bucket.createBucket?.("media");
      async function* bytes() {
        yield Buffer.from("a report");
      }
      await bucket.put({ bucket: "media", key: "report.pdf" }, bytes());
      await bucket.close();
      env["AWS_ACCESS_KEY_ID"] = credentials.accessKeyId;
      env["AWS_SECRET_ACCESS_KEY"] = credentials.secretAccessKey;
      config["storage"] = { driver: "s3", region: "us-east-1", endpoint, bucket: "media" };
    }
    const path = join(folder, "daypass.json");
    writeFileSync(path, JSON.stringify(config));
    await refusesSecond({ state, args: ["--config", path], key: KEY, workers, env });
  });
});

test("makes the first link as soon as the port answers, at each of eight starts of two workers", async () => {
  for (let round = 0; round < 8; round += 1) {
    const root = exampleFiles();
    const port = await freePort();
    const child = start(["serve", root, "--port", String(port), "--workers", "2"]);
    child.stderr.resume();
    const answers = () =>
      fetch(`http://127.0.0.1:${port}/-/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers, { interval: 5, timeout: 30_000 }).toBe(true);
    const made = await daypass(["links", "create", "files/readme.txt", "--state", join(root, ".daypass"), "--json"]);
    expect([made.status, made.stderr, made.status === 0 ? "" : made.stdout]).toEqual([0, "", ""]);
    child.kill("SIGTERM");
  }
});
