import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";
import { freePort } from "./free-port.ts";

const MB = 1024 * 1024;
const SIZE = 200 * MB;
// Buffers of both directions, the digests' pool and what the collector has not yet taken; the body would be 200.
const ALLOWED_GROWTH = 80 * MB;

let root: string;
let port: number;
let server: ChildProcess;

beforeAll(async () => {
  root = tempRoot();
  port = await freePort();
  server = fork(await bundledFixture("../../node/fixtures/server.ts"), [root, String(port)]);
  await once(server, "message");
});
afterAll(async () => {
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
  removeRoot(root);
});

async function memory(): Promise<{ now: number; most: number }> {
  server.send("memory");
  return (await once(server, "message"))[0];
}

const sign = (method: "GET" | "PUT", key: string) =>
  s3Signer({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    addressing: "path",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  }).sign({ method, bucket: "bucket", key, expiresIn: 60 }).url;

function body(size: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(MB);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk);
      sent += MB;
      if (sent === size) controller.close();
    },
  });
}

const put = (key: string, size: number) =>
  fetch(sign("PUT", key), {
    method: "PUT",
    body: body(size),
    duplex: "half",
    headers: { "content-length": String(size) },
  } as RequestInit);

async function length(key: string): Promise<number> {
  const reply = await fetch(sign("GET", key));
  let bytes = 0;
  for await (const chunk of reply.body ?? []) bytes += (chunk as Uint8Array).length;
  return bytes;
}

describe("200 MB", () => {
  it("pass in both directions while memory stays flat", async () => {
    // Warm: the first large body pays for buffers and compiled code.
    expect((await put("warm.bin", 8 * MB)).status).toBe(200);
    expect(await length("warm.bin")).toBe(8 * MB);
    const before = await memory();
    expect((await put("large.bin", SIZE)).status).toBe(200);
    expect(await length("large.bin")).toBe(SIZE);
    const after = await memory();
    expect(after.most - before.now).toBeLessThan(ALLOWED_GROWTH);
  });
});
