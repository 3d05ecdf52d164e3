import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl, rawConnection, readAll, s3For, until } from "../e2e/clients.ts";

let gateway: TestGateway;
let storage: RecordingStorage;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    storage: (disk) => {
      storage = recordingStorage(disk);
      return storage;
    },
  });
});
afterAll(() => gateway.close());

const target = (url: string) => url.slice(gateway.url.length);
const put = (key: string) => target(s3For(gateway).sign({ method: "PUT", bucket: "media", key, expiresIn: 60 }).url);
const get = (key = "hello.txt") => target(s3For(gateway).sign({ bucket: "media", key, expiresIn: 60 }).url);
const head = (method: string, path: string, ...fields: string[]) =>
  [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, ...fields, "", ""].join("\r\n");

describe("Expect: 100-continue", () => {
  it("sends no 100 to a client of HTTP/1.0", async () => {
    const socket = await rawConnection(gateway);
    const lines = head("PUT", put("old.txt"), "Expect: 100-continue", "Content-Length: 5");
    socket.write(`${lines.replace("HTTP/1.1", "HTTP/1.0")}hello`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("sends 100 once the request is permitted", async () => {
    const message = request(`${gateway.url}${put("continued.txt")}`, {
      method: "PUT",
      headers: { expect: "100-continue", "content-length": 5 },
    });
    message.flushHeaders();
    await once(message, "continue");
    message.end("after");
    const [reply] = await once(message, "response");
    reply.resume();
    expect(reply.statusCode).toBe(200);
    expect(readFileSync(join(gateway.root, "media/continued.txt"), "utf8")).toBe("after");
  });

  it("sends no 100 to a refused request, and closes its connection", async () => {
    const socket = await rawConnection(gateway);
    socket.write(
      head("PUT", put("refused.txt").replace("refused", "other"), "Expect: 100-continue", "Content-Length: 5"),
    );
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).not.toContain("100 Continue");
    expect(answer.toLowerCase()).toContain("connection: close");
  });

  it("sends no 100 when a condition fails", async () => {
    const socket = await rawConnection(gateway);
    socket.write(head("PUT", put("hello.txt"), "Expect: 100-continue", "Content-Length: 5", "If-None-Match: *"));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 412 /);
  });
});

describe("an early refusal", () => {
  it("sends the whole refusal to a client that still sends, and does not read the rest", async () => {
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(head("PUT", put("x.txt").replace("x.txt", "y.txt"), "Content-Length: 1000000000"));
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    while (!socket.destroyed && written < 100_000_000) {
      written += chunk.length;
      if (!socket.write(chunk)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), answer]);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*SignatureDoesNotMatch[\s\S]*<\/Error>$/);
    expect(written).toBeLessThan(30_000_000);
  });

  it("sends no reset to a proxy that sends before it reads, and buffers nothing", async () => {
    // Stops the time after which the connection closes.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    let refused: IncomingMessage | undefined;
    const look = (message: unknown): void => {
      refused = (message as { request: IncomingMessage }).request;
    };
    subscribe("http.server.request.start", look);
    onTestFinished(() => void unsubscribe("http.server.request.start", look));
    const socket = await rawConnection(gateway);
    socket.write(head("PUT", put("x.txt").replace("x.txt", "y.txt"), "Content-Length: 1000000000"));
    const chunk = Buffer.alloc(64 * 1024);
    const send = (error?: Error | null): void => {
      if (!error) socket.write(chunk, send);
    };
    const stuck = once(socket.setTimeout(100), "timeout");
    send();
    // Fails at a reset.
    await stuck;
    await until(() => refused?.socket.isPaused());
    expect(refused?.readableLength).toBe(0);
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
    });
    socket.on("error", () => {});
    await until(() => text.endsWith("</Error>"));
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    const closed = new Promise((done) => socket.once("close", done));
    vi.advanceTimersByTime(2000);
    await closed;
  });

  it("keeps the connection when the small body has arrived", async () => {
    const socket = await rawConnection(gateway);
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.write(`${head("PUT", put("x.txt").replace("x.txt", "y.txt"), "Content-Length: 5")}hello`);
    await until(() => text.endsWith("</Error>"));
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text.toLowerCase()).not.toContain("connection: close");
    socket.write(head("GET", get(), "Connection: close"));
    await once(socket, "close");
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 403", "HTTP/1.1 200"]);
  });

  it("ignores requests after the unread body of a refused request", async () => {
    await fetch(`${gateway.url}${put("victim.txt")}`, { method: "PUT", body: "still here" });
    const before = storage.calls.length;
    const remove = target(
      s3For(gateway).sign({ method: "DELETE", bucket: "media", key: "victim.txt", expiresIn: 60 }).url,
    );
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(head("PUT", put("x.txt").replace("x.txt", "y.txt"), "Content-Length: 400000"));
    await until(() => gateway.events.some(({ code, complete }) => code === "SIGNATURE_MISMATCH" && complete));
    socket.write(Buffer.alloc(400_000, "a"));
    socket.write(head("DELETE", remove));
    expect((await answer).match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(storage.calls.length).toBe(before);
    expect(existsSync(join(gateway.root, "media/victim.txt"))).toBe(true);
  });

  it("closes the connection after an ambiguous head and ignores the next request", async () => {
    await fetch(`${gateway.url}${put("target.txt")}`, { method: "PUT", body: "still here" });
    const remove = target(
      s3For(gateway).sign({ method: "DELETE", bucket: "media", key: "target.txt", expiresIn: 60 }).url,
    );
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(head("GET", `${get()}#`) + head("DELETE", remove));
    expect((await answer).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400"]);
    expect(existsSync(join(gateway.root, "media/target.txt"))).toBe(true);
  });

  it("sends one response when the body breaks after the refusal", async () => {
    const socket = await rawConnection(gateway);
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => {});
    const closed = new Promise((done) => socket.once("close", done));
    socket.write(`${head("PUT", `${put("x.txt")}0`, "Transfer-Encoding: chunked")}5\r\nhello\r\n`);
    await until(() => text.endsWith("</Error>"));
    socket.write("no chunk\r\n");
    await closed;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 403"]);
  });

  it("keeps the connection when the refused request has no body", async () => {
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(head("GET", `${get()}0`) + head("GET", get(), "Connection: close"));
    expect((await answer).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 403", "HTTP/1.1 200"]);
  });
});

