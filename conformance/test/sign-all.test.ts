import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type S3ObjectRequest, type S3SignRequest, s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { type Radosgw, startRadosgw } from "../../tools/radosgw-server.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { hasDotSegment } from "../random/keys.ts";
import { send } from "../send.ts";
import { temporaryFolder } from "../servers/temporary.ts";

const missing = needs("radosgw", "radosgw-admin");
const cli = fileURLToPath(new URL("../node_modules/@daypass/cli/dist/main.js", import.meta.url));
const BUCKET = "media";

interface Answer {
  readonly bucket: string;
  readonly key: string;
  readonly url: string;
}

describe.skipIf(missing)(`daypass sign --all, over the listings of radosgw${missing ?? ""}`, () => {
  let radosgw: Radosgw;
  const folder = temporaryFolder();
  const out = `${folder.path}/out.jsonl`;
  // radosgw answers 400 to a NUL in a path.
  const hostile = HOSTILE_KEYS.filter((key) => !key.includes("\0"));
  const many = Array.from({ length: 1000 }, (_, i) => `many/${String(i).padStart(5, "0")}`);
  const keys = [...new Set([...hostile, ...many])].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  const put = async (request: Partial<S3ObjectRequest>, body = ""): Promise<void> => {
    const signer = s3Signer({ region: "us-east-1", addressing: "path", ...radosgw });
    const signed = signer.sign({
      ...{ bucket: BUCKET, method: "PUT", expiresIn: 600, dotSegments: "sign" },
      ...(request.key === undefined ? { resource: "bucket" } : {}),
      ...request,
    } as S3SignRequest);
    expect((await send({ url: signed.url, method: "PUT", body })).status).toBe(200);
  };

  const signAll = async (source: string, ...args: readonly string[]) => {
    const { accessKeyId, secretAccessKey } = radosgw.credentials;
    const env = { PATH: process.env["PATH"], AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const endpoint = args.includes("--endpoint") ? [] : ["--endpoint", radosgw.endpoint];
    const options = [...endpoint, "--expires-in", "10m", "--dot-segments", ...args];
    return promisify(execFile)(process.execPath, [cli, "sign", "--all", source, ...options], { env });
  };
  const answers = (text: string): readonly Answer[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  beforeAll(async () => {
    radosgw = await startRadosgw();
    await put({});
    for (let at = 0; at < keys.length; at += 40)
      await Promise.all(keys.slice(at, at + 40).map((key) => put({ key }, `content of ${key}`)));
  });
  afterAll(async () => {
    await radosgw?.stop();
    folder.remove();
  });

  test(`finds all ${keys.length} keys, the hostile ones too, over two pages and in order`, async () => {
    await signAll(`s3://${BUCKET}`, "--out", out, "--workers", "2");
    expect(answers(readFileSync(out, "utf8")).map(({ key }) => key)).toEqual(keys);
  });

  test("signs URLs that open what was listed", async () => {
    const { stdout } = await signAll(`s3://${BUCKET}`);
    const open = answers(stdout).filter(({ key }) => !key.startsWith("many/") && !hasDotSegment(key));
    expect(open.length).toBeGreaterThan(20);
    for (const { key, url } of open) {
      const { status, body } = await send({ url, method: "GET" });
      expect([key, status, body.toString()]).toEqual([key, 200, `content of ${key}`]);
    }
  });

  test("continues after the last whole answer, and lists nothing again", async () => {
    const whole = readFileSync(out, "utf8").split("\n");
    writeFileSync(out, `${whole.slice(0, 700).join("\n")}\n${whole[700]?.slice(0, 99)}`);
    await signAll(`s3://${BUCKET}`, "--out", out, "--resume");
    const resumed = readFileSync(out, "utf8").split("\n");
    expect(resumed.slice(0, 700)).toEqual(whole.slice(0, 700));
    expect(answers(resumed.join("\n")).map(({ key }) => key)).toEqual(keys);
  });

  test("lists below a prefix", async () => {
    const { stdout } = await signAll(`s3://${BUCKET}/many/0000`);
    expect(answers(stdout).map(({ key }) => key)).toEqual(many.slice(0, 10));
  });

  test("reports the server's code if a listing is refused", async () => {
    const failure = await signAll("s3://nobodys-bucket", "--json").catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 1, stdout: expect.stringContaining('"code":"NoSuchBucket"') });
    const stranger = await signAll(
      `s3://${BUCKET}`,
      "--json",
      "--region",
      "x",
      "--endpoint",
      "http://127.0.0.1:9",
    ).catch((error: unknown) => error);
    expect(stranger).toMatchObject({ code: 1, stdout: expect.stringContaining('"code":"UNREACHABLE"') });
  });
});
