import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { defaultLimits, type Gateway } from "../../src/index.ts";
import { toNodeHandler } from "../../src/node/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl } from "../e2e/clients.ts";

type Parser = (request: IncomingMessage) => Promise<unknown>;

/** Returns the status of a PUT to a gateway behind a body parser, as in an Express app. */
async function put(gateway: TestGateway, parser: Parser, path: string, framing: string): Promise<string> {
  const handler = toNodeHandler(gateway.gateway);
  const server = createServer(async (request, response) => {
    await parser(request);
    handler(request, response);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const target = daypassUrl(gateway, path, { methods: ["PUT"] }).slice(gateway.url.length);
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`PUT ${target} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nconnection: close\r\n${framing}`);
  return (await text(socket)).slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
}

const CHUNKED = "transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";

it.each([
  ["of an announced length", "content-length: 4\r\n\r\nbody"],
  ["in chunks", CHUNKED],
])("stores nothing and reports the error when a parser has read a body %s", async (_, framing) => {
  const gateway = await testGateway({ files: { "media/a.txt": "kept" } });
  onTestFinished(() => gateway.close());
  expect(await put(gateway, text, "/media/a.txt", framing)).toBe("500");
  const reply = await fetch(daypassUrl(gateway, "/media/a.txt"));
  expect(await reply.text()).toBe("kept");
  const message = "the body was already read. Put the gateway before any middleware that parses bodies";
  expect(gateway.events[0]).toMatchObject({ error: { message } });
});

it("stores an unread body, and an empty body that was read", async () => {
  const gateway = await testGateway({ files: { "media/a.txt": "old" } });
  onTestFinished(() => gateway.close());
  expect(await put(gateway, async () => {}, "/media/a.txt", CHUNKED)).toBe("200");
  expect(await (await fetch(daypassUrl(gateway, "/media/a.txt"))).text()).toBe("body");
  expect(await put(gateway, text, "/media/a.txt", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n")).toBe("200");
  expect(await (await fetch(daypassUrl(gateway, "/media/a.txt"))).text()).toBe("");
});

it("reads no more from the socket than the reader of a body, without applying the minimum rate", async () => {
  // On a busy machine, the window could end before the sent bytes are read.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const length = 8 * 1024 * 1024;
  let goOn = (): void => {};
  const waited = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let read = 0;
  const slow: Omit<Gateway, "verify"> = {
    limits: defaultLimits,
    async handle(_, body) {
      for await (const chunk of body) {
        read += chunk.length;
        await waited;
      }
      return { status: 204, headers: [], body: undefined, close: true, delivered() {} };
    },
    async close() {},
  };
  const handler = toNodeHandler(slow, { minimumRate: { bytesPerSecond: 10, windowMs: 1000 } });
  let own: Socket | undefined;
  const server = createServer(handler).listen(0, "127.0.0.1");
  server.once("connection", (connection) => {
    own = connection;
  });
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`);
  socket.write(Buffer.alloc(length));
  await expect.poll(() => read).toBeGreaterThan(0);
  await sleep(100);
  vi.advanceTimersByTime(5000);
  expect(own?.bytesRead).toBeLessThan(length / 4);
  goOn();
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 204 /);
  expect(read).toBe(length);
});
