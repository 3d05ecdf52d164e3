import { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Tally, tally } from "../../src/index.ts";
import { connectionEnds } from "../../src/node/connection-end.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { readAll } from "../e2e/clients.ts";
import { front, scripted } from "../storage/scripted-upstream.ts";
import { tls } from "./fixtures/tls.ts";
import { gate, headOf, withHeldUploads } from "./raw-request.ts";

// A busy machine may need longer for a response than the second after which a silent client counts as gone.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const LARGE = "l".repeat(4_000_000);
const FILES = { "media/small.txt": "small", "media/large.txt": LARGE };

/** A gateway over a disk whose `get` waits for `release`. */
async function held() {
  const counts: Tally = tally();
  const { opened, open: release } = gate();
  const gateway = await testGateway({
    files: FILES,
    gateway: () => ({ tally: counts, limits: { inFlight: 1 } }),
    storage: (disk): Storage => ({
      ...disk,
      getCached: () => undefined,
      get: async (...given) => {
        await opened;
        return disk.get(...given);
      },
    }),
  });
  onTestFinished(() => gateway.close());
  return { gateway, counts, release };
}

function message(gateway: TestGateway, asked: Parameters<typeof headOf>[1], body = ""): string {
  return headOf(gateway, asked, ...(body === "" ? [] : [`Content-Length: ${body.length}`])) + body;
}

/** Reads all that a client receives that half-closes at once. */
function halfClosed(gateway: Pick<TestGateway, "port">, bytes: string): Promise<string> {
  return readAll(connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true }).end(bytes));
}

describe("a half-closed client", () => {
  it.each([
    ["a large file", { key: "large.txt" }, "", /^HTTP\/1\.1 200 .*\r\n\r\nl{4000000}$/s],
    ["a small one", { key: "small.txt" }, "", /^HTTP\/1\.1 200 .*\r\n\r\nsmall$/s],
    ["a list", { bind: { query: { "list-type": "2" } } }, "", /^HTTP\/1\.1 200 .*<Key>small\.txt<\/Key>/s],
    ["a missing object", { key: "none" }, "", /^HTTP\/1\.1 404 .*NoSuchKey/s],
    ["an upload", { method: "PUT", key: "new.txt" }, LARGE, /^HTTP\/1\.1 200 /],
  ] as const)("receives its response and the end: %s", async (_, asked, body, answer) => {
    const gateway = await testGateway({ files: FILES });
    onTestFinished(() => gateway.close());
    expect(await halfClosed(gateway, message(gateway, asked, body))).toMatch(answer);
    await expect.poll(() => gateway.server.connections).toBe(0);
  });

  it("receives its response over TLS", async () => {
    const gateway = await testGateway({ files: FILES, listen: { tls } });
    onTestFinished(() => gateway.close());
    const options = { port: gateway.port, host: "127.0.0.1", ca: tls.cert, allowHalfOpen: true };
    for (const [key, answer] of [
      ["large.txt", /^HTTP\/1\.1 200 .*\r\n\r\nl{4000000}$/s],
      ["none", /^HTTP\/1\.1 404 .*NoSuchKey/s],
    ] as const) {
      expect(await readAll(connectTls(options).end(message(gateway, { key })))).toMatch(answer);
    }
    await expect.poll(() => gateway.server.connections).toBe(0);
  });

  it("is closed during its TLS handshake", async () => {
    const gateway = await testGateway({ files: FILES, listen: { tls } });
    onTestFinished(() => gateway.close());
    const socket = connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
    // The head of a TLS record of 512 bytes.
    expect(await readAll(socket.end(Buffer.from([22, 3, 1, 2, 0, 1])))).toBe("");
    await expect.poll(() => gateway.server.connections).toBe(0);
  });

  it("receives the responses to all pipelined requests", async () => {
    const gateway = await testGateway({ files: FILES });
    onTestFinished(() => gateway.close());
    const get = message(gateway, { key: "large.txt" });
    const answers = (await halfClosed(gateway, get + get + message(gateway, { key: "small.txt" }))).split("HTTP/1.1 ");
    expect(answers.map((answer) => answer.slice(answer.indexOf("\r\n\r\n") + 4))).toEqual(["", LARGE, LARGE, "small"]);
  });

  it("receives the response to a slow change that follows a read", async () => {
    const { gateway, release, begun } = await withHeldUploads();
    const get = message(gateway, { key: "hello.txt" });
    const answers = halfClosed(gateway, get + message(gateway, { method: "PUT", key: "new.txt" }, "new"));
    await expect.poll(begun).toBe(1);
    vi.advanceTimersByTime(3000);
    release();
    expect(await answers).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nhelloHTTP\/1\.1 200 /s);
  });

  it("counts as in progress until its response", async () => {
    const { gateway, counts, release } = await held();
    const get = message(gateway, { key: "small.txt" });
    const first = halfClosed(gateway, get);
    await expect.poll(() => counts.inFlight).toBe(1);
    expect(await halfClosed(gateway, get)).toMatch(/^HTTP\/1\.1 503 /);
    release();
    expect(await first).toMatch(/\r\n\r\nsmall$/);
    await expect.poll(() => counts.inFlight).toBe(0);
  });

  it("receives its response during a drain", async () => {
    const { gateway, counts, release } = await held();
    const answer = halfClosed(gateway, message(gateway, { key: "small.txt" }));
    await expect.poll(() => counts.inFlight).toBe(1);
    const drained = gateway.server.drain(60_000);
    release();
    expect(await answer).toMatch(/\r\n\r\nsmall$/);
    await drained;
  });

  it("receives the response of an upstream", async () => {
    const gateway = await front(
      await scripted((request, response) => {
        const end = () => response.writeHead(200, { etag: '"e"', "content-length": "2" }).end("ok");
        setImmediate(request.method === "HEAD" ? () => response.writeHead(200, { etag: '"e"' }).end() : end);
      }),
    );
    expect(await halfClosed(gateway, message(gateway, { bucket: "bucket", key: "a" }))).toMatch(
      /^HTTP\/1\.1 200 .*\r\n\r\nok$/s,
    );
  });
});

describe("a half-closed client that may have left", () => {
  /** A connection whose client has ended its side. */
  const connection = () => {
    const response = { writableFinished: false };
    const socket = Object.assign(new EventEmitter(), {
      // Node references the response here.
      _httpMessage: response,
      readableEnded: true,
      bytesWritten: 0,
      writableLength: 0,
      destroy: () => void socket.emit("close"),
    });
    return { socket, response, signal: connectionEnds()(socket as unknown as Socket, response) };
  };

  it("stays connected while each second brings bytes to send, or the client is slow to accept them", () => {
    const { socket, signal } = connection();
    for (let seconds = 0; seconds < 10; seconds += 1) {
      socket.bytesWritten += 1;
      vi.advanceTimersByTime(1000);
    }
    socket.writableLength = 1;
    vi.advanceTimersByTime(10_000);
    expect(signal.aborted).toBe(false);
    socket.writableLength = 0;
    vi.advanceTimersByTime(1000);
    expect([signal.aborted, vi.getTimerCount()]).toEqual([true, 0]);
  });

  it("stays connected while a change follows its read", () => {
    const { socket, response, signal } = connection();
    response.writableFinished = true;
    vi.advanceTimersByTime(10_000);
    expect(signal.aborted).toBe(false);
    socket.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });
});
