import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import { type S3FormRequest, s3FormSigner } from "daypass/s3/form";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { releaseOf } from "../../src/http/releasable-body.ts";
import { toNodeHandler } from "../../src/node/index.ts";
import { requestBody } from "../../src/node/request-body.ts";
import { uploadWatch } from "../../src/node/slow-client.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { type ChunkMode, chunkedUpload } from "../e2e/chunked-body.ts";
import { type Reply, s3For, send, sendS3 } from "../e2e/clients.ts";

const KB = 1024;
let gateway: TestGateway;
let uploadId: string;
beforeAll(async () => {
  gateway = await testGateway({ files: { "media/kept.txt": "old" } });
  const begun = await sendS3(gateway, { method: "POST", key: "parts", query: { uploads: "" } });
  uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1] ?? "";
});
afterAll(() => gateway.close());

// Longer than one write to the disk, and not a multiple of any block size.
const content = randomBytes(2 * KB * KB + 4321);
const xml = Buffer.from(
  `<Delete>${Array.from({ length: 900 }, (_, i) => `<Object><Key>gone/${i}/${"k".repeat(300)}</Key></Object>`).join("")}</Delete>`,
);
const crc = (bytes: Buffer): string =>
  Buffer.from(crc32(bytes).toString(16).padStart(8, "0"), "hex").toString("base64");
const host = (): string => `127.0.0.1:${gateway.port}`;

