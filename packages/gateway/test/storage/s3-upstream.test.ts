import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import * as presets from "daypass/presets";
import { type S3Credentials, s3Signer } from "daypass/s3";
import { expect, it, onTestFinished } from "vitest";
import type { AuditEvent } from "../../src/index.ts";
import { requestLine } from "../../src/node/log.ts";
import { listBucketsUrl } from "../../src/storage/s3/account-call.ts";
import { type S3Options, s3 } from "../../src/storage/s3.ts";
import { type Storage, StorageError } from "../../src/storage/storage.ts";
import { chunks, codeOf, contents, readBody } from "../../src/testing/contract-tools.ts";
import { type TestGateway, type TestGatewayOptions, testGateway } from "../../src/testing/test-gateway.ts";
import { daypassUrl } from "../e2e/clients.ts";
import { bundledFixture } from "./bundled-fixture.ts";
import { front, scripted } from "./scripted-upstream.ts";

const MB = 1024 * 1024;

async function upstreamGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await testGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

function over(gateway: TestGateway, options: Partial<S3Options> = {}): Storage {
  const storage = s3({ ...gateway.clients.daypass, ...options });
  onTestFinished(() => storage.close());
  return storage;
}

async function errorOf(promise: Promise<unknown>): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof StorageError) return error;
  throw new Error(`expected a StorageError, found ${String(error)}`);
}

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
  const line = requestLine(event as AuditEvent);
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
    const cut = async (end: (response: IncomingMessage) => void): Promise<AuditEvent> => {
      const count = gateway.events.length;
      const [response] = (await once(httpRequest(url, { headers }).end(), "response")) as [IncomingMessage];
      response.on("error", () => {}).once("data", () => end(response));
      await expect.poll(() => gateway.events.length, { timeout: 5000 }).toBe(count + 1);
      return gateway.events[count] as AuditEvent;
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

it("leaves a checksum out that another process received, where the upstream was told of none", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 0 } }),
  });
  const bytes = Buffer.from("a part");
  const checksum = { algorithm: "sha256", expected: createHash("sha256").update(bytes).digest("base64") } as const;
  const [receiving, completing] = [over(upstream), over(upstream)];
  const upload = await receiving.createUpload({ bucket: "bucket", key: "a" });
  const { etag } = await receiving.putPart(upload, 1, chunks(bytes), { contentLength: bytes.length, checksum });
  const named = { number: 1, etag, algorithm: checksum.algorithm, checksum: checksum.expected };
  await completing.completeUpload(upload, [named], { minPartSize: 0 });
  expect(await contents(completing, "bucket", "a")).toBe("a part");
});

it("sends no last piece of a body that is not what was declared, so that nothing is stored", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "old" } });
  const storage = over(upstream);
  const bytes = Buffer.alloc(3 * MB, "new");
  const pieces = Array.from({ length: 48 }, (_, i) => bytes.subarray(i * 65_536, (i + 1) * 65_536));
  const ref = { bucket: "bucket", key: "a" };
  const wrong = createHash("sha256").update("other").digest();
  for (const [code, options] of [
    ["DIGEST_MISMATCH", { digests: { md5: wrong.subarray(0, 16) } }],
    ["DIGEST_MISMATCH", { digests: { sha256: wrong } }],
    ["CHECKSUM_MISMATCH", { checksum: { algorithm: "crc32", expected: "AAAAAA==" } }],
    ["INCOMPLETE_BODY", { contentLength: bytes.length + 1 }],
    ["INCOMPLETE_BODY", { contentLength: bytes.length - 1 }],
  ] as const) {
    const put = storage.put(ref, chunks(...pieces), { contentLength: bytes.length, ...options });
    expect([options, await codeOf(put)]).toEqual([options, code]);
  }
  // The same with a checksum that is too late to be sent in front.
  const late = over(upstream, { holdBytes: 100_000 });
  const checksum = { algorithm: "sha256", expected: () => wrong.toString("base64") } as const;
  const put = late.put(ref, chunks(...pieces), { contentLength: bytes.length, checksum });
  expect(await codeOf(put)).toBe("CHECKSUM_MISMATCH");
  expect(await contents(storage, "bucket", "a")).toBe("old");
  // What was begun leaves nothing.
  await expect.poll(() => readdirSync(`${upstream.root}/bucket`), { timeout: 5000 }).toEqual(["a"]);
});

