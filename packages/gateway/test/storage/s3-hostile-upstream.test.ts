/** An upstream that lies on purpose, or is broken as if it did. It may fail its clients, and can neither mislead nor hold them. */
import { once, setMaxListeners } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { s3Signer } from "daypass/s3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { chunks, codeOf } from "../../src/testing/contract-tools.ts";
import type { TestGateway } from "../../src/testing/test-gateway.ts";
import { front, scripted } from "./scripted-upstream.ts";

const ref = { bucket: "bucket", key: "a" };
const OBJECT = 'ETag: "e"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:01 GMT\r\n';

/** An upstream that answers each head with these very bytes. */
async function raw(answer: string): Promise<S3Options> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      head += data.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      head = "";
      socket.write(answer, "latin1");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret that nobody may see" };
  return { endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials, bucket: "bucket" };
}

function opened(options: S3Options): Storage {
  const storage = s3(options);
  onTestFinished(() => storage.close());
  return storage;
}

/** Everything that a client reads on its connection. */
async function download(gateway: TestGateway): Promise<string> {
  const { url } = s3Signer(gateway.clients.daypass).sign({ ...ref, expiresIn: 60 });
  const socket = connect(gateway.port, "127.0.0.1");
  socket.write(
    `GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nconnection: close\r\n\r\n`,
  );
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  await once(socket, "close");
  return text;
}

