import { EventEmitter, once } from "node:events";
import { existsSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Gateway } from "../../src/index.ts";
import { type Pace, pieceSize } from "../../src/node/send-file.ts";
import { STALL_MS, uploadWatch, waitingBytes } from "../../src/node/slow-client.ts";
import { testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll } from "../e2e/clients.ts";
import { tls } from "./fixtures/tls.ts";
import { bytesOf, connected, headOf, served, transports } from "./raw-request.ts";
import { servedSockets } from "./served-sockets.ts";

describe("uploadWatch", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
  });

  /** Runs an upload at 100 bytes per second over 1 s: each step passes milliseconds, with this many more bytes. */
  function cutsAfter(steps: readonly { ms: number; bytes?: number; storage?: boolean }[]): number {
    const state = { bytes: 0, awaitsClient: true, cuts: 0 };
    let now = 0;
    const stop = uploadWatch(
      { bytesPerSecond: 100, windowMs: 1000 },
      () => now,
    )({
      bytes: () => state.bytes,
      awaitsClient: () => state.awaitsClient,
      cut: () => {
        state.cuts += 1;
      },
    });
    for (const { ms, bytes = 0, storage = false } of steps) {
      state.bytes += bytes;
      state.awaitsClient = !storage;
      for (let past = 0; past < ms; past += 50) {
        now += 50;
        vi.advanceTimersByTime(50);
      }
    }
    stop();
    return state.cuts;
  }

  it.each([
    ["keeps a slow upload before a whole window has passed", 0, [{ ms: 950, bytes: 99 }]],
    ["cuts a slow upload after a window", 1, [{ ms: 1000, bytes: 99 }]],
    ["keeps an upload at the minimum rate", 0, Array(5).fill({ ms: 1000, bytes: 100 })],
    ["keeps an upload that waits for the storage", 0, [{ ms: 10_000, storage: true }]],
    ["starts a new window after the storage", 0, [{ ms: 10_000, storage: true }, { ms: 950 }]],
    ["cuts an upload that stalls after the storage", 1, [{ ms: 10_000, storage: true }, { ms: 1250 }]],
  ])("%s", (_, cuts, steps) => {
    expect(cutsAfter(steps)).toBe(cuts);
  });

  it("has a timer only while uploads are in progress", () => {
    const watch = uploadWatch({ bytesPerSecond: 1, windowMs: 1000 }, () => 0);
    const upload = { bytes: () => 0, awaitsClient: () => true, cut: () => {} };
    for (let round = 0; round < 2; round++) {
      const stop = watch(upload);
      expect(vi.getTimerCount()).toBe(1);
      stop();
      vi.advanceTimersByTime(1000);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("never cuts an upload when the minimum rate is 0", () => {
    let now = 0;
    const cut = vi.fn();
    uploadWatch({ bytesPerSecond: 0, windowMs: 1000 }, () => now)({ bytes: () => 0, awaitsClient: () => true, cut });
    now = 60_000;
    vi.advanceTimersByTime(60_000);
    expect(cut).not.toHaveBeenCalled();
  });
});

describe("waitingBytes", () => {
  /** Responses with 10 waiting bytes each. */
  const responses = (count: number) =>
    Array.from({ length: count }, () => {
      const response = Object.assign(new EventEmitter(), { writableLength: 10, destroyed: false });
      return Object.assign(response, {
        destroy() {
          response.destroyed = true;
          response.emit("close");
        },
      }) as unknown as ServerResponse;
    });
  const cut = (all: readonly ServerResponse[]) => all.map(({ destroyed }) => destroyed);

  it("cuts the response that has stalled longest when the cap is exceeded", () => {
    const waiting = waitingBytes(30);
    const all = responses(5);
    for (const response of all.slice(0, 3)) waiting.hold(response, 10);
    expect([cut(all), waiting.total]).toEqual([Array(5).fill(false), 30]);
    // Progress of the first.
    waiting.hold(all[0] as ServerResponse, 10);
    for (const response of all.slice(3)) waiting.hold(response, 10);
    expect(cut(all)).toEqual([false, true, true, false, false]);
  });

  it.each(["finish", "close"])("releases the bytes of a response on %s", (event) => {
    const waiting = waitingBytes(30);
    const all = responses(4);
    for (const response of all) {
      waiting.hold(response, 30);
      response.emit(event);
    }
    expect([cut(all), waiting.total]).toEqual([Array(4).fill(false), 0]);
  });

  it("keeps a response that waits for its storage", () => {
    const waiting = waitingBytes(30);
    const [idle, stalled] = responses(2) as [ServerResponse, ServerResponse];
    Object.assign(idle, { writableLength: 0 });
    waiting.hold(idle, 20);
    waiting.hold(stalled, 20);
    expect([idle.destroyed, stalled.destroyed, waiting.total]).toEqual([false, false, 20]);
  });

  it("adds its listeners to a response once, also if the cap is exceeded again and again", () => {
    const waiting = waitingBytes(30);
    const all = responses(2);
    for (const response of all) Object.assign(response, { writableLength: 0 });
    for (const response of [...all, ...all, ...all]) waiting.hold(response, 20);
    expect(all.map((response) => response.listenerCount("close"))).toEqual([1, 1]);
  });
});

describe("pieceSize", () => {
  const KB = 1024;
  const MB = 1024 * KB;
  const fast: Pace = { sent: 64 * MB, left: 1024 * MB, perSecond: 1e9, waiting: 4 * MB };

  it.each<[string, number, Partial<Pace>]>([
    ["512 KB first", 512 * KB, { sent: 0, perSecond: Number.POSITIVE_INFINITY }],
    ["a quarter of the bytes sent", MB, { sent: 4 * MB }],
    ["at most 2 MB", 2 * MB, {}],
    ["what the client accepts in a tenth of a second", 512 * KB, { perSecond: 6e6 }],
    ["at least 64 KB for a slow client", 64 * KB, { perSecond: 0 }],
    ["at least 64 KB when much waits", 64 * KB, { waiting: 500 * MB }],
    ["an eighth of what is left of 64 MB", 512 * KB, { waiting: 60 * MB }],
    ["at least 64 KB for a small rest", 64 * KB, { left: 1 }],
    ["the rest rounded up to a power of two", 128 * KB, { left: 100 * KB }],
    ["the rest if it is a power of two", 512 * KB, { left: 512 * KB }],
  ])("returns %s", (_, size, pace) => {
    expect(pieceSize({ ...fast, ...pace })).toBe(size);
  });
});

describe("a server", () => {
  const LENGTH = 32 * 1024 * 1024;

  it.each(transports)("sends a long response over %s to a client that reads late", async (_, options) => {
    const content = Buffer.alloc(LENGTH, "0123456789abcdef!");
    const { server, socket } = await served(() => bytesOf(content), options);
    const timeouts = servedSockets(server.port);
    socket.pause().write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await expect.poll(() => server.connections).toBe(1);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(socket.resume(), "close");
    expect(Buffer.concat(chunks).subarray(-LENGTH).equals(content)).toBe(true);
    expect(timeouts()).toEqual([]);
  });

  it.each(transports)("cuts a download over %s when Node reports that it has stalled", async (_, options) => {
    const { server, socket } = await served(() => bytesOf(Buffer.alloc(LENGTH)), options);
    const sockets: Socket[] = [];
    const timeouts = servedSockets(server.port, sockets);
    socket.pause().write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await expect.poll(() => sockets[0]?.writableLength ?? 0).toBeGreaterThan(0);
    // Node emits the timeout only when the kernel has accepted nothing for this time.
    expect(sockets[0]?.timeout).toBe(STALL_MS);
    timeouts();
    await expect.poll(() => server.connections).toBe(0);
  });

  it("answers 400 to a slow upload and stores nothing", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    await using gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(`${headOf(gateway, { method: "PUT", key: "slow.txt" }, "Content-Length: 100000")}a`);
    const isOver = answer.then(() => true);
    while (!(await Promise.race([isOver, new Promise((resolve) => setTimeout(resolve, 5))])))
      vi.advanceTimersByTime(2500);
    expect(await answer).toMatch(/^HTTP\/1\.1 400 .*<Code>RequestTimeout<\/Code>/s);
    expect(existsSync(`${gateway.root}/media/slow.txt`)).toBe(false);
  });

  it("counts the bytes of an incomplete TLS record towards the minimum rate", async () => {
    const received: Gateway["handle"] = async (_, body) => {
      let size = 0;
      try {
        for await (const chunk of body) size += chunk.length;
      } catch (error) {
        return bytesOf(Buffer.from(String(error)));
      }
      return bytesOf(Buffer.from(`${size} bytes`));
    };
    const { server } = await served(received, { tls, minimumRate: { bytesPerSecond: 10_000, windowMs: 300 } });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    let slow = false;
    onTestFinished(() => {
      slow = false;
      vi.useRealTimers();
    });
    // Carries 24 KB per second of the fake clock.
    const network = createServer(async (near) => {
      const far = connect(server.port, "127.0.0.1")
        .setNoDelay()
        .on("error", () => {});
      near.on("error", () => {});
      far.pipe(near);
      for await (const chunk of near) {
        for (let sent = 0; sent < chunk.length; sent += slow ? 480 : chunk.length) {
          const before = server.connections === 0 ? 0 : 1;
          far.write(chunk.subarray(sent, slow ? sent + 480 : chunk.length));
          if (slow) await new Promise((resolve) => setTimeout(resolve, 2 * before));
          if (slow) vi.advanceTimersByTime(20);
        }
      }
    }).listen(0, "127.0.0.1");
    await once(network, "listening");
    onTestFinished(() => void network.close());
    const socket = await connected((network.address() as { port: number }).port, { tls });
    slow = true;
    socket.write("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 16384\r\n\r\n");
    socket.write(Buffer.alloc(16_384));
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("16384 bytes");
  });

  it.each([
    [
      "503 to a head that does not end",
      "GET / HTTP/1.1\r\nHost: x\r\n",
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n",
    ],
    ["nothing to a client that sends nothing", "", ""],
  ])("answers %s", async (_, head, expected) => {
    await using gateway = await testGateway({ listen: { timeouts: { headersMs: 100 } } });
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(head);
    expect(await answer).toBe(expected);
  });
});