it("streams a long body of known length and stores it once", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/.keep": "" } });
  const storage = over(upstream);
  const piece = Buffer.alloc(MB, "daypass");
  const md5 = createHash("md5");
  for (let i = 0; i < 20; i++) md5.update(piece);
  const etag = md5.digest("hex");
  const ref = { bucket: "bucket", key: "long" };
  const info = await storage.put(ref, chunks(...Array.from({ length: 20 }, () => piece)), { contentLength: 20 * MB });
  expect([info.etag, info.size]).toEqual([etag, 20 * MB]);
  const read = await storage.get(ref);
  expect(
    createHash("md5")
      .update(await readBody(read?.body()))
      .digest("hex"),
  ).toBe(etag);
});

it("stores a long body of unknown length in parts, and nothing of one that breaks", async () => {
  const upstream = await upstreamGateway({
    files: { "bucket/.keep": "" },
    gateway: () => ({ limits: { minPart: 100_000 } }),
  });
  const storage = over(upstream, { holdBytes: 100_000 });
  const bytes = Buffer.alloc(250_000, "daypass");
  const pieces = Array.from({ length: 25 }, (_, i) => bytes.subarray(i * 10_000, (i + 1) * 10_000));
  const ref = { bucket: "bucket", key: "parts" };
  const sha256 = createHash("sha256").update(bytes).digest();
  const info = await storage.put(ref, chunks(...pieces), {
    digests: { sha256 },
    metadata: { a: "1" },
    ifNoneMatch: "*",
  });
  expect([info.size, info.metadata, info.etag.endsWith("-3")]).toEqual([250_000, { a: "1" }, true]);
  expect((await readBody((await storage.get(ref))?.body())).equals(bytes)).toBe(true);
  expect(await codeOf(storage.put(ref, chunks(...pieces), { ifNoneMatch: "*" }))).toBe("PRECONDITION_FAILED");
  const wrong = storage.put({ ...ref, key: "b" }, chunks(...pieces), { digests: { sha256: new Uint8Array(32) } });
  expect(await codeOf(wrong)).toBe("DIGEST_MISMATCH");
  expect(await contents(storage, "bucket", "b")).toBe(undefined);
  expect((await storage.listUploads("bucket", { prefix: "", limit: 10 })).entries).toEqual([]);
});

it("holds no more of slow uploads of unknown length than has room, and takes them again when there is some", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/.keep": "" } });
  const storage = over(upstream, { holdBytes: 200_000 });
  const piece = Buffer.alloc(190_000, "x");
  let release = (): void => {};
  const stalled = new Promise<void>((resolve) => {
    release = resolve;
  });
  let taken = 0;
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield piece;
    taken += 1;
    await stalled;
  }
  const waiting = Array.from({ length: 80 }, (_, i) =>
    codeOf(storage.put({ bucket: "bucket", key: `${i}` }, slow(), {})),
  );
  // 64 times 200,000 bytes, in pieces of 190,000.
  await expect.poll(() => taken).toBe(67);
  const ref = { bucket: "bucket", key: "late" };
  expect(await codeOf(storage.put(ref, chunks(piece), {}))).toBe("UNAVAILABLE");
  const checksum = { algorithm: "crc32", expected: () => undefined } as const;
  const part = storage.put(ref, chunks(piece), { contentLength: piece.length, checksum });
  expect(await codeOf(part)).toBe("UNAVAILABLE");
  // Whoever announces the length is not touched by it, nor is what is small.
  expect((await storage.put(ref, chunks(piece), { contentLength: piece.length })).size).toBe(piece.length);
  expect((await storage.put(ref, chunks("x"), { contentLength: 1, checksum: { algorithm: "crc32" } })).size).toBe(1);
  release();
  const codes = await Promise.all(waiting);
  expect(codes.filter((code) => code === "UNAVAILABLE")).toHaveLength(13);
  expect((await storage.put(ref, chunks(piece), {})).size).toBe(piece.length);
});

