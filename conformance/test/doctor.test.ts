import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { type Radosgw, startRadosgw } from "../../tools/radosgw-server.ts";
import { send } from "../send.ts";
import { temporaryFolder } from "../servers/temporary.ts";

const missing = needs("radosgw", "radosgw-admin", "aws");
const cli = fileURLToPath(new URL("../node_modules/@daypass/cli/dist/main.js", import.meta.url));
const BUCKET = "media";
const ORIGIN = "https://page.example";

interface Report {
  readonly findings: readonly { readonly check: string; readonly verdict: string; readonly sentence: string }[];
  readonly cors: unknown;
}

describe.skipIf(missing)(`daypass doctor, at radosgw${missing ?? ""}`, () => {
  let radosgw: Radosgw;
  const folder = temporaryFolder();
  const environment = () => ({
    PATH: process.env["PATH"],
    HOME: folder.path,
    AWS_ACCESS_KEY_ID: radosgw.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: radosgw.credentials.secretAccessKey,
    AWS_REGION: "us-east-1",
  });

  const doctor = async (...args: readonly string[]): Promise<Report & { readonly status: number }> => {
    const command = [cli, "doctor", `s3://${BUCKET}`, "--endpoint", radosgw.endpoint, "--json", ...args];
    const { stdout, status } = await promisify(execFile)(process.execPath, command, { env: environment() }).then(
      (done) => ({ stdout: done.stdout, status: 0 }),
      (error: { readonly stdout: string; readonly code: number }) => ({ stdout: error.stdout, status: error.code }),
    );
    return { ...(JSON.parse(stdout) as Report), status };
  };
  const verdicts = ({ findings }: Report) => findings.map(({ check, verdict }) => `${check} ${verdict}`);

  beforeAll(async () => {
    radosgw = await startRadosgw();
    const { url } = s3Signer({ region: "us-east-1", addressing: "path", ...radosgw }).sign({
      bucket: BUCKET,
      resource: "bucket",
      method: "PUT",
      expiresIn: 60,
    });
    expect((await send({ url, method: "PUT" })).status).toBe(200);
  });
  afterAll(async () => {
    await radosgw?.stop();
    folder.remove();
  });

  test("finds that a page is not let in, and that all else works", async () => {
    const report = await doctor("--origin", ORIGIN);
    expect(report.status).toBe(1);
    expect(verdicts(report)).toEqual([
      ...["credentials ok", "reach ok", "clock ok", "region ok", "signature ok", "addressing ok"],
      ...["put ok", "get ok", "delete ok", "cors warning", "preflight problem", "preflight problem"],
    ]);
  });

  test("prints a CORS rule that the AWS command line accepts and that allows the page", async () => {
    const { cors } = await doctor("--origin", ORIGIN, "--read-only");
    const file = `${folder.path}/cors.json`;
    writeFileSync(file, JSON.stringify(cors));
    const put = ["s3api", "put-bucket-cors", "--bucket", BUCKET, "--endpoint-url", radosgw.endpoint];
    await promisify(execFile)("aws", [...put, "--cors-configuration", `file://${file}`], { env: environment() });
    const report = await doctor("--origin", ORIGIN);
    expect(report.status).toBe(0);
    expect(verdicts(report).slice(-3)).toEqual(["cors ok", "preflight ok", "preflight ok"]);
    expect(report.findings.at(-3)?.sentence).toMatch(
      /^The bucket has CORS rules: [A-Z, ]*PUT[A-Z, ]* from https:\/\/page\.example\.$/,
    );
  });

  test("finds that the secret is another one", async () => {
    const { AWS_SECRET_ACCESS_KEY: _, ...others } = environment();
    const command = [cli, "doctor", `s3://${BUCKET}`, "--endpoint", radosgw.endpoint, "--json"];
    const env = { ...others, AWS_SECRET_ACCESS_KEY: "wrong" };
    const { stdout } = (await promisify(execFile)(process.execPath, command, { env }).catch(
      (error: unknown) => error,
    )) as {
      readonly stdout: string;
    };
    const { findings } = JSON.parse(stdout) as Report;
    expect(findings.at(-1)).toMatchObject({
      check: "signature",
      verdict: "problem",
      sentence: expect.stringContaining("another secret"),
    });
  });
});
