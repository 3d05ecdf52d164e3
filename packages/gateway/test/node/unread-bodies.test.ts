import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { collectGarbage } from "../collect-garbage.ts";
import { s3For } from "../e2e/clients.ts";

const MB = 1024 * 1024;

// When a connection is closed with unread bytes, the kernel may drop the end of the sent ones.
it.each([
  ["byte by byte", "1\r\na\r\n".repeat(400_000), 25 * MB],
  ["in large chunks", `10000\r\n${"a".repeat(65_536)}\r\n`.repeat(40), 25 * MB],
  ["with its end", `${"1\r\na\r\n".repeat(5000)}0\r\n\r\n`, 30 * MB],
] as const)("holds no memory for a body that is sent with a GET %s, and sends the file", async (_, body, least) => {
  const gateway = await testGateway({ files: { "media/a.bin": "x".repeat(30 * MB) } });
  onTestFinished(() => gateway.close());
  const { url } = s3For(gateway).sign({ bucket: "media", key: "a.bin", expiresIn: 60 });
  const head = `GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const received: IncomingMessage[] = [];
  const onRequest = (message: unknown) => {
    received.push((message as { readonly request: IncomingMessage }).request);
  };
  subscribe("http.server.request.start", onRequest);
  onTestFinished(() => void unsubscribe("http.server.request.start", onRequest));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const clients = [];
  for (let i = 0; i < 3; i++) {
    const socket = connect({ port: gateway.port, host: "127.0.0.1" }).pause();
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.on("error", () => {});
    socket.write(head);
    socket.write(body);
    clients.push(socket);
  }
  // Long enough to read all; an unbounded body took 50 MB each.
  await sleep(1500);
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * MB);
  // The rest waits at the sender.
  expect(received.map(({ socket }) => socket.bytesRead < MB)).toEqual([true, true, true]);
  for (const socket of clients) {
    let size = 0;
    // Not `once` of events, which fails at the reset of a close with unread bytes.
    const closed = new Promise((done) => socket.once("close", done));
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    socket.resume();
    if (least === 30 * MB) await expect.poll(() => size).toBeGreaterThan(least);
    else await closed;
    expect(size).toBeGreaterThan(least);
  }
});

it("sends a refusal to a client that reads after sending a small body", async () => {
  await using gateway = await testGateway({ files: { "media/a.bin": "a" } });
  const socket = connect({ port: gateway.port, host: "127.0.0.1" }).pause();
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket
    .setEncoding("latin1")
    .on("error", () => {})
    .on("data", (chunk: string) => {
      text += chunk;
    })
    .pause();
  // On a busy machine, the connection would be closed before.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  socket.write(`PUT /media/b.bin HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\ncontent-length: 200000\r\n\r\n`);
  await expect.poll(() => gateway.events.length).toBe(1);
  const closed = new Promise((done) => socket.once("close", done));
  for (let i = 0; i < 2; i++) await new Promise((done) => socket.write("b".repeat(100_000), done));
  socket.resume();
  await closed;
  expect(text).toMatch(/^HTTP\/1\.1 403 [\s\S]*<\/Error>$/);
});

it("answers the next request after a complete body of a GET", async () => {
  const gateway = await testGateway({ files: { "media/a.bin": "x".repeat(MB) } });
  onTestFinished(() => gateway.close());
  const { url } = s3For(gateway).sign({ bucket: "media", key: "a.bin", expiresIn: 60 });
  const line = `GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n`;
  const socket = connect({ port: gateway.port, host: "127.0.0.1" });
  onTestFinished(() => void socket.destroy());
  socket.write(`${line}content-length: 150000\r\n\r\n${"a".repeat(150_000)}`);
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  await expect.poll(() => text.length).toBeGreaterThan(MB);
  socket.write(`${line}connection: close\r\n\r\n`);
  await once(socket, "end");
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(text.length).toBeGreaterThan(2 * MB);
});