it("lets no client reach another bucket of the upstream than those of the map", async () => {
  const upstream = await upstreamGateway({ files: { "shown/a": "a", "hidden/a": "secret" } });
  const storage = over(upstream, { bucket: { media: "shown" } });
  expect(await contents(storage, "media", "a")).toBe("a");
  expect((await storage.buckets()).map(({ name }) => name)).toEqual(["media"]);
  const here = { bucket: "media", key: "a" };
  const { etag: sourceEtag } = (await storage.head(here)) ?? { etag: "" };
  for (const bucket of ["hidden", "shown", "media/../hidden", "../hidden", "constructor", "__proto__", ""]) {
    const ref = { bucket, key: "a" };
    for (const call of [
      storage.get(ref),
      storage.head(ref),
      storage.put(ref, chunks("x")),
      storage.delete(ref),
      storage.setTags(ref, { a: "1" }),
      storage.copy(ref, here, { sourceEtag }),
      storage.copy(here, ref, { sourceEtag }),
      storage.list(bucket, { prefix: "", limit: 1 }),
      storage.listUploads(bucket, { prefix: "", limit: 1 }),
      storage.createUpload(ref),
      storage.getUpload({ ...ref, uploadId: "x" }),
      storage.deleteBucket(bucket),
      storage.setCorsRules(bucket, []),
    ]) {
      expect([bucket, await codeOf(call)]).toEqual([bucket, "NO_SUCH_BUCKET"]);
    }
    expect([bucket, await codeOf(storage.createBucket(bucket))]).toEqual([bucket, "BUCKET_NAME_TAKEN"]);
    expect([bucket, await storage.hasBucket(bucket), await storage.corsRules(bucket)]).toEqual([bucket, false, []]);
  }
  // Nor by a key, which is no path.
  expect(await contents(storage, "media", "../hidden/a")).toBe(undefined);
  expect(await contents(storage, "media", "%2e%2e/hidden/a")).toBe(undefined);
});

it("asks only for buckets that the account owns, so that nobody reaches those of strangers", async () => {
  const asked: string[] = [];
  const options = await scripted((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    response.end(
      "<ListAllMyBucketsResult><Buckets><Bucket><Name>ours</Name></Bucket></Buckets></ListAllMyBucketsResult>",
    );
  });
  const storage = s3({ ...options, bucket: undefined });
  onTestFinished(() => storage.close());
  expect(await codeOf(storage.get({ bucket: "theirs", key: "a" }))).toBe("NO_SUCH_BUCKET");
  expect(await storage.corsRules("theirs")).toEqual([]);
  expect(asked).toEqual(["GET /"]);
});

