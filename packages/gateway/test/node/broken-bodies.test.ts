import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { s3FormSigner } from "daypass/s3/form";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestBody } from "../../src/node/request-body.ts";
import type { Upload, UploadWatch } from "../../src/node/slow-client.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { chunkedUpload } from "../e2e/chunked-body.ts";
import { rawConnection, readAll, s3For, sendS3, until } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { leakedTemps } from "../storage/temp-root.ts";

const KB = 1024;
let gateway: TestGateway;
let uploadId: string;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/kept.txt": "old" },
    listen: { minimumRate: { bytesPerSecond: 10_000, windowMs: 300 } },
  });
  const begun = await sendS3(gateway, { method: "POST", key: "kept.txt", query: { uploads: "" } });
  uploadId = /<UploadId>([^<]+)/.exec(begun.text)?.[1] ?? "";
});
afterAll(() => gateway.close());

/** A complete request as bytes, of which a test sends a part. */
interface Whole {
  readonly head: string;
  readonly body: Buffer;
  /** Offset of the first stored byte. The bytes before it are read to authenticate the request. */
  readonly content: number;
}

function whole(
  method: string,
  target: string,
  request: { readonly body: Buffer; readonly headers?: Readonly<Record<string, string>>; readonly content?: number },
): Whole {
  const { body, headers = {}, content = 0 } = request;
  const fields = { host: `127.0.0.1:${gateway.port}`, ...headers, "content-length": String(body.length) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return { head: [`${method} ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n"), body, content };
}

const bytes = Buffer.alloc(256 * KB, "new ");
const host = (): string => `127.0.0.1:${gateway.port}`;
const presigned = (method: "PUT" | "POST", query: Readonly<Record<string, string>> = {}, key = "kept.txt"): string => {
  const request = {
    method,
    bucket: "media",
    ...(key === "" ? ({ resource: "bucket" } as const) : { key }),
    bind: { query },
    expiresIn: 60,
  };
  return s3For(gateway).sign(request).url.slice(gateway.url.length);
};

/** Every kind of body. */
const kinds: Readonly<Record<string, () => Whole>> = {
  "an upload": () => whole("PUT", presigned("PUT"), { body: bytes }),
  "a part": () => whole("PUT", presigned("PUT", { partNumber: "1", uploadId }), { body: bytes }),
  "an upload in signed chunks": () => {
    const key = gateway.accessKey;
    const sent = chunkedUpload({ mode: "signed", path: "/media/kept.txt", host: host(), key, body: bytes });
    return whole("PUT", "/media/kept.txt", sent);
  },
  "a form": () => {
    const form = s3FormSigner(gateway.clients.daypass).sign({ bucket: "media", key: "kept.txt", expiresIn: 60 });
    const fields = Object.entries(form.fields).map(
      ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const start = Buffer.from(
      `${fields.join("")}--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`,
    );
    const body = Buffer.concat([start, bytes, Buffer.from("\r\n--edge--\r\n")]);
    const headers = { "content-type": "multipart/form-data; boundary=edge" };
    return whole("POST", "/media", { body, headers, content: start.length });
  },
  "a document": () => {
    const part = `<Part><PartNumber>1</PartNumber><ETag>"${"0".repeat(32)}"</ETag></Part>`;
    const body = Buffer.from(`<CompleteMultipartUpload>${part.repeat(1000)}</CompleteMultipartUpload>`);
    return whole("POST", presigned("POST", { uploadId }), { body });
  },
  "a call for a session": () => {
    const body = Buffer.from(`Action=GetSessionToken&Version=2011-06-15&Padding=${"x".repeat(8 * KB)}`);
    const key = gateway.accessKey;
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const headers = headerSignature({ method: "POST", path: "/", host: host(), key, headers: type });
    // SDKs sign the hash of the body for this service without sending it in a header.
    const { "x-amz-content-sha256": _, ...told } = headers;
    const authorization = told["authorization"]?.replace("/s3/aws4_request", "/sts/aws4_request") ?? "";
    return whole("POST", "/", { body, headers: { ...told, authorization } });
  },
};

async function expectNothingChanged(): Promise<void> {
  const reply = await sendS3(gateway, { key: "kept.txt" });
  expect([reply.status, reply.text]).toEqual([200, "old"]);
  expect(leakedTemps(gateway.root)).toEqual([]);
  expect(
    await gateway.storage.listParts({ bucket: "media", key: "kept.txt", uploadId }, { after: 0, limit: 9 }),
  ).toMatchObject({ parts: [] });
}

describe.each(Object.entries(kinds))("%s", (_, make) => {
  it.each(["destroy", "end"] as const)(
    "changes nothing when its client disconnects in the middle (%s)",
    async (stop) => {
      const { head, body, content } = make();
      for (const sent of [1, Math.floor(content / 2), content + 1, Math.floor(body.length / 2), body.length - 1]) {
        const seen = gateway.events.length;
        const socket = await rawConnection(gateway);
        const closed = readAll(socket);
        socket.write(head);
        socket.write(body.subarray(0, sent), () => socket[stop]());
        await until(() => gateway.events.length > seen);
        expect(gateway.events.at(-1)?.code).not.toBe("INTERNAL");
        socket.destroy();
        expect(await closed).not.toMatch(/^HTTP\/1\.1 (?:2|5)/);
      }
      await expectNothingChanged();
    },
  );

  it("is refused with RequestTimeout when it arrives byte by byte", async () => {
    const { head, body, content } = make();
    // Before and after the bytes that are read to authenticate the request.
    for (const from of content === 0 ? [0] : [content - 200, content]) {
      const socket = await rawConnection(gateway);
      const answer = readAll(socket);
      socket.write(head);
      socket.write(body.subarray(0, from));
      let at = from;
      const trickle = setInterval(() => socket.write(body.subarray(at, ++at)), 20);
      const text = await answer;
      clearInterval(trickle);
      expect(text).toMatch(/^HTTP\/1\.1 40[08] [\s\S]*RequestTimeout/);
      expect(text.toLowerCase()).toContain("connection: close");
      expect(gateway.events.at(-1)?.code).toBe("BODY_TOO_SLOW");
    }
    await expectNothingChanged();
  });
});

it("leaves nothing that a restart would find after broken uploads", async () => {
  await gateway.server.drain(1000);
  const storage = await disk({ root: gateway.root });
  try {
    expect(leakedTemps(gateway.root)).toEqual([]);
    expect((await storage.list("media", { prefix: "", limit: 10 })).entries).toMatchObject([
      { key: "kept.txt", size: 3 },
    ]);
  } finally {
    await storage.close();
  }
});

it("stops watching a body that is not read to its end when the response ends", async () => {
  const watched = new Set<Upload>();
  const watch: UploadWatch = (upload) => {
    watched.add(upload);
    return () => watched.delete(upload);
  };
  const server = createServer(async (request, response) => {
    const { body } = requestBody(request, response, { watch, ownsRequest: true });
    await body[Symbol.asyncIterator]().next();
    expect(watched.size).toBe(1);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\nbegin");
  await readAll(socket);
  await expect.poll(() => watched.size, { timeout: 5000 }).toBe(0);
  server.close();
});
