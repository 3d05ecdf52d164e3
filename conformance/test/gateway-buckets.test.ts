import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  paginateListBuckets,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { type TestGateway, testGateway } from "@daypass/gateway/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";

const Bucket = "media";
const SORTED = [...HOSTILE_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const FOLDERS = [
  ...new Set(SORTED.filter((key) => key.includes("/")).map((key) => key.slice(0, key.indexOf("/") + 1))),
];
const run = promisify(execFile);

let gateway: TestGateway;
let s3: S3Client;
let folder: string;

beforeAll(async () => {
  gateway = await testGateway({ files: { "empty/.keep": "" } });
  await gateway.storage.createBucket(Bucket);
  for (const key of HOSTILE_KEYS) {
    await gateway.storage.put(
      { bucket: Bucket, key },
      (async function* () {
        yield Buffer.from(key);
      })(),
    );
  }
  s3 = new S3Client({
    region: "us-east-1",
    endpoint: gateway.url,
    forcePathStyle: true,
    credentials: { ...gateway.accessKey },
  });
  folder = mkdtempSync(join(tmpdir(), "daypass-buckets-"));
  for (const name of ["a.txt", "b c.txt", "deep/er/d+e.txt", "deep/f\u00e9.txt"]) {
    const path = join(folder, "up", name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, name);
    // Older than the object will be: `sync` compares the two in whole seconds.
    utimesSync(path, new Date("2026-01-01"), new Date("2026-01-01"));
  }
});
afterAll(async () => {
  s3?.destroy();
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

const NAMES = ["a.txt", "b c.txt", "deep/er/d+e.txt", "deep/f\u00e9.txt"];

/** Runs a command with the gateway's key, and gives its lines. */
async function lines(command: string, ...args: string[]): Promise<string[]> {
  const { accessKeyId, secretAccessKey } = gateway.accessKey;
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    LC_ALL: "C.UTF-8",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: gateway.url,
    AWS_EC2_METADATA_DISABLED: "true",
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_G_TYPE: "s3",
    RCLONE_CONFIG_G_PROVIDER: "Other",
    RCLONE_CONFIG_G_ENV_AUTH: "true",
    RCLONE_CONFIG_G_ENDPOINT: gateway.url,
    RCLONE_CONFIG_G_REGION: "us-east-1",
  };
  const { stdout } = await run(command, args, { env, timeout: 60_000 });
  return stdout.split("\n").filter((line) => line !== "");
}

describe("the AWS SDK", () => {
  test.each([5, 1000])("pages through every hostile key, %i at a time, in the order of bytes", async (pageSize) => {
    const found: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize }, { Bucket })) {
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(found).toEqual(SORTED);
  });

  test("rolls up, counts and marks as S3 does", async () => {
    const { CommonPrefixes, Contents, NextMarker, IsTruncated } = await s3.send(
      new ListObjectsCommand({ Bucket, Delimiter: "/" }),
    );
    expect(CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(FOLDERS);
    expect(Contents?.map(({ Key }) => Key)).toEqual(SORTED.filter((key) => !key.includes("/")));
    expect([NextMarker, IsTruncated]).toEqual([undefined, false]);
    const versions = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2 }));
    expect(versions.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual(
      Array(2).fill(["null", true]),
    );
    expect([versions.NextKeyMarker, versions.NextVersionIdMarker]).toEqual([SORTED[1], "null"]);
  });

  test("makes, fills, empties and removes a bucket", async () => {
    const made = { Bucket: "sdk-made" };
    await s3.send(new CreateBucketCommand(made));
    // As Amazon answers in us-east-1 only.
    expect((await s3.send(new CreateBucketCommand(made))).Location).toBe("/sdk-made");
    expect((await s3.send(new HeadBucketCommand(made))).BucketRegion).toBe("us-east-1");
    expect((await s3.send(new GetBucketLocationCommand(made))).LocationConstraint).toBe(undefined);
    for (const Key of ["a", "b&<c>", "d/\u00e9"]) await s3.send(new PutObjectCommand({ ...made, Key, Body: "x" }));
    await expect(s3.send(new DeleteBucketCommand(made))).rejects.toMatchObject({ name: "BucketNotEmpty" });
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({
        ...made,
        Delete: { Objects: [{ Key: "a" }, { Key: "b&<c>" }, { Key: "d/\u00e9" }, { Key: "none", VersionId: "x" }] },
      }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(["a", "b&<c>", "d/\u00e9"]);
    expect(Errors?.map(({ Code }) => Code)).toEqual(["NoSuchVersion"]);
    await s3.send(new DeleteBucketCommand(made));
    const names: (string | undefined)[] = [];
    for await (const page of paginateListBuckets({ client: s3, pageSize: 1 }, {})) {
      names.push(...(page.Buckets ?? []).map(({ Name }) => Name));
    }
    expect(names).toEqual(["empty", "files", Bucket]);
  });

  test("sets the rules by which pages of other origins may use a bucket", async () => {
    const CORSRules = [{ AllowedOrigins: ["https://app.example.com"], AllowedMethods: ["PUT"], AllowedHeaders: ["*"] }];
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(CORSRules);
    const preflight = await fetch(`${gateway.url}/${Bucket}/a`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com", "access-control-request-method": "PUT" },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  });
});

const python = needs("python3");
describe.skipIf(python)(`boto3${python ?? ""}`, () => {
  test("sees the same keys by each of its listings, and manages buckets", async () => {
    const program = fileURLToPath(new URL("../clients/buckets.py", import.meta.url));
    const [document = "{}"] = await lines("python3", program, gateway.url, Bucket);
    expect(JSON.parse(document)).toEqual({
      list_objects: Array(2).fill(SORTED),
      list_objects_v2: Array(2).fill(SORTED),
      list_object_versions: Array(2).fill(SORTED),
      folders: FOLDERS,
      again: "/boto-made",
      named: "InvalidBucketName",
      region: "us-east-1",
      full: "BucketNotEmpty",
      deleted: ["a", "b c", "d/e&<f>"],
      gone: "NoSuchBucket",
      buckets: ["empty", "files", Bucket],
      cors: true,
      no_cors: "NoSuchCORSConfiguration",
      versioning: "none",
      policy: "NoSuchBucketPolicy",
    });
  });
});

const aws = needs("aws");
describe.skipIf(aws)(`the AWS command line${aws ?? ""}`, () => {
  test("makes a bucket, syncs a folder into it, finds nothing left to do, and removes it with all it holds", async () => {
    const target = "s3://cli-made";
    const up = join(folder, "up");
    await lines("aws", "s3", "mb", target);
    const first = await lines("aws", "s3", "sync", "--no-progress", up, target);
    expect(first.map((line) => line.split(" to ")[1]).sort()).toEqual(NAMES.map((name) => `${target}/${name}`));
    expect(await lines("aws", "s3", "sync", "--no-progress", up, target)).toEqual([]);
    const all = await lines("aws", "s3", "ls", "--recursive", target);
    expect(all.map((line) => line.slice(31))).toEqual(NAMES);
    await lines("aws", "s3", "sync", "--no-progress", target, join(folder, "down"));
    for (const name of NAMES) expect(readFileSync(join(folder, "down", name), "utf8")).toBe(name);
    writeFileSync(join(gateway.root, "cli-made/dropped.txt"), "by hand");
    expect((await lines("aws", "s3", "ls", `${target}/dropped`)).length).toBe(1);
    await lines("aws", "s3", "rb", "--force", target);
    expect((await lines("aws", "s3", "ls")).map((line) => line.slice(20))).toEqual(["empty", "files", Bucket]);
  });
});

const rclone = needs("rclone");
describe.skipIf(rclone)(`rclone${rclone ?? ""}`, () => {
  test("makes a bucket, syncs a folder, lists it, checks it, and removes it", async () => {
    await lines("rclone", "mkdir", "g:rclone-made");
    await lines("rclone", "sync", join(folder, "up"), "g:rclone-made/up");
    expect((await lines("rclone", "lsf", "-R", "--files-only", "g:rclone-made/up")).sort()).toEqual(NAMES);
    expect((await lines("rclone", "lsf", "g:rclone-made/up")).sort()).toEqual(["a.txt", "b c.txt", "deep/"]);
    await lines("rclone", "check", join(folder, "up"), "g:rclone-made/up");
    expect((await lines("rclone", "lsf", "g:")).sort()).toEqual(["empty/", "files/", `${Bucket}/`, "rclone-made/"]);
    await lines("rclone", "purge", "g:rclone-made");
    expect(await gateway.storage.hasBucket("rclone-made")).toBe(false);
  });
});

const s3cmd = needs("s3cmd");
describe.skipIf(s3cmd)(`s3cmd${s3cmd ?? ""}`, () => {
  test("makes a bucket, fills it, lists it, and removes it", async () => {
    const { accessKeyId, secretAccessKey } = gateway.accessKey;
    const host = `127.0.0.1:${gateway.port}`;
    const options = [
      ...[`--access_key=${accessKeyId}`, `--secret_key=${secretAccessKey}`, "--config=/dev/null", "--no-ssl"],
      ...[`--host=${host}`, `--host-bucket=${host}`],
    ];
    const call = (...args: string[]) => lines("s3cmd", ...options, ...args);
    await call("mb", "s3://s3cmd-made");
    await call("sync", `${join(folder, "up")}/`, "s3://s3cmd-made/");
    expect(
      (await call("ls", "-r", "s3://s3cmd-made")).map((line) => line.replace(/^.*s3:\/\/s3cmd-made\//, "")),
    ).toEqual(NAMES);
    expect((await call("ls", "s3://s3cmd-made")).map((line) => line.replace(/^.*s3:/, "s3:"))).toEqual([
      "s3://s3cmd-made/deep/",
      "s3://s3cmd-made/a.txt",
      "s3://s3cmd-made/b c.txt",
    ]);
    // It puts the access list of the source on the copy.
    await call("cp", "s3://s3cmd-made/a.txt", "s3://s3cmd-made/copy.txt");
    await call("mv", "s3://s3cmd-made/copy.txt", "s3://s3cmd-made/moved.txt");
    await call("modify", "--add-header=x-amz-meta-a: 1", "s3://s3cmd-made/moved.txt");
    const moved = await gateway.storage.head({ bucket: "s3cmd-made", key: "moved.txt" });
    expect(moved?.metadata["a"]).toBe("1");
    expect(await gateway.storage.head({ bucket: "s3cmd-made", key: "copy.txt" })).toBeUndefined();
    await call("del", "-r", "-f", "s3://s3cmd-made");
    await call("rb", "s3://s3cmd-made");
    expect((await call("ls")).map((line) => line.replace(/^.*s3:/, "s3:"))).toEqual([
      "s3://empty",
      "s3://files",
      `s3://${Bucket}`,
    ]);
  });
});