it("sends readers to the bucket with a URL of a minute that has the signed response headers", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const signer = s3Signer(gateway.clients.daypass);
  const response = { contentDisposition: 'attachment; filename="b.txt"', contentType: "text/plain" };
  const { url } = signer.sign({ bucket: "bucket", key: "a.txt", expiresIn: 600, response });
  const answer = await fetch(url, { redirect: "manual" });
  const location = answer.headers.get("location") ?? "";
  expect([answer.status, answer.headers.get("cache-control"), await answer.text()]).toEqual([307, "no-store", ""]);
  expect(location.startsWith(`${upstream.url}/bucket/a.txt?`)).toBe(true);
  expect(Number(new URL(location).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(60);
  expect((await fetch(location, { method: "PUT", body: "x" })).status).toBe(403);
  const part = await fetch(url, { headers: { range: "bytes=2-4" } });
  expect([part.status, await part.text(), part.headers.get("content-type")]).toEqual([206, "234", "text/plain"]);
  expect(part.headers.get("content-disposition")).toBe('attachment; filename="b.txt"');
  // HEAD, a condition that holds and a missing object are answered here.
  const head = signer.sign({ method: "HEAD", bucket: "bucket", key: "a.txt", expiresIn: 60 });
  expect((await fetch(head.url, { method: "HEAD", redirect: "manual" })).headers.get("content-length")).toBe("10");
  const etag =
    answer.headers.get("etag") ?? `"${(await gateway.storage.head({ bucket: "bucket", key: "a.txt" }))?.etag}"`;
  expect((await fetch(url, { headers: { "if-none-match": etag }, redirect: "manual" })).status).toBe(304);
  const none = signer.sign({ bucket: "bucket", key: "none", expiresIn: 60 });
  expect((await fetch(none.url, { redirect: "manual" })).status).toBe(404);
});

it("sends readers of what could run in a browser to the bucket for a download only", async () => {
  const options = await scripted((_, response) => {
    response.writeHead(200, { etag: '"e"', "content-length": "3", "content-type": "text/html" }).end();
  });
  const gateway = await front({ ...options, redirect: true });
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "page.html", expiresIn: 600 });
  const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
  expect(new URL(location).searchParams.get("response-content-disposition")).toBe("attachment");
});

it("sends nobody to the bucket for active content that a URL asks to be shown, whatever is stored with it", async () => {
  const options = await scripted((_, response) => {
    const headers = { etag: '"e"', "content-length": "3", "content-type": "text/html" };
    response.writeHead(200, { ...headers, "content-disposition": "attachment" }).end();
  });
  const gateway = await front({ ...options, redirect: true });
  const signer = s3Signer(gateway.clients.daypass);
  const shown = [
    signer.sign({ bucket: "bucket", key: "a", expiresIn: 60, response: { contentDisposition: "inline" } }).url,
    daypassUrl(gateway, "/bucket/a", { response: { contentDisposition: "inline" } }),
  ];
  for (const url of shown) {
    const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
    expect(new URL(location).searchParams.get("response-content-disposition")).toBe("attachment");
  }
});