describe("malformed HTTP", () => {
  it.each([
    ["when it is not HTTP", "\0\0", "400 Bad Request"],
    ["when a head is too long", `GET /${"a".repeat(70_000)}`, "431 Request Header Fields Too Large"],
  ])("is answered %s, and the connection closes", async (_, bytes, status) => {
    const socket = await rawConnection(gateway);
    socket.write(bytes);
    expect(await readAll(socket)).toBe(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });

  it("is answered 413 when a chunk extension does not end", async () => {
    const socket = await rawConnection(gateway);
    const path = target(daypassUrl(gateway, "/media/chunk.txt", { methods: ["PUT"] }));
    socket.write(`${head("PUT", path, "Transfer-Encoding: chunked")}1;${"a".repeat(20_000)}`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("a client that disconnects", () => {
  it("keeps the old object when it disconnects during an upload", async () => {
    await fetch(`${gateway.url}${put("kept.txt")}`, { method: "PUT", body: "old" });
    const socket = await rawConnection(gateway);
    socket.write(head("PUT", put("kept.txt"), "Content-Length: 100000"));
    socket.write("new");
    await until(() =>
      storage.calls.some(({ method, ref }) => method === "put" && typeof ref === "object" && ref.key === "kept.txt"),
    );
    const seen = gateway.events.length;
    socket.destroy();
    await until(() => gateway.events.length > seen);
    expect(readFileSync(join(gateway.root, "media/kept.txt"), "utf8")).toBe("old");
  });

  it("leaves no file open when it disconnects during a download", async () => {
    await gateway.storage.put({ bucket: "media", key: "left.bin" }, zeros(32 * 1024 * 1024));
    const url = `${gateway.url}${get("left.bin")}`;
    for (let i = 0; i < 20; i++) {
      const abort = new AbortController();
      const reply = await fetch(url, { signal: abort.signal });
      await reply.body?.getReader().read();
      abort.abort();
    }
    await until(() => gateway.events.filter(({ url: seen }) => seen.startsWith("/media/left.bin")).length === 20);
    const left = readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith("left.bin");
      } catch {
        return false;
      }
    });
    expect(left).toEqual([]);
  });
});

describe("drain", () => {
  it("finishes requests in progress, accepts no new ones and closes idle connections", async () => {
    let calls: RecordingStorage | undefined;
    const other = await testGateway({
      files: { "media/hello.txt": "hello" },
      storage: (disk) => {
        calls = recordingStorage(disk);
        return calls;
      },
    });
    const idle = await rawConnection(other);
    const message = request(daypassUrl(other, "/media/late.txt", { methods: ["PUT"] }), {
      method: "PUT",
      headers: { "content-length": 4 },
    });
    message.write("la");
    const underWay = once(message, "response");
    await until(() => calls?.calls.some(({ method }) => method === "put"));
    const drained = other.server.drain(5000);
    await once(idle, "close");
    await expect(fetch(other.url)).rejects.toThrow();
    message.end("te");
    const [reply] = await underWay;
    reply.resume();
    expect([reply.statusCode, reply.headers.connection]).toEqual([200, "close"]);
    await drained;
    expect(readFileSync(join(other.root, "media/late.txt"), "utf8")).toBe("late");
  });

  it("cuts requests that do not finish in time", async () => {
    const other = await testGateway();
    const socket = await rawConnection(other);
    const path = daypassUrl(other, "/files/never.txt", { methods: ["PUT"] }).slice(other.url.length);
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1:${other.port}\r\nContent-Length: 9\r\n\r\n`);
    const closed = readAll(socket);
    await other.server.drain(100);
    await closed;
    expect(existsSync(join(other.root, "files/never.txt"))).toBe(false);
  });
});

describe("limits.inFlight", () => {
  it("answers 503 with Retry-After above the limit", async () => {
    const small = await testGateway({ files: { "media/a.txt": "a" }, gateway: () => ({ limits: { inFlight: 1 } }) });
    const first = request(daypassUrl(small, "/media/b.txt", { methods: ["PUT"] }), {
      method: "PUT",
      headers: { "content-length": 2 },
    });
    first.write("b");
    const firstReply = once(first, "response");
    const busy = await until(async () => {
      const reply = await fetch(s3For(small).sign({ bucket: "media", key: "a.txt", expiresIn: 60 }).url);
      if (reply.status === 503) return reply;
      await reply.text();
      return undefined;
    });
    expect(busy.headers.get("retry-after")).toBe("1");
    expect(await busy.text()).toContain("<Code>SlowDown</Code>");
    expect((await fetch(`${small.url}/-/healthz`)).status).toBe(200);
    first.end("b");
    expect((await firstReply)[0].statusCode).toBe(200);
    await small.close();
  });
});

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
}
