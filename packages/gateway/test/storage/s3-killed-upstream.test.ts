/** An upstream that dies while bytes pass through. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type S3Credentials, s3Signer } from "daypass/s3";
import { expect, it, onTestFinished } from "vitest";
import type { AccessEvent } from "../../src/index.ts";
import { requestLine } from "../../src/node/log.ts";
import { StorageError } from "../../src/storage/contract/storage.ts";
import type { S3Options } from "../../src/storage/s3/index.ts";
import { chunks, codeOf } from "../../src/testing/contract-tools.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { front } from "./scripted-upstream.ts";

const MB = 1024 * 1024;

interface Killable {
  readonly options: S3Options;
  readonly child: ChildProcess;
  kill(): Promise<void>;
}

async function killable(): Promise<Killable> {
  const program = await bundledFixture("upstream.ts");
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { root, ...options } = JSON.parse(String(line)) as S3Options & { readonly root: string };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  };
  onTestFinished(async () => {
    await kill();
    rmSync(root, { recursive: true, force: true });
  });
  return { options, child, kill };
}

it("cuts the client's connection when the upstream is killed in the middle of an object", async () => {
  const { options, kill } = await killable();
  const gateway = await front(options);
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "large", expiresIn: 60 });
  const request = httpRequest(url).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect([response.statusCode, response.headers["content-length"]]).toEqual([200, String(64 * MB)]);
  let size = 0;
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    response.on("data", (chunk: Buffer) => {
      if (size === 0) void kill();
      size += chunk.length;
    });
    response.once("end", () => resolve(undefined));
    response.once("error", resolve);
  });
  expect(failure?.code).toBe("ECONNRESET");
  expect(size).toBeLessThan(64 * MB);
  expect(await codeOf(gateway.storage.head({ bucket: "bucket", key: "large" }))).toBe("UNAVAILABLE");
  expect(gateway.events).toHaveLength(1);
  const [event] = gateway.events;
  expect(event).toMatchObject({ status: 200, complete: false, code: undefined });
  expect(event?.error).toBeInstanceOf(StorageError);
  // The line for the operator.
  const line = requestLine(event as AccessEvent);
  expect(JSON.parse(line)).toMatchObject({
    level: 50,
    complete: false,
    err: { message: "could not read the object to its end: the upstream does not answer (ECONNRESET)" },
  });
  const { endpoint = "none", credentials } = options as S3Options & { credentials: S3Credentials };
  const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "";
  for (const secret of [endpoint, new URL(endpoint).host, credentials.secretAccessKey, signature]) {
    expect(line).not.toContain(secret);
  }
});

it.each([
  ["the whole", {}],
  ["a range", { range: `bytes=100-${60 * MB}` }],
])(
  "says in the log when the upstream is killed, and nothing when it is the client that leaves (%s)",
  async (_, headers) => {
    const { options, kill } = await killable();
    const gateway = await front(options);
    const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "large", expiresIn: 60 });
    const cut = async (end: (response: IncomingMessage) => void): Promise<AccessEvent> => {
      const count = gateway.events.length;
      const [response] = (await once(httpRequest(url, { headers }).end(), "response")) as [IncomingMessage];
      response.on("error", () => {}).once("data", () => end(response));
      await expect.poll(() => gateway.events.length, { timeout: 5000 }).toBe(count + 1);
      return gateway.events[count] as AccessEvent;
    };
    expect(await cut((response) => response.destroy())).toMatchObject({ complete: false, error: undefined });
    const died = await cut(() => void kill());
    expect(died).toMatchObject({ complete: false, error: { code: "UNAVAILABLE" } });
  },
);

it("fails an upload with 503 when the upstream is killed in the middle of it", async () => {
  const { options, kill } = await killable();
  const gateway = await front(options);
  const { url } = s3Signer(gateway.clients.daypass).sign({
    method: "PUT",
    bucket: "bucket",
    key: "new",
    expiresIn: 60,
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 32; sent++) {
      if (sent === 8) await kill();
      yield Buffer.alloc(MB, "a");
    }
  }
  const request = httpRequest(url, { method: "PUT", headers: { "content-length": 32 * MB } });
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  // The gateway answers before the body is out, and then ends the connection.
  request.on("error", () => {});
  Readable.from(body(), { objectMode: false }).pipe(request);
  const [response] = await answered;
  expect(response.statusCode).toBe(503);
  expect(String(await buffer(response))).toContain("<Code>ServiceUnavailable</Code>");
  expect(await codeOf(gateway.storage.put({ bucket: "bucket", key: "b" }, chunks("x")))).toBe("UNAVAILABLE");
});