describe("an answer of the upstream", () => {
  it("that changes to another protocol is a failure, and holds neither request nor place", async () => {
    const options = await raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    const storage = opened(options);
    expect(await codeOf(storage.get(ref))).toBe("UNAVAILABLE");
    expect(await codeOf(storage.put(ref, chunks("x")))).toBe("UNAVAILABLE");
    const streamed = storage.put(ref, chunks(Buffer.alloc(256 * 1024)), { contentLength: 256 * 1024 });
    expect(await codeOf(streamed)).toBe("UNAVAILABLE");
    expect(await download(await front(options))).toMatch(/^HTTP\/1\.1 503 /);
  });

  it("refuses to read a part if the upstream does not send its length", async () => {
    const options = await scripted((request, response) => {
      const isPart = request.url?.includes("partNumber=") === true;
      response.writeHead(200, { etag: '"e-2"', ...(isPart ? {} : { "content-length": "10" }) });
      response.end(request.method === "HEAD" ? "" : "0123456789");
    });
    const gateway = await front(options);
    const { url } = s3Signer(gateway.clients.daypass).sign({ ...ref, query: { partNumber: "2" }, expiresIn: 60 });
    expect((await fetch(url)).status).toBe(503);
  });

  it.each([
    ["a part that nobody asked for", "206 Partial Content", "Content-Range: bytes 5-9/100\r\nContent-Length: 5"],
    ["what a proxy has changed", "203 Non-Authoritative Information", "Content-Length: 5"],
    ["what has no content", "205 Reset Content", "Content-Length: 5"],
  ])("with %s is never a whole object", async (_, status, headers) => {
    const options = await raw(`HTTP/1.1 ${status}\r\n${OBJECT}${headers}\r\n\r\nhello`);
    expect(await download(await front(options))).toMatch(/^HTTP\/1\.1 503 /);
    expect(await codeOf(opened(options).head(ref))).toBe("UNAVAILABLE");
  });

  it("may have as long a head as an upload can bring about, and no longer", async () => {
    const head = (bytes: number): string =>
      `HTTP/1.1 200 OK\r\n${OBJECT}Content-Disposition: ${"x".repeat(bytes)}\r\nContent-Length: 5\r\n\r\n`;
    const long = opened(await raw(head(30_000)));
    expect((await long.head(ref))?.headers.contentDisposition).toHaveLength(30_000);
    expect(await long.delete(ref)).toBe(true);
    expect(await codeOf(opened(await raw(head(100_000))).head(ref))).toBe("UNAVAILABLE");
  });

  it("that ends too early is a connection that is cut, and what follows it reaches no client", async () => {
    const options = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}Content-Length: 9\r\n\r\nhello`);
    const short = await download(await front({ ...options, timeouts: { idleMs: 100 } }));
    expect([short.includes("content-length: 9"), short.endsWith("hello")]).toEqual([false, true]);
    expect(short.toLowerCase()).toContain("content-length: 9\r\n");
    const long = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}Content-Length: 3\r\n\r\nhello HTTP/1.1 200 OK\r\n\r\n`);
    expect(await download(await front(long))).toMatch(/\r\n\r\nhel$/);
  });

  it("passes on only the headers of the object, made safe", async () => {
    const evil = [
      "Set-Cookie: session=1; Path=/",
      "Strict-Transport-Security: max-age=1",
      'Clear-Site-Data: "*"',
      "Link: <https://evil.example/>; rel=preload",
      "Refresh: 0; url=https://evil.example/",
      "Service-Worker-Allowed: /",
      "Access-Control-Allow-Origin: *",
      "Access-Control-Allow-Credentials: true",
      "Location: https://evil.example/",
      "X-Accel-Redirect: /etc/passwd",
      "Content-Security-Policy: default-src *",
      "Cache-Control: public, max-age=31536000, s-maxage=31536000",
      "Content-Type: text/html",
      "Content-Disposition: inline",
      // "\r\nSet-Cookie: x=y"
      "x-amz-meta-note: =?UTF-8?B?DQpTZXQtQ29va2llOiB4PXk=?=",
    ].join("\r\n");
    const options = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}${evil}\r\nContent-Length: 5\r\n\r\nhello`);
    const [head = ""] = (await download(await front(options))).split("\r\n\r\n");
    expect(head).not.toMatch(
      /evil|session|default-src \*|public|s-maxage|X-Accel|Strict|Clear-Site|allow-origin|inline/i,
    );
    expect(head).toMatch(/^content-disposition: attachment$/im);
    expect(head).toMatch(/^content-security-policy: sandbox; default-src 'none'$/im);
    expect(head).not.toMatch(/^set-cookie/im);
  });

  it.each([200, 403])("%i that comes byte by byte ends in a time of its own", async (status) => {
    const options = await scripted((_, response) => {
      response.writeHead(status);
      const timer = setInterval(() => response.write(" "), 10);
      response.once("close", () => clearInterval(timer));
    });
    const storage = opened({ ...options, timeouts: { answerMs: 50, idleMs: 5000 } });
    expect(await codeOf(storage.list("bucket", { prefix: "", limit: 1 }))).toBe("UNAVAILABLE");
    expect(await codeOf(storage.corsRules("bucket"))).toBe("UNAVAILABLE");
  });

  it("to an upload that is put together may take its time, and ends with its client", async () => {
    // On a busy machine the timeouts of the lists could pass before any answer is read.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const leave = new AbortController();
    const part = "<Part><PartNumber>1</PartNumber><Size>5</Size><ETag>e</ETag><LastModified/></Part>";
    let closed = false;
    const options = await scripted((request, response) => {
      request.resume();
      if (request.method !== "POST") return response.end(`<ListPartsResult>${part}</ListPartsResult>`);
      let spaces = 0;
      const timer = setInterval(() => {
        response.write(" ");
        spaces += 1;
        // Longer than a list may take.
        if (spaces === 10) vi.advanceTimersByTime(1200);
        if (spaces === 20) leave.abort();
      }, 10);
      return response.once("close", () => {
        clearInterval(timer);
        closed = true;
      });
    });
    const storage = opened({ ...options, timeouts: { answerMs: 200, idleMs: 5000 } });
    const named = [{ number: 1, etag: "e" }];
    const completed = storage.completeUpload({ ...ref, uploadId: "u" }, named, {
      minPartSize: 1,
      signal: leave.signal,
    });
    expect(await codeOf(completed)).toBe("INCOMPLETE_BODY");
    await expect.poll(() => closed).toBe(true);
  });

  it("has the longest time that there is where the one to its begin is as long", async () => {
    const options = await scripted((_, response) => {
      response.write("<ListBucketResult>");
      setTimeout(() => response.end("</ListBucketResult>"), 100);
    });
    const storage = opened({ ...options, timeouts: { answerMs: 2 ** 31 - 1 } });
    expect((await storage.list("bucket", { prefix: "", limit: 1 })).entries).toEqual([]);
  });

  it.each([
    ["goes on for ever", { bytes: 64 * 1024, ms: 0 }],
    ["does not end", { bytes: 1, ms: 5000 }],
  ])("to a write that %s holds no connection for long", async (_, { bytes, ms }) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let ended = false;
    const options = await scripted((request, response) => {
      request.resume();
      response.setHeader("etag", '"e"');
      if (request.method !== "PUT") return void response.setHeader("content-length", "1").end();
      response.once("close", () => {
        ended = true;
      });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(bytes)) && bytes > 1);
      };
      response.on("drain", more);
      more();
    });
    const storage = opened(options);
    expect((await storage.put(ref, chunks("x"))).etag).toBe("e");
    vi.advanceTimersByTime(ms);
    await expect.poll(() => ended, { timeout: 5000 }).toBe(true);
  });

  it("of a refusal may be longer than any, and only its status counts", async () => {
    let open: Socket | undefined;
    const options = await scripted((request, response) => {
      open = request.socket;
      if (request.url?.startsWith("/bucket/a") !== true) {
        response.end();
        return;
      }
      response.writeHead(404);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024, " ")));
      };
      response.on("drain", more);
      more();
    });
    expect(await opened(options).get(ref)).toBe(undefined);
    expect(open).toBeDefined();
  });
});

describe("a list of the upstream", () => {
  const contents = (...keys: readonly string[]): string =>
    keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>e</ETag><LastModified/></Contents>`).join("");

  async function listing(body: (query: URLSearchParams) => string): Promise<Storage> {
    return opened(
      await scripted((request, response) => {
        const query = new URL(request.url ?? "", "http://upstream").searchParams;
        request.resume().once("end", () => response.end(body(query)));
      }),
    );
  }

  it("refuses keys of the upstream outside the requested prefix", async () => {
    const ignoring = await listing((query) =>
      query.has("uploads")
        ? "<ListMultipartUploadsResult><Upload><Key>theirs/b</Key><UploadId>u</UploadId><Initiated/></Upload></ListMultipartUploadsResult>"
        : `<ListBucketResult>${contents("mine/a", "theirs/b")}</ListBucketResult>`,
    );
    expect(await codeOf(ignoring.list("bucket", { prefix: "mine/", limit: 10 }))).toBe("UNAVAILABLE");
    expect(await codeOf(ignoring.listUploads("bucket", { prefix: "mine/", limit: 10 }))).toBe("UNAVAILABLE");
    const rolled = await listing(
      () => "<ListBucketResult><CommonPrefixes><Prefix>theirs/</Prefix></CommonPrefixes></ListBucketResult>",
    );
    expect(await codeOf(rolled.list("bucket", { prefix: "mine/", delimiter: "/", limit: 10 }))).toBe("UNAVAILABLE");
  });

  it("that begins anew each time is no list that a client would go through for ever", async () => {
    const storage = await listing(
      () => `<ListBucketResult>${contents("a", "b")}<IsTruncated>true</IsTruncated></ListBucketResult>`,
    );
    const first = await storage.list("bucket", { prefix: "", limit: 2 });
    expect(first.entries).toHaveLength(2);
    expect(await codeOf(storage.list("bucket", { prefix: "", limit: 2, after: { key: "b" } }))).toBe("UNAVAILABLE");
  });

  it("goes on inside of what it rolls up", async () => {
    const storage = await listing(
      () =>
        "<ListBucketResult><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><IsTruncated>true</IsTruncated></ListBucketResult>",
    );
    const page = await storage.list("bucket", { prefix: "", delimiter: "/", limit: 1, after: { key: "a/b" } });
    expect(page).toEqual({ entries: [{ kind: "prefix", prefix: "a/" }], truncated: true });
  });

  it("that is longer than was asked for is cut, and said to go on", async () => {
    const storage = await listing(() => `<ListBucketResult>${contents("a", "b", "c")}</ListBucketResult>`);
    const { entries, truncated } = await storage.list("bucket", { prefix: "", limit: 2 });
    expect([entries.length, truncated]).toEqual([2, true]);
  });

  it("of parts or uploads that begins anew each time ends", async () => {
    const part = "<Part><PartNumber>1</PartNumber><Size>5</Size><ETag>e</ETag><LastModified/></Part>";
    const upload = "<Upload><Key>a</Key><UploadId>other</UploadId><Initiated/></Upload>";
    const storage = await listing((query) =>
      query.has("uploads")
        ? `<ListMultipartUploadsResult>${upload}<IsTruncated>true</IsTruncated></ListMultipartUploadsResult>`
        : `<ListPartsResult>${part}<IsTruncated>true</IsTruncated></ListPartsResult>`,
    );
    const completed = storage.completeUpload({ ...ref, uploadId: "u" }, [{ number: 2, etag: "f" }], { minPartSize: 1 });
    expect(await codeOf(completed)).toBe("UNAVAILABLE");
  });

  it("of buckets that never ends fails", { timeout: 60_000 }, async () => {
    let pages = 0;
    const options = await scripted((_, response) => {
      pages += 1;
      response.end(
        `<ListAllMyBucketsResult><Buckets><Bucket><Name>bucket-${pages}</Name></Bucket></Buckets><ContinuationToken>${pages}</ContinuationToken></ListAllMyBucketsResult>`,
      );
    });
    const { bucket: _, ...account } = options;
    expect(await codeOf(opened(account).buckets())).toBe("UNAVAILABLE");
    expect(pages).toBeLessThanOrEqual(1000);
  });
});

