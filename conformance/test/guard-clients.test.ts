import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { anyOf } from "daypass";
import { guardNode } from "daypass/node";
import { s3HeaderVerifier } from "daypass/s3/header";
import { s3V2HeaderVerifier } from "daypass/s3/v2/header";
import { Client } from "minio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { needs } from "../../tools/needs.ts";
import { samplesIn } from "../../tools/samples.ts";

// A server with the functions of docs/schemes/s3-header.md, and what the clients of S3 make of it.

const page = new URL("../../docs/schemes/s3-header.md", import.meta.url);
const folder = new URL("../node_modules/.guard-clients/", import.meta.url);
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const missing = needs("s3cmd");

let server: Server;
let port: number;
let requests = 0;
const stored = new Map<string, Buffer>();

/** A sample of the page as a module: the one with this function. */
async function sampleWith(name: string) {
  const samples = samplesIn([{ name: "s3-header.md", text: readFileSync(page, "utf8") }]);
  const file = new URL(`${name}.ts`, folder);
  writeFileSync(file, samples.map(({ code }) => code).find((code) => code.includes(`function ${name}`)) ?? "");
  return import(fileURLToPath(file));
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const { refuseAsS3 } = await sampleWith("refuseAsS3");
  const { store } = await sampleWith("store");
  port = await freePort();
  const options = { credentials, origins: [`http://127.0.0.1:${port}`] };
  const verifier = anyOf(
    s3HeaderVerifier({ ...options, enforces: ["body-chunks", "body-sha256", "body-checksum"] }),
    s3V2HeaderVerifier(options),
  );
  const guard = guardNode(
    verifier,
    async (grant, request, response) => {
      const pieces: Uint8Array[] = [];
      if ("openBody" in grant) await store(grant, request, async (bytes: Uint8Array) => pieces.push(bytes));
      stored.set(request.url ?? "", Buffer.concat(pieces));
      response.end();
    },
    { onRefusal: refuseAsS3 },
  );
  server = createServer((request, response) => {
    requests += 1;
    return guard(request, response);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  expect((server.address() as AddressInfo).port).toBe(port);
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const MESSAGE = "the signature does not belong to this request";

async function refused(call: () => Promise<unknown>): Promise<object> {
  const before = requests;
  try {
    await call();
    return { name: "no error" };
  } catch (error) {
    const { name, code, message, $metadata } = error as Error & Record<string, { readonly httpStatusCode?: number }>;
    return { name, code, message, status: $metadata?.httpStatusCode, requests: requests - before };
  }
}

function client(secretAccessKey: string): S3Client {
  const given = { accessKeyId: "AKIDEXAMPLE", secretAccessKey };
  const endpoint = `http://127.0.0.1:${port}`;
  return new S3Client({ region: "us-east-1", endpoint, forcePathStyle: true, credentials: given });
}

describe("an upload with a checksum", () => {
  const file = { Bucket: "media", Key: "a.bin" };
  const bytes = Buffer.alloc(300_000, "some bytes");

  test.each([
    ["CRC32, as by default", {}],
    ["SHA-1", { ChecksumAlgorithm: "SHA1" }],
    ["SHA-256", { ChecksumAlgorithm: "SHA256" }],
    ["CRC32C, which only the hash of the body stands for", { ChecksumAlgorithm: "CRC32C" }],
  ] as const)("is stored: %s", async (_, more) => {
    const s3 = client("secret");
    for (const Body of [bytes, Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)])]) {
      stored.clear();
      await s3.send(new PutObjectCommand({ ...file, ...more, Body, ContentLength: bytes.length }));
      expect([...stored.values()].map((found) => found.equals(bytes))).toEqual([true]);
    }
    s3.destroy();
  });

  test.each([
    ["of no bytes", { ChecksumCRC32: "AAAAAA==" }],
    ["of other bytes", { ContentMD5: createHash("md5").update("other").digest("base64") }],
  ])("is refused where the checksum is one %s", async (_, more) => {
    const s3 = client("secret");
    stored.clear();
    const refusal = { name: "BadDigest", status: 400, requests: 1 };
    expect(await refused(() => s3.send(new PutObjectCommand({ ...file, ...more, Body: bytes })))).toMatchObject(
      refusal,
    );
    expect(stored.size).toBe(0);
    s3.destroy();
  });
});

describe("a refusal in S3's words", () => {
  test("reads as one in the AWS SDK, which does not try again", async () => {
    const wrong = client("another");
    const file = { Bucket: "media", Key: "a b.txt" };
    const mismatch = { name: "SignatureDoesNotMatch", message: MESSAGE, status: 403, requests: 1 };
    expect(await refused(() => wrong.send(new GetObjectCommand(file)))).toMatchObject(mismatch);
    expect(await refused(() => wrong.send(new PutObjectCommand({ ...file, Body: "x" })))).toMatchObject(mismatch);
    const long = new Uint8Array(8 * 1024 * 1024);
    expect(await refused(() => wrong.send(new PutObjectCommand({ ...file, Body: long })))).toMatchObject(mismatch);
    expect(await refused(() => wrong.send(new HeadObjectCommand(file)))).toMatchObject({ status: 403, requests: 1 });
    wrong.destroy();
  });

  test("reads as one in the client of MinIO", async () => {
    const at = { endPoint: "127.0.0.1", port, useSSL: false, region: "us-east-1", accessKey: "AKIDEXAMPLE" };
    const minio = new Client({ ...at, secretKey: "another" });
    const mismatch = { code: "SignatureDoesNotMatch", message: MESSAGE, requests: 1 };
    expect(await refused(() => minio.putObject("media", "a", "x"))).toMatchObject(mismatch);
    const nobody = new Client({ ...at, accessKey: "NOBODY", secretKey: "secret" });
    expect(await refused(() => nobody.getObject("media", "a"))).toMatchObject({ code: "InvalidAccessKeyId" });
  });

  test.skipIf(missing)(`reads as one in s3cmd${missing ?? ""}`, async () => {
    const host = [`--host=127.0.0.1:${port}`, `--host-bucket=127.0.0.1:${port}`, "--no-ssl", "--config=/dev/null"];
    const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C.UTF-8" };
    for (const version of [[], ["--signature-v2"]]) {
      const keys = ["--access_key=AKIDEXAMPLE", "--secret_key=another", ...version];
      const put = promisify(execFile)(
        "/usr/bin/s3cmd",
        [...keys, ...host, "put", fileURLToPath(page), "s3://media/a"],
        { env },
      );
      await expect(put).rejects.toMatchObject({
        stderr: expect.stringContaining(`403 (SignatureDoesNotMatch): ${MESSAGE}`),
      });
    }
  });
});
