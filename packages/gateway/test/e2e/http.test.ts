import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { renameSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { openFiles, unknownFiles } from "../open-files.ts";
import { daypassUrl, rawConnection, readAll, s3Code, s3Field, s3For, send, useGateway, withoutIds } from "./clients.ts";

const TEXT = "0123456789";
const files = { "media/ten.txt": TEXT, "media/empty.txt": "", "media/big.bin": Buffer.alloc(3_000_000, "big ") };
const gateway = useGateway({ files });
const open = useGateway({
  files,
  gateway: (port) => ({
    origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`, `http://*.s3.localhost:${port}`],
    cors: { origins: ["https://app.example.com"] },
  }),
});

const ten = (gw = gateway) => s3For(gw).sign({ bucket: "media", key: "ten.txt", expiresIn: 60 }).url;
const get = (headers: Record<string, string>, url = ten()) => fetch(url, { headers });

describe("ranges", () => {
  const cases = [
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    // Several at once are answered whole.
    ["bytes=0-1,4-5", 200, TEXT, null],
    ["lines=1-2", 200, TEXT, null],
    ["bytes=4-2", 200, TEXT, null],
  ] as const;
  it.each(cases)("answers %s with %i", async (range, status, body, contentRange) => {
    const reply = await get({ range });
    expect([reply.status, await reply.text(), reply.headers.get("content-range")]).toEqual([
      status,
      body,
      contentRange,
    ]);
    expect(reply.headers.get("accept-ranges")).toBe("bytes");
  });

  it("answers 416 with the size to a range beyond the end", async () => {
    const reply = await get({ range: "bytes=10-" });
    const body = await reply.text();
    expect([reply.status, s3Code(body), s3Field(body, "ActualObjectSize")]).toEqual([416, "InvalidRange", "10"]);
    expect(reply.headers.get("content-range")).toBe("bytes */10");
    const problem = await get({ range: "bytes=10-" }, daypassUrl(gateway, "/media/ten.txt"));
    expect([problem.status, problem.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  it("sends a range of a file that is sent in pieces", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "big.bin", expiresIn: 60 });
    const reply = await get({ range: "bytes=1000001-2999998" }, url);
    const body = Buffer.from(await reply.arrayBuffer());
    expect(body.equals(Buffer.alloc(3_000_000, "big ").subarray(1_000_001, 2_999_999))).toBe(true);
  });

  it("sends no byte outside the range of a large file", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "big.bin", expiresIn: 60 });
    const head = `GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nRange: bytes=1000001-1000005\r\n`;
    const socket = await rawConnection(gateway);
    socket.write(`${head}\r\n${head}Connection: close\r\n\r\n`);
    const answers = await readAll(socket);
    expect(answers.split("\r\n\r\n").map((text) => text.slice(0, 13))).toEqual([
      "HTTP/1.1 206 ",
      "ig biHTTP/1.1",
      "ig bi",
    ]);
    await expect.poll(() => gateway.events.slice(-2).map(({ bytes }) => bytes)).toEqual([5, 5]);
  });

  it("ignores a range if If-Range names another ETag", async () => {
    const etag = (await get({})).headers.get("etag") ?? "";
    expect((await get({ range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get({ range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
  });
});

describe("conditional requests", () => {
  it("answers conditional reads with 304 without a body, and with 412", async () => {
    const first = await get({});
    const etag = first.headers.get("etag") ?? "";
    const modified = first.headers.get("last-modified") ?? "";
    const unchanged = await get({ "if-none-match": etag });
    expect([unchanged.status, await unchanged.text(), unchanged.headers.get("etag")]).toEqual([304, "", etag]);
    expect(unchanged.headers.get("content-length")).toBeNull();
    expect((await get({ "if-modified-since": modified })).status).toBe(304);
    expect((await get({ "if-none-match": '"other"' })).status).toBe(200);
    expect((await get({ "if-match": etag })).status).toBe(200);
    const failed = await get({ "if-match": '"other"' });
    expect([failed.status, s3Code(await failed.text())]).toEqual([412, "PreconditionFailed"]);
    expect((await get({ "if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT" })).status).toBe(412);
  });
});

describe(`an answer without the object${unknownFiles ?? ""}`, () => {
  it.skipIf(unknownFiles)("closes the file of an object that is not sent", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "big.bin", expiresIn: 60 });
    const asked: readonly [number, Record<string, string>][] = [
      [304, { "if-none-match": "*" }],
      [412, { "if-match": '"other"' }],
      [416, { range: "bytes=3000000-" }],
    ];
    for (const [status, headers] of asked) {
      const reply = await get(headers, url);
      await reply.text();
      expect([reply.status, openFiles(`${gateway.root}/media`)]).toEqual([status, []]);
    }
  });

  it.skipIf(unknownFiles)("closes the file of an object whose stored values no header can carry", async () => {
    const undated = await testGateway({
      files: { "media/big.bin": Buffer.alloc(300_000) },
      storage: (disk) => ({
        ...disk,
        async get(ref, options) {
          const object = await disk.get(ref, options);
          return object && { ...object, info: { ...object.info, lastModified: undefined as unknown as Date } };
        },
      }),
    });
    onTestFinished(() => undated.close());
    const { url } = s3For(undated).sign({ bucket: "media", key: "big.bin", expiresIn: 60 });
    for (const asked of [url, daypassUrl(undated, "/media/big.bin")]) {
      const reply = await fetch(asked);
      await reply.text();
      expect([reply.status, openFiles(`${undated.root}/media`)]).toEqual([500, []]);
    }
  });
});

describe("HEAD", () => {
  it.each<[Record<string, string>, number]>([
    [{}, 200],
    [{ range: "bytes=2-4" }, 206],
    [{ range: "bytes=99-" }, 416],
    [{ "if-none-match": "*" }, 304],
  ])("answers HEAD with %j like GET", async (headers, status) => {
    const url = daypassUrl(gateway, "/media/ten.txt");
    const byGet = await get(headers, url);
    const byHead = await fetch(url, { method: "HEAD", headers });
    await byGet.text();
    expect([byGet.status, byHead.status]).toEqual([status, status]);
    expect(await byHead.text()).toBe("");
    await expect.poll(() => gateway.events.at(-1)).toMatchObject({ method: "HEAD", bytes: 0 });
    for (const name of ["content-length", "content-range", "content-type", "etag", "last-modified", "accept-ranges"]) {
      expect([name, byHead.headers.get(name)]).toEqual([name, byGet.headers.get(name)]);
    }
  });
});

it("serves an empty object", async () => {
  const reply = await fetch(s3For(gateway).sign({ bucket: "media", key: "empty.txt", expiresIn: 60 }).url);
  expect([reply.status, await reply.text(), reply.headers.get("content-length")]).toEqual([200, "", "0"]);
});

describe("cross-origin requests", () => {
  const preflight = (gw: TestGateway, origin: string, path = "/media/ten.txt") =>
    fetch(`${gw.url}${path}`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
    });

  it("refuses preflights by default, alike for existing and missing objects", async () => {
    const answers = await Promise.all(
      ["/media/ten.txt", "/media/none", "/nowhere/x"].map(async (path) => {
        const reply = await preflight(gateway, "https://app.example.com", path);
        return withoutIds(reply);
      }),
    );
    expect(answers[0]?.[0]).toBe(403);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect((await get({ origin: "https://app.example.com" })).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("allows cross-origin requests of a configured origin, never with credentials", async () => {
    const reply = await preflight(open, "https://app.example.com");
    expect([reply.status, reply.headers.get("content-length")]).toEqual([200, "0"]);
    expect(reply.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(reply.headers.get("access-control-allow-credentials")).toBeNull();
    expect((await preflight(open, "https://evil.example.com")).status).toBe(403);
    const actual = await get({ origin: "https://app.example.com" }, ten(open));
    expect(actual.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    const refusal = await get({ origin: "https://app.example.com" }, `${ten(open)}0`);
    expect([refusal.status, refusal.headers.get("access-control-allow-origin")]).toEqual([
      403,
      "https://app.example.com",
    ]);
  });
});

describe("virtual-host style", () => {
  it("reads the bucket from the host", async () => {
    const endpoint = `http://s3.localhost:${open.port}`;
    const { url } = s3For(open, { endpoint, addressing: "virtual" }).sign({
      bucket: "media",
      key: "ten.txt",
      expiresIn: 60,
    });
    const { host, pathname, search } = new URL(url);
    expect(host).toBe(`media.s3.localhost:${open.port}`);
    const reply = await send(open, { target: pathname + search, headers: { host } });
    expect([reply.status, reply.body.toString()]).toEqual([200, TEXT]);
    const other = await send(open, { target: pathname + search, headers: { host: `other.s3.localhost:${open.port}` } });
    expect(other.status).toBe(403);
  });

  it("serves a key that looks like a probe from the bucket's own host", async () => {
    await open.storage.put(
      { bucket: "media", key: "-/healthz" },
      (async function* () {
        yield Buffer.from("an object");
      })(),
    );
    const endpoint = `http://s3.localhost:${open.port}`;
    const { url } = s3For(open, { endpoint, addressing: "virtual" }).sign({
      bucket: "media",
      key: "-/healthz",
      expiresIn: 60,
    });
    const { host, pathname, search } = new URL(url);
    const reply = await send(open, { target: pathname + search, headers: { host } });
    expect(reply.body.toString()).toBe("an object");
  });
});

it("answers probes for any host", async () => {
  const health = await send(gateway, { target: "/-/healthz", headers: { host: "10.0.0.7" } });
  expect([health.status, health.body.toString()]).toEqual([200, "ok\n"]);
  expect((await send(gateway, { target: "/-/readyz" })).status).toBe(200);
  const put = await send(gateway, { method: "PUT", target: "/-/healthz", headers: { "content-length": "0" } });
  expect(put.status).toBe(403);
});

it("answers 503 to the readiness probe while its folder is missing", async () => {
  await using away = await testGateway();
  const readiness = async (): Promise<[number, string]> => {
    const { status, body } = await send(away, { target: "/-/readyz" });
    return [status, body.toString()];
  };
  expect(await readiness()).toEqual([200, "ready\n"]);
  renameSync(away.root, `${away.root}-away`);
  expect(await readiness()).toEqual([503, "storage unavailable\n"]);
  expect((await send(away, { target: "/-/healthz" })).status).toBe(200);
  renameSync(`${away.root}-away`, away.root);
  expect(await readiness()).toEqual([200, "ready\n"]);
});

it("answers 503 to the readiness probe after the clock was set back, until it has caught up", async () => {
  let now = Date.now();
  await using jumped = await testGateway({ gateway: () => ({ clock: () => new Date(now) }) });
  const readiness = async () => (await send(jumped, { target: "/-/readyz" })).body.toString();
  now += 3_600_000;
  expect(await readiness()).toBe("ready\n");
  now -= 3_600_000;
  expect(await readiness()).toBe("the clock was set back: restart the gateway\n");
  now += 3_000_000;
  expect(await readiness()).toBe("ready\n");
});

describe("metrics", () => {
  it("shows metrics only if the operator enables them, without labels that a client can write", async () => {
    expect((await send(gateway, { target: "/-/metrics" })).status).toBe(403);
    const counted = await testGateway({ files: { "media/ten.txt": TEXT }, gateway: () => ({ metrics: true }) });
    await (await fetch(ten(counted))).text();
    await (await fetch(`${ten(counted)}0`)).text();
    await send(counted, { method: "PATCH", target: "/media/ten.txt" });
    const text = (await send(counted, { target: "/-/metrics" })).body.toString();
    expect(text).toContain('daypass_requests_total{scheme="s3",method="GET",status="200"} 1\n');
    expect(text).toContain('daypass_requests_total{scheme="none",method="GET",status="403"} 1\n');
    expect(text).not.toContain("PATCH");
    expect(text).toMatch(/daypass_refusals_total\{code="[A-Z_]+"\} 1\n/);
    expect(text).toContain("daypass_sent_bytes_total ");
    expect(text).toContain("daypass_in_flight 1\n");
    expect(text).toMatch(/daypass_request_duration_seconds_bucket\{le="\+Inf"\} 3\n/);
    await counted.close();
  });
});

describe("the request head", () => {
  const line = (target: string) => `GET ${target} HTTP/1.1\r\n`;
  const host = () => `Host: 127.0.0.1:${gateway.port}\r\n`;
  const target = () => ten().slice(gateway.url.length);
  const cases: Record<string, () => string> = {
    "two Host headers": () => `${line(target())}${host()}${host()}\r\n`,
    "no Host header in HTTP/1.0": () => `GET ${target()} HTTP/1.0\r\n\r\n`,
    "an absolute target for another authority": () => `${line(`http://other.example.com${target()}`)}${host()}\r\n`,
    "a fragment": () => `${line(`${target()}#x`)}${host()}\r\n`,
    "a backslash": () => `${line(target().replace("/media/", "/media\\"))}${host()}\r\n`,
    "two Content-Types": () => `${line(target())}${host()}Content-Type: a/b\r\nContent-Type: text/html\r\n\r\n`,
    "a transfer coding besides chunked": () =>
      `${line(target())}${host()}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    "more headers than the limit": () => `${line(target())}${host()}${"X-A: 1\r\n".repeat(100)}\r\n`,
  };
  it.each(Object.keys(cases))("answers 400 and closes the connection for %s", async (name) => {
    const socket = await rawConnection(gateway);
    socket.write(cases[name]?.() ?? "");
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\nconnection: close\r\n/i);
  });

  it("refuses more headers than the parser keeps", async () => {
    const socket = await rawConnection(gateway);
    socket.write(`${line(target())}${host()}${"X-A: 1\r\n".repeat(600)}\r\n`);
    // 400 is ours. Since Node 22.23 the parser itself refuses what it once dropped in silence, as it does too long a head.
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 (?:400|431) /);
  });

  it("accepts an absolute target if Host names the same authority", async () => {
    const socket = await rawConnection(gateway);
    socket.write(`${line(ten())}${host()}Connection: close\r\n\r\n`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("limits path, query and size of a request head", async () => {
    expect((await send(gateway, { target: `/${"a".repeat(5000)}` })).status).toBe(414);
    expect((await send(gateway, { target: `/media/x?${"a".repeat(9000)}` })).status).toBe(414);
    expect((await send(gateway, { target: "/media/x", headers: { "x-long": "a".repeat(20_000) } })).status).toBe(431);
    const socket = await rawConnection(gateway);
    socket.write(`${line(`/${"a".repeat(5000)}`)}${host()}\r\n`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 414 [\s\S]*\r\nconnection: close\r\n/i);
  });
});

describe("a head with many fields", () => {
  const headOf = (gw: TestGateway, count: number) =>
    `GET ${ten(gw).slice(gw.url.length)} HTTP/1.1\r\nHost: 127.0.0.1:${gw.port}\r\n${"a:\r\n".repeat(count - 2)}Connection: close\r\n\r\n`;
  const answer = async (gw: TestGateway, count: number) => {
    const socket = await rawConnection(gw);
    socket.write(headOf(gw, count));
    return readAll(socket);
  };

  it.each([101, 102, 103, 1000])("refuses %i header fields in the words of S3, and logs it", async (count) => {
    const reply = await answer(gateway, count);
    expect([reply.slice(9, 12), s3Code(reply)]).toEqual(["400", "RequestHeaderSectionTooLarge"]);
    await expect.poll(() => gateway.events.at(-1)).toMatchObject({ code: "HEADERS_TOO_LARGE" });
  });

  it("refuses a request with too many header fields", async () => {
    const held: number[] = [];
    const onRequest = (message: unknown) => {
      held.push((message as { readonly request: IncomingMessage }).request.rawHeaders.length / 2);
    };
    subscribe("http.server.request.start", onRequest);
    onTestFinished(() => void unsubscribe("http.server.request.start", onRequest));
    expect(await answer(gateway, 3500)).toMatch(/^HTTP\/1\.1 4/);
    for (const count of held) expect(count).toBeLessThan(1100);
  });

  it.each([100, 2 ** 31 + 1, 2 ** 32])("accepts 100 header fields with a limit of %i", async (headerCount) => {
    const gw = await testGateway({ files: { "media/ten.txt": TEXT }, gateway: () => ({ limits: { headerCount } }) });
    onTestFinished(() => gw.close());
    expect((await answer(gw, 100)).slice(9, 12)).toBe("200");
  });
});