it("sends nobody further than the grant goes: the other URL ends with it, and one for an address is answered here", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a.txt", expiresIn: 20 });
  for (const short of [url, daypassUrl(gateway, "/bucket/a.txt", { expiresIn: 20 })]) {
    const location = (await fetch(short, { redirect: "manual" })).headers.get("location") ?? "";
    expect(Number(new URL(location).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(20);
  }
  const bound = daypassUrl(gateway, "/bucket/a.txt", { bind: { ip: "127.0.0.1/32" } });
  const part = await fetch(bound, { redirect: "manual", headers: { range: "bytes=2-4" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
  const whole = await fetch(bound, { redirect: "manual" });
  expect([whole.status, await whole.text()]).toEqual([200, "0123456789"]);
});

it("sends nobody to another place with a signed range: there he would have the whole", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a.txt": "0123456789" } });
  const gateway = await front({ ...upstream.clients.daypass, redirect: true });
  const headers = { range: "bytes=2-4" };
  const bind = { headers };
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a.txt", expiresIn: 20, bind });
  for (const bound of [url, daypassUrl(gateway, "/bucket/a.txt", { bind })]) {
    const part = await fetch(bound, { redirect: "manual", headers });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 2-4/10", "234"]);
  }
});

it("refuses conditional writes where the upstream would overwrite in spite of them", async () => {
  const calls: string[] = [];
  const options = await scripted((request, response) => {
    calls.push(`${request.method} ${request.url?.split("?")[0]} ${request.headers["if-none-match"] ?? ""}`);
    request.resume().once("end", () => {
      if (request.method === "GET")
        response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
      else response.setHeader("etag", '"x"').setHeader("content-length", "0").end();
    });
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const put = () => storage.put({ bucket: "bucket", key: "a" }, chunks("x"), { ifNoneMatch: "*" });
  const error = await errorOf(put());
  expect([error.code, error.message]).toEqual([
    "UNAVAILABLE",
    "could not put on a condition: the upstream does not keep if-none-match",
  ]);
  const tried = calls.length;
  expect(await codeOf(put())).toBe("UNAVAILABLE");
  // Tried once, on an object of its own that was removed.
  expect(calls.length).toBe(tried);
  expect(calls.map((call) => call.replace(/[0-9a-f-]{36}/, "<id>"))).toEqual([
    "PUT /bucket/.daypass-probe/<id> ",
    "PUT /bucket/.daypass-probe/<id> *",
    "DELETE /bucket/.daypass-probe/<id> ",
  ]);
});

it("tries each kind of condition once, and leaves nothing of it", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const storage = over(upstream);
  for (const key of ["b", "c"]) await storage.put({ bucket: "bucket", key }, chunks("x"), { ifNoneMatch: "*" });
  const probes = upstream.events.filter(({ url }) => url.includes("/.daypass-probe/"));
  expect(probes.length).toBe(3);
  const { entries } = await storage.list("bucket", { prefix: "", limit: 10 });
  expect(entries.map((entry) => (entry.kind === "object" ? entry.key : ""))).toEqual(["a", "b", "c"]);
});

it("names the upstream's code to the operator, follows no redirect and tells no secret", async () => {
  for (const [status, code] of [
    [403, "SignatureDoesNotMatch"],
    [403, "AccessDenied"],
    [301, "PermanentRedirect"],
    [403, "RequestTimeTooSkewed"],
    [307, "TemporaryRedirect"],
    [500, "InternalError"],
    [503, "SlowDown"],
  ] as const) {
    let calls = 0;
    const options = await scripted((request, response) => {
      calls += 1;
      response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" });
      response.end(
        `<Error><Code>${code}</Code><StringToSign>${request.url?.replaceAll("&", "&amp;")}</StringToSign></Error>`,
      );
    });
    const storage = s3(options);
    onTestFinished(() => storage.close());
    const error = await errorOf(storage.get({ bucket: "bucket", key: "a-private-key" }));
    expect([error.code, error.message.includes(`${status} ${code}`), calls]).toEqual(["UNAVAILABLE", true, 1]);
    expect(error.message).not.toMatch(/Signature=|AKID|secret|private/);
  }
});

it.each([
  [301, "PermanentRedirect", "correct its region or endpoint"],
  [403, "InvalidAccessKeyId", "see what its credentials may do"],
  [403, "RequestTimeTooSkewed", "compare the clocks of both"],
])("says what to do about %i %s", async (status, code, advice) => {
  const options = await scripted((_, response) => {
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const { message } = await errorOf(storage.get({ bucket: "bucket", key: "a" }));
  expect(message.endsWith(`the upstream answered ${status} ${code}: ${advice}`)).toBe(true);
});

it("keeps the upstream's reason for the log, and tells the client 503", async () => {
  const options = await scripted((_, response) => {
    response.writeHead(403).end("<Error><Code>InvalidAccessKeyId</Code></Error>");
  });
  const gateway = await front(options);
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a", expiresIn: 60 });
  const answer = await fetch(url);
  expect(answer.status).toBe(503);
  expect(await answer.text()).not.toMatch(/InvalidAccessKeyId|upstream/);
  await expect
    .poll(() => gateway.events.map(({ error }) => String(error)))
    .toEqual([
      "StorageError: could not open the object: the upstream answered 403 InvalidAccessKeyId: see what its credentials may do",
    ]);
});

it("takes what is no S3 for an upstream that does not work", async () => {
  for (const body of ["<html>", "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>", "", "<Error/>", "<Other/>"]) {
    const storage = s3(await scripted((_, response) => response.end(body)));
    onTestFinished(() => storage.close());
    expect(await codeOf(storage.list("bucket", { prefix: "", limit: 1 }))).toBe("UNAVAILABLE");
    expect(await codeOf(storage.head({ bucket: "bucket", key: "a" }))).toBe("UNAVAILABLE");
  }
});

it("takes an error in an answer that began well for one, as copies and completions have it", async () => {
  const options = await scripted((request, response) => {
    request.resume();
    if (request.method === "HEAD") response.writeHead(200, { etag: '"e"', "content-length": "1" }).end();
    else response.end('\n  <?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>');
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const copy = storage.copy({ bucket: "bucket", key: "a" }, { bucket: "bucket", key: "b" }, { sourceEtag: "e" });
  expect((await errorOf(copy)).message).toContain("InternalError");
});

it("gives up an upstream that does not answer, stops in the middle or is not there", async () => {
  const silent = await scripted(() => {});
  const halting = await scripted((_, response) => {
    response.writeHead(200, { "content-length": "1000000", etag: '"e"' });
    response.write("a beginning");
  });
  const timeouts = { connectMs: 200, answerMs: 200, idleMs: 100 };
  const ref = { bucket: "bucket", key: "a" };
  const first = s3({ ...silent, timeouts });
  const second = s3({ ...halting, timeouts });
  const third = s3({ ...silent, endpoint: "http://127.0.0.1:1" });
  for (const storage of [first, second, third]) onTestFinished(() => storage.close());
  expect((await errorOf(first.get(ref))).message).toContain("ETIMEDOUT");
  expect((await errorOf(third.get(ref))).message).toContain("ECONNREFUSED");
  const body = (await second.get(ref))?.body();
  await expect(readBody(body)).rejects.toThrow();
});

it("refuses early and keeps no connection that has half a request on it", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const storage = over(upstream, { bucket: { bucket: "bucket", gone: "gone" } });
  let pulled = 0;
  async function* long(): AsyncGenerator<Uint8Array> {
    for (; pulled < 50; pulled++) yield Buffer.alloc(MB);
  }
  const put = storage.put({ bucket: "gone", key: "a" }, long(), { contentLength: 50 * MB });
  expect(await codeOf(put)).toBe("NO_SUCH_BUCKET");
  // The upstream said no before it asked for the body.
  expect(pulled).toBe(0);
  expect(await contents(storage, "bucket", "a")).toBe("a");
});

it("ends the upstream's answer when the reader goes away", async () => {
  let closed = false;
  const options = await scripted((_, response) => {
    response.writeHead(200, { "content-length": String(1024 * MB), etag: '"e"' });
    const piece = Buffer.alloc(MB);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more).once("close", () => {
      closed = true;
    });
    more();
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  for (const leave of ["close", "destroy"] as const) {
    closed = false;
    const object = await storage.get({ bucket: "bucket", key: "a" });
    if (leave === "close") object?.close();
    else {
      const body = object?.body();
      if (body?.kind === "stream") body.stream.destroy();
    }
    while (!closed) await setImmediate();
  }
});

it("holds a bounded amount of a long object for a slow reader", async () => {
  let sent = 0;
  const options = await scripted((_, response) => {
    response.writeHead(200, { "content-length": String(1024 * MB), etag: '"e"' });
    const piece = Buffer.alloc(MB);
    const more = (): void => {
      do {
        sent += MB;
      } while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const object = await storage.get({ bucket: "bucket", key: "a" });
  const body = object?.body();
  if (body?.kind !== "stream") throw new Error("expected a stream");
  await once(body.stream, "readable");
  let before = -1;
  await expect
    .poll(() => {
      const still = sent === before;
      before = sent;
      return still;
    })
    .toBe(true);
  // The sockets of both sides hold some megabytes, whatever the length.
  expect(sent).toBeLessThan(64 * MB);
  body.stream.destroy();
});

it("takes every preset, spread in as it is", () => {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
  const made = [
    presets.r2({ accountId: "0123456789abcdef0123456789abcdef" }),
    presets.b2({ region: "eu-central-003" }),
    presets.minio({ endpoint: "http://127.0.0.1:9000" }),
    presets.wasabi({ region: "eu-central-1" }),
  ];
  for (const preset of made) expect(() => s3({ ...preset, credentials, bucket: "media" })).not.toThrow();
});

it("uses credentials until they end, and then says that it cannot sign", async () => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const { credentials } = upstream.clients.daypass;
  let expiration = new Date(Date.now() + 60_000);
  const storage = over(upstream, { credentials: () => ({ ...credentials, expiration }) });
  expect(await contents(storage, "bucket", "a")).toBe("a");
  expect((await storage.buckets()).map(({ name }) => name)).toContain("bucket");
  expiration = new Date(Date.now() - 1000);
  for (const call of [storage.head({ bucket: "bucket", key: "a" }), storage.buckets()]) {
    const { code, message } = await errorOf(call);
    expect([code, message]).toEqual([
      "UNAVAILABLE",
      expect.stringMatching(/the request cannot be signed \([A-Z_]+\)$/),
    ]);
  }
});

it("lists the buckets of an endpoint however it is spelled, with a path of its own, too", async () => {
  const asked: string[] = [];
  const options = await scripted((request, response) => {
    asked.push(`${request.headers.host} ${request.url?.split("?")[0]}`);
    response.end("<ListAllMyBucketsResult/>");
  });
  const { host, port } = new URL(options.endpoint);
  for (const endpoint of [`http://127.0.0.1:${port}/`, `http://LOCALHOST:${port}/base/a@b`]) {
    const storage = s3({ ...options, bucket: undefined, endpoint });
    onTestFinished(() => storage.close());
    expect(await storage.buckets()).toEqual([]);
  }
  expect(asked).toEqual([`${host} /`, `localhost:${port} /base/a%40b/`]);
});

/** An account whose buckets are given two at a time. */
async function paged(names: readonly string[], answer: (token: string | undefined) => readonly [number, string]) {
  const asked: (string | null)[] = [];
  const options = await scripted((request, response) => {
    const token = new URL(request.url ?? "", "http://a").searchParams.get("continuation-token");
    asked.push(token);
    const [from, next] = answer(token ?? undefined);
    const buckets = names.slice(from, from + 2).map((name) => `<Bucket><Name>${name}</Name></Bucket>`);
    const more = next === "" ? "" : `<ContinuationToken>${next}</ContinuationToken>`;
    response.end(`<ListAllMyBucketsResult><Buckets>${buckets.join("")}</Buckets>${more}</ListAllMyBucketsResult>`);
  });
  const storage = s3({ ...options, bucket: undefined });
  onTestFinished(() => storage.close());
  return { asked, found: (await storage.buckets()).map(({ name }) => name) };
}

it("reads every page of the list of buckets", async () => {
  const names = ["aa1", "bb2", "cc3", "dd4", "ee5"];
  const next: Readonly<Record<string, readonly [number, string]>> = {
    "": [0, "b+/= !'()*"],
    "b+/= !'()*": [2, "d"],
    d: [4, ""],
  };
  const { asked, found } = await paged(names, (token = "") => next[token] ?? [9, ""]);
  expect([asked, found]).toEqual([[null, "b+/= !'()*", "d"], names]);
});

it.each([
  ["begins anew", (): [number, string] => [0, "again"]],
  ["repeats what it was asked", (token = ""): [number, string] => (token === "" ? [0, "b"] : [2, token])],
])("does not turn in circles for an upstream that %s", async (_, answer) => {
  const { asked, found } = await paged(["aa1", "bb2", "cc3"], answer);
  expect(asked.length).toBeLessThan(4);
  expect(found).toEqual(["aa1", "bb2", "cc3"].slice(0, found.length));
});

it("asks Amazon for pages, signed like everything else", async () => {
  const upstream = await upstreamGateway({ files: { "aaa/a": "a", "bbb/b": "b", "ccc/c": "c" } });
  const call = { ...upstream.clients.daypass, now: new Date() };
  // Whether the token means something is another question.
  const answer = await fetch(listBucketsUrl({ ...call, token: "b+/= !'()*" }));
  expect([answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1]]).toEqual([400, "InvalidArgument"]);
  const { searchParams } = new URL(listBucketsUrl({ ...call, endpoint: "https://s3.eu-west-1.amazonaws.com" }));
  expect([...searchParams.keys()].slice(-2)).toEqual(["max-buckets", "X-Amz-Signature"]);
});