it("asks no more for the parts of an object where the upstream's pages have none", async () => {
  let pages = 0;
  const options = await scripted((request, response) => {
    if (request.url?.includes("attributes") === true) {
      pages += 1;
      const next = `<IsTruncated>true</IsTruncated><NextPartNumberMarker>${pages}</NextPartNumberMarker>`;
      response.statusCode = pages > 100 ? 403 : 200;
      response.end(`<GetObjectAttributesResponse><ObjectParts>${next}</ObjectParts></GetObjectAttributesResponse>`);
      return;
    }
    response.setHeader("etag", '"e-2"').setHeader("x-amz-checksum-crc32", "AAAAAA==-2");
    response.setHeader("content-length", "1").end();
  });
  const found = await opened(options).head(ref, { parts: true });
  expect([found?.parts, pages]).toEqual([[{ size: 1 }, { size: 1 }], 1]);
});

it("asks the upstream for no further part of an object once its client has left", async () => {
  let looks = 0;
  const leave = new AbortController();
  setMaxListeners(0, leave.signal);
  const options = await scripted((request, response) => {
    if (request.url?.includes("partNumber") === true) looks += 1;
    if (looks === 16) leave.abort();
    response.setHeader("etag", '"e-9999"').setHeader("content-length", "1").end();
  });
  await codeOf(opened(options).get(ref, { parts: true, signal: leave.signal }));
  await codeOf(opened(options).head(ref));
  expect(looks).toBeLessThan(64);
});

it("takes of the upstream's cross-origin rules what a header can hold", async () => {
  const rule =
    "<CORSRule><AllowedOrigin>\n*\n</AllowedOrigin><AllowedMethod> GET </AllowedMethod><ExposeHeader>\n ETag\n</ExposeHeader><ExposeHeader>x\nSet-Cookie: a=b</ExposeHeader><MaxAgeSeconds>for ever</MaxAgeSeconds></CORSRule>";
  const gateway = await front(
    await scripted((request, response) => {
      if (request.url?.includes("cors") === true) response.end(`<CORSConfiguration>${rule}</CORSConfiguration>`);
      else response.setHeader("etag", '"e"').setHeader("content-length", "5").end("hello");
    }),
  );
  const { url } = s3Signer(gateway.clients.daypass).sign({ ...ref, expiresIn: 60 });
  const answer = await fetch(url, { headers: { origin: "https://page.example" } });
  const allowed = ["access-control-allow-origin", "access-control-expose-headers"];
  expect([answer.status, ...allowed.map((name) => answer.headers.get(name))]).toEqual([200, "*", "ETag"]);
});
