import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { expect, it, onTestFinished } from "vitest";
import { createGateway, type S3AccessKey } from "../../src/index.ts";
import { disk } from "../../src/storage/disk/index.ts";

const key: S3AccessKey = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "the secret of the gateway" };
const origin = "http://files.example.com";
const signer = s3Signer({ credentials: key, region: "us-east-1", endpoint: origin, addressing: "path" });

function requestFor(name: string): WireRequest {
  const target = signer.sign({ bucket: "media", key: name, expiresIn: 60 }).url.slice(origin.length);
  const authority = "files.example.com";
  return { method: "GET", target, authority, headers: [["host", authority]] };
}

/** A gateway over a folder with one small file, which may be cached. */
async function gatewayOver(found: S3AccessKey | Promise<S3AccessKey>) {
  const root = mkdtempSync(join(tmpdir(), "daypass-immediate-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "media"));
  writeFileSync(join(root, "media/a.txt"), "small");
  const storage = await disk({ root, clock: () => Date.now() + 60_000 });
  const gateway = createGateway({ storage, origins: [origin], keys: { s3: () => found } });
  onTestFinished(() => gateway.close());
  return (name: string) => gateway.handle(requestFor(name), (async function* () {})());
}

it("answers without a promise from memory, and so it refuses", async () => {
  const get = await gatewayOver(key);
  expect(await get("a.txt")).toMatchObject({ status: 200 });
  expect(get("a.txt")).toMatchObject({ status: 200, body: { kind: "bytes" } });
  const refusing = await gatewayOver({ ...key, secretAccessKey: "another" });
  expect(refusing("a.txt")).toMatchObject({ status: 403 });
});

it("waits for a key that is looked up, and for an object that is not in memory", async () => {
  const get = await gatewayOver(Promise.resolve(key));
  for (const [name, status] of [
    ["a.txt", 200],
    ["missing.txt", 404],
  ] as const) {
    const outcome = get(name);
    expect(outcome).toBeInstanceOf(Promise);
    expect(await outcome).toMatchObject({ status });
  }
});
