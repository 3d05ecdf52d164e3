import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll, s3For, until } from "../e2e/clients.ts";

const LATE_HEAD = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n";
let strict: TestGateway;
beforeAll(async () => {
  strict = await testGateway({
    files: { "media/hello.txt": "hello" },
    listen: {
      timeouts: { headersMs: 300, keepAliveMs: 5000, idleMs: 20_000 },
      minimumRate: { bytesPerSecond: 10_000, windowMs: 300 },
    },
  });
});
afterAll(() => strict.close());

const put = (to: TestGateway, key: string) =>
  head(to, "PUT", s3For(to).sign({ method: "PUT", bucket: "media", key, expiresIn: 60 }).url, "Content-Length: 100000");
const get = (to: TestGateway, key: string) =>
  head(to, "GET", s3For(to).sign({ bucket: "media", key, expiresIn: 60 }).url);
const head = ({ url, port }: TestGateway, method: string, target: string, ...fields: string[]) =>
  [`${method} ${target.slice(url.length)} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...fields, "", ""].join("\r\n");

describe("a slow client", () => {
  it("that never ends its head is told what every client of S3 repeats", async () => {
    const answer = async () => {
      const socket = await rawConnection(strict);
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
      return readAll(socket);
    };
    // Again where the processor was away for so long that nothing of it had been read.
    await expect.poll(answer).toBe(LATE_HEAD);
  });

  it("that asks for nothing is told nothing", async () => {
    expect(await readAll(await rawConnection(strict))).toBe("");
  });

  it("that trickles its body is told so and stores nothing", async () => {
    const answer = async () => {
      const socket = await rawConnection(strict);
      const text = readAll(socket);
      socket.write(put(strict, "slow.txt"));
      const trickle = setInterval(() => socket.write("a"), 20);
      return text.finally(() => clearInterval(trickle));
    };
    let text = await answer();
    // Again where the head had come late, too: that is told without a body.
    while (text === LATE_HEAD) text = await answer();
    expect(text).toContain("<Code>RequestTimeout</Code>");
    expect(existsSync(join(strict.root, "media/slow.txt"))).toBe(false);
  });

  it("that does not take its download is cut", async () => {
    await strict.storage.put({ bucket: "media", key: "large.bin" }, zeros(64 * 1024 * 1024));
    const socket = await rawConnection(strict);
    socket.pause();
    socket.write(get(strict, "large.bin"));
    const event = await until(() =>
      strict.events.find(({ url, complete }) => url.startsWith("/media/large.bin") && !complete),
    );
    expect(event.status).toBe(200);
    expect(event.bytes).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
  });

  it("that takes its download slowly and steadily keeps it, and is cut once it takes nothing", async () => {
    // By a clock that no busy machine makes late.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    // The kernel of one machine asks for more when a third of its buffer of 4 MB is gone: a window has to be longer.
    await using patient = await testGateway({
      files: { "media/slow.bin": Buffer.alloc(64 * 1024 * 1024) },
      listen: { minimumRate: { bytesPerSecond: 10_000, windowMs: 3000 } },
    });
    const socket = await rawConnection(patient);
    socket.pause().write(get(patient, "slow.bin"));
    // What the gateway asks the kernel is answered in a time of its own, which stands still while a file of the kernel is read.
    const pass = async (pause: number) => {
      vi.advanceTimersByTime(50);
      await new Promise((resolve) => setTimeout(resolve, pause));
      await until(() => !process.getActiveResourcesInfo().includes("FSReqCallback"));
    };
    // 0.8 MB a second, which is 2.4 in a window.
    for (let ms = 0, taken = 0; ms < 7000; ms += 50) {
      while (taken < ms * 800) {
        const chunk: Buffer | null = socket.read();
        if (chunk === null) await once(socket, "readable");
        else taken += chunk.length;
      }
      await pass(5);
    }
    expect(patient.events).toEqual([]);
    let stopped = 0;
    const event = await until(async () => {
      await pass(25);
      stopped += 50;
      return patient.events[0];
    });
    expect(event).toMatchObject({ status: 200, complete: false });
    // And not by the limit of an idle connection.
    expect(stopped).toBeLessThan(10_000);
    socket.destroy();
  });
});

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
}