interface Request {
  readonly method: "PUT" | "POST";
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function presigned(
  method: "PUT" | "POST",
  at: { readonly key?: string; readonly query?: Readonly<Record<string, string>> },
  body: Buffer,
): Request {
  const { key, query = {} } = at;
  const headers = method === "POST" ? { "x-amz-checksum-crc32": crc(body) } : {};
  const signed = {
    method,
    bucket: "media",
    ...(key === undefined ? ({ resource: "bucket" } as const) : { key }),
    bind: { query, headers },
    expiresIn: 60,
  };
  const { url } = s3For(gateway).sign(signed);
  return { method, target: url.slice(gateway.url.length), headers, body };
}

function chunked(mode: ChunkMode): Request {
  const trailer = mode === "signed" ? {} : { trailer: ["x-amz-checksum-crc32", crc(content)] as const };
  const made = chunkedUpload({
    mode,
    path: "/media/stored",
    host: host(),
    key: gateway.accessKey,
    body: content,
    ...trailer,
  });
  return { method: "PUT", target: "/media/stored", ...made };
}

function form(): Request {
  const { fields } = s3FormSigner(gateway.clients.daypass).sign({
    bucket: "media",
    key: "stored",
    expiresIn: 60,
  } as S3FormRequest);
  const head = Object.entries({ ...fields, file: undefined }).map(([name, value]) => {
    const file = value === undefined ? '; filename="a"' : "";
    const start = `--edge\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return value === undefined ? start : `${start}${value}\r\n`;
  });
  const body = Buffer.concat([Buffer.from(head.join("")), content, Buffer.from("\r\n--edge--\r\n")]);
  return { method: "POST", target: "/media", headers: { "content-type": "multipart/form-data; boundary=edge" }, body };
}

const stored = async (): Promise<Buffer> => (await sendS3(gateway, { key: "stored" })).body;
const storedPart = async (): Promise<Buffer> => {
  const { parts } = await gateway.storage.listParts(
    { bucket: "media", key: "parts", uploadId },
    { after: 0, limit: 9 },
  );
  const named = parts.map(
    ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload>${named.join("")}</CompleteMultipartUpload>`;
  await sendS3(gateway, { method: "POST", key: "parts", query: { uploadId }, body });
  const { body: whole } = await sendS3(gateway, { key: "parts" });
  const begun = await sendS3(gateway, { method: "POST", key: "parts", query: { uploads: "" } });
  uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1] ?? "";
  return whole;
};

/** Every kind of body, and how to read what was stored. */
const kinds: Readonly<Record<string, { make(): Request; read?(): Promise<Buffer> }>> = {
  "an upload": { make: () => presigned("PUT", { key: "stored" }, content), read: stored },
  "a part": {
    make: () => presigned("PUT", { key: "parts", query: { partNumber: "1", uploadId } }, content),
    read: storedPart,
  },
  "an upload in signed chunks": { make: () => chunked("signed"), read: stored },
  "an upload in signed chunks with a trailer": { make: () => chunked("signed-trailer"), read: stored },
  "an upload in unsigned chunks": { make: () => chunked("unsigned-trailer"), read: stored },
  "a form": { make: form, read: stored },
  // Declares its digest. The response contains each of its keys.
  "a document": { make: () => presigned("POST", { query: { delete: "" } }, xml) },
};

function expectAnswer(body: Buffer, status: number): void {
  expect([200, 204], body.toString("latin1").slice(0, 500)).toContain(status);
  const deleted = body.toString().match(/<Deleted>/g)?.length;
  if (deleted !== undefined) expect(deleted).toBe(900);
}

describe.each(Object.entries(kinds))("%s", (_, { make, read }) => {
  const expectStored = async (): Promise<void> => {
    if (read !== undefined) expect((await read()).equals(content)).toBe(true);
  };

  it("is stored unchanged when it is sent at once and in odd pieces", async () => {
    for (const piece of [Number.MAX_SAFE_INTEGER, 40_009]) {
      const request = make();
      const reply = await sendPieces(request, piece);
      expectAnswer(reply.body, reply.status);
      await expectStored();
    }
  });

  it("keeps the memory of a caller's chunks", async () => {
    const { method, target, headers, body } = make();
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += 64 * KB) chunks.push(new Uint8Array(body.subarray(at, at + 64 * KB)));
    const fields = Object.entries({ ...headers, host: host(), "content-length": String(body.length) });
    const wire = { method, target, authority: host(), headers: fields, remoteAddress: "127.0.0.1" };
    const outcome = await gateway.gateway.handle(
      wire,
      (async function* () {
        yield* chunks;
      })(),
    );
    if (outcome.body !== undefined && outcome.body.kind !== "bytes") throw new TypeError("expected a short answer");
    expectAnswer(Buffer.from(outcome.body?.bytes ?? []), outcome.status);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
    await expectStored();
  });
});

/** Sends a body in several writes. */
async function sendPieces({ method, target, headers, body }: Request, piece: number): Promise<Reply> {
  const length = { host: host(), "content-length": String(body.length) };
  if (piece > body.length) return send(gateway, { method, target, headers: { ...length, ...headers }, body });
  const message = httpRequest({ port: gateway.port, method, path: target, headers: { ...length, ...headers } });
  const answered = once(message, "response");
  for (let at = 0; at < body.length; at += piece) {
    await new Promise<void>((resolve) => message.write(body.subarray(at, at + piece), () => resolve()));
  }
  message.end();
  const [reply] = (await answered) as [IncomingMessage];
  return { status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(await reply.toArray()) };
}

/** Collects the chunks of a request from its first listener on. */
function listenIn(request: IncomingMessage, heard: Uint8Array[]): void {
  request.once("newListener", function hear(name) {
    if (name === "data") request.on("data", (chunk: Uint8Array) => heard.push(chunk));
    else request.once("newListener", hear);
  });
}

describe("another listener", () => {
  it("keeps its chunks when the caller owns the server", async () => {
    const heard: Uint8Array[] = [];
    const handler = toNodeHandler(gateway.gateway);
    const server = createServer((request, response) => {
      listenIn(request, heard);
      handler(request, response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { method, target, headers } = presigned("PUT", { key: "stored" }, content);
    const to = { host: host(), "content-length": String(content.length) };
    const reply = await send({ port }, { method, target, headers: { ...headers, ...to }, body: content });
    server.close();
    expect([reply.status, Buffer.concat(heard).equals(content)]).toEqual([200, true]);
  });

  it("keeps its chunks when it is instrumentation of the process", async () => {
    const heard: Uint8Array[] = [];
    const onRequest = (message: unknown): void => listenIn((message as { request: IncomingMessage }).request, heard);
    subscribe("http.server.request.start", onRequest);
    const { method, target } = presigned("PUT", { key: "stored" }, content);
    const headers = { host: host(), "content-length": String(content.length) };
    const reply = await send(gateway, { method, target, headers, body: content });
    unsubscribe("http.server.request.start", onRequest);
    expect([reply.status, Buffer.concat(heard).equals(content)]).toEqual([200, true]);
  });
});

describe("requestBody", () => {
  const watch = uploadWatch({ bytesPerSecond: 1, windowMs: 10_000 }, () => performance.now());
  const close: (() => void)[] = [];
  afterEach(() => {
    for (const end of close.splice(0)) end();
  });

  /** Returns the body of a request of 300 KB on a real socket. */
  async function received(ownsRequest: boolean): Promise<AsyncIterable<Uint8Array>> {
    const server = createServer({ highWaterMark: 256 * KB }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const message = httpRequest({ port, method: "PUT", headers: { "content-length": String(300 * KB) } });
    message.on("error", () => {}).end(content.subarray(0, 300 * KB));
    const [request, response] = await once(server, "request");
    close.push(() => {
      message.destroy();
      server.closeAllConnections();
      server.close();
    });
    return requestBody(request, response, { watch, ownsRequest }).body;
  }

  /** Returns the first chunk that is large enough to be freed. */
  async function largeChunk(body: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
    for (;;) {
      const { value } = await body.next();
      if (value.length > 8 * KB) return value;
    }
  }

  it("frees a chunk when its last byte is released, and not before", async () => {
    const body = await received(true);
    const release = releaseOf(body);
    const chunk = await largeChunk(body[Symbol.asyncIterator]());
    const { length } = chunk;
    release(chunk.subarray(0, 1000));
    expect(chunk.length).toBe(length);
    release(chunk.subarray(1000));
    expect([chunk.length, chunk.buffer.byteLength]).toEqual([0, 0]);
  });

  it("keeps a chunk after the next one was read, and when other bytes are released", async () => {
    const body = await received(true);
    const release = releaseOf(body);
    const chunks = body[Symbol.asyncIterator]();
    const first = await largeChunk(chunks);
    const kept = Buffer.from(first);
    const second = await largeChunk(chunks);
    const others = new Uint8Array(64 * KB);
    release(first);
    release(others);
    expect(kept.equals(first)).toBe(true);
    expect([others.length, second.length > 0]).toEqual([64 * KB, true]);
  });

  it("keeps the chunks of a caller's server and of a wrapped body", async () => {
    const foreign = await received(false);
    const own = await received(true);
    const wrapped = (async function* () {
      yield* own;
    })();
    for (const body of [foreign, wrapped]) {
      const chunk = await largeChunk(body[Symbol.asyncIterator]());
      releaseOf(body)(chunk);
      expect(chunk.length).toBeGreaterThan(0);
    }
  });
});
