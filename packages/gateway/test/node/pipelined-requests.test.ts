import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { ListenOptions } from "../../src/node/index.ts";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, rawConnection, readAll, until } from "../e2e/clients.ts";
import { bytesOf, gate, headOf, served, statusesOf, transports, withHeldUploads } from "./raw-request.ts";

const FILES = { "media/hello.txt": "hello" };
const LONG_HEAD = `GET /${"a".repeat(1000)} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A server that answers nothing until `open` is called, and a client of it. */
async function gated(options: ListenOptions) {
  const { opened, open } = gate();
  let begun = 0;
  const { socket } = await served(async () => {
    begun += 1;
    await opened;
    return bytesOf(Buffer.from("body"));
  }, options);
  let answers = 0;
  socket.setEncoding("latin1").on("data", (text: string) => {
    answers += text.split("body").length - 1;
  });
  return { socket, open, begun: () => begun, answers: () => answers };
}

it("answers requests in their order", async () => {
  await using gateway = await testGateway({ files: FILES });
  const socket = await rawConnection(gateway);
  const answer = readAll(socket);
  const key = "hello.txt";
  socket.write(
    headOf(gateway, { key }) + headOf(gateway, { key: "none" }) + headOf(gateway, { key }, "Connection: close"),
  );
  expect(statusesOf(await answer)).toEqual(["200", "404", "200"]);
});

it("handles one request at a time and answers every one", async () => {
  await using small = await testGateway({ files: FILES, gateway: () => ({ limits: { inFlight: 2 } }) });
  const socket = await rawConnection(small);
  const answer = readAll(socket);
  const key = "hello.txt";
  // Several reads of the socket.
  socket.write(headOf(small, { key }).repeat(999) + headOf(small, { key }, "Connection: close"));
  expect(statusesOf(await answer)).toEqual(Array(1000).fill("200"));
});

it("answers requests with bodies in their order", async () => {
  await using gateway = await testGateway({ files: FILES });
  const content = Buffer.alloc(200 * 1024, "content ");
  const length = `Content-Length: ${content.length}`;
  const chunk = [Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from("\r\n0\r\n\r\n")];
  const put = (key: string, ...fields: string[]) => Buffer.from(headOf(gateway, { method: "PUT", key }, ...fields));
  // S3 requires a length, so the chunked upload is a Daypass URL.
  const chunked = (key: string): Buffer => {
    const target = daypassUrl(gateway, `/media/${key}`, { methods: ["PUT"] }).slice(gateway.url.length);
    return Buffer.from(
      `PUT ${target} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
  };
  const rounds = 40;
  const sent = Array.from({ length: rounds }, (_, i) => [
    ...[put(`whole-${i}`, length), content, Buffer.from(headOf(gateway, { key: "hello.txt" }))],
    ...[chunked(`chunked-${i}`), ...chunk, put(`expected-${i}`, length, "Expect: 100-continue"), content],
  ]);
  const socket = await rawConnection(gateway);
  const answer = readAll(socket);
  // 24 MB in pieces that do not end where a request ends.
  const bytes = Buffer.concat([
    ...sent.flat(),
    Buffer.from(headOf(gateway, { key: "hello.txt" }, "Connection: close")),
  ]);
  for (let at = 0; at < bytes.length; at += 333_333)
    if (!socket.write(bytes.subarray(at, at + 333_333))) await once(socket, "drain");
  const round = ["200", "200", "200", "100", "200"];
  expect(statusesOf(await answer)).toEqual([...Array.from({ length: rounds }, () => round).flat(), "200"]);
  for (const kind of ["whole", "chunked", "expected"])
    expect(readFileSync(join(gateway.root, `media/${kind}-${rounds - 1}`)).equals(content)).toBe(true);
});

it.each(transports)(
  "stops reading a connection over %s with many waiting requests, and answers all of them",
  async (_, options) => {
    const { socket, open, begun, answers } = await gated(options);
    const count = 20_000;
    for (let i = 0; i < 100; i++) socket.write(LONG_HEAD.repeat(count / 100));
    await expect.poll(begun).toBe(1);
    // The two kernels hold a few MB.
    for (let last = Number.NaN; last !== socket.writableLength; await sleep(300)) last = socket.writableLength;
    const bytes = count * LONG_HEAD.length;
    expect(bytes - socket.writableLength).toBeLessThan(bytes * 0.6);
    expect(begun()).toBe(1);
    open();
    await expect.poll(answers, { timeout: 20_000 }).toBe(count);
  },
  30_000,
);

it("does not count the time for a head while earlier requests are not answered", async () => {
  const asked = async () => {
    const client = await gated({ timeouts: { headersMs: 200, keepAliveMs: 5000, idleMs: 60_000 } });
    // More than one read, so the last head is cut in two.
    client.socket.write(LONG_HEAD.repeat(200));
    await until(() => client.begun() > 0 || client.socket.destroyed);
    return client;
  };
  let client = await asked();
  // A busy machine may read the first head too late.
  while (client.begun() === 0) client = await asked();
  await sleep(1500);
  client.open();
  await expect.poll(client.answers).toBe(200);
});

it.each([
  ["bytes that are not HTTP", [], "\0\0", ["200", "200", "400"]],
  ["a head that does not end", [], "GET / HT", ["200", "200", "503"]],
  ["bytes after Connection: close", ["Connection: close"], "GET / HTTP/1.1", ["200", "200"]],
] as const)("answers requests before %s", async (_, fields, rest, answers) => {
  const { gateway, release, begun } = await withHeldUploads({ timeouts: { headersMs: 500 } });
  const asked = async () => {
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    const upload = `${headOf(gateway, { method: "PUT", key: "new" }, "Content-Length: 2")}ok`;
    socket.write(`${upload}${headOf(gateway, { key: "hello.txt" }, ...fields)}${rest}`);
    await until(() => begun() > 0 || socket.destroyed);
    return { answer };
  };
  let { answer } = await asked();
  while (begun() === 0) ({ answer } = await asked());
  // Until the head is late.
  if (answers.at(-1) === "503") await sleep(1200);
  release();
  expect(statusesOf(await answer)).toEqual(answers);
});

it("answers once and without a warning when many chunks follow bytes that are not HTTP", async () => {
  const { gateway, release, begun } = await withHeldUploads();
  const warnings: Error[] = [];
  const hear = (warning: Error): void => void warnings.push(warning);
  process.on("warning", hear);
  onTestFinished(() => void process.off("warning", hear));
  const socket = (await rawConnection(gateway)).setNoDelay();
  const answer = readAll(socket);
  socket.write(`${headOf(gateway, { method: "PUT", key: "new" }, "Content-Length: 2")}ok\0`);
  await until(() => begun() > 0);
  for (let i = 0; i < 20; i++) {
    socket.write("\0");
    await sleep(2);
  }
  release();
  expect(statusesOf(await answer)).toEqual(["200", "400"]);
  expect(warnings).toEqual([]);
});

it("does not start a request whose turn never comes", async () => {
  let reads = 0;
  await using small = await testGateway({
    files: { ...FILES, "media/endless": "" },
    gateway: () => ({ limits: { inFlight: 8 } }),
    storage: (disk) => ({
      ...disk,
      async get(ref, options) {
        const object = await disk.get(ref, options);
        if (object === undefined || ref.key !== "endless") return object;
        reads += 1;
        object.close();
        const stream = new Readable({ read: () => void stream.push(Buffer.alloc(65_536)) });
        const info = { ...object.info, size: 2 ** 40 };
        return { info, body: () => ({ kind: "stream", stream, length: info.size }), close() {} };
      },
      getCached: () => undefined,
    }),
  });
  const hello = async () =>
    statusesOf(await readAll((await rawConnection(small)).end(headOf(small, { key: "hello.txt" }))));
  const socket = (await rawConnection(small)).on("error", () => {});
  socket.pause().write(headOf(small, { key: "endless" }).repeat(100));
  await until(() => reads > 0);
  for (let i = 0; i < 5; i++) expect(await hello()).toEqual(["200"]);
  expect(reads).toBe(1);
  socket.destroy();
  await expect.poll(() => small.events.filter(({ url }) => url.includes("endless")).length).toBe(1);
  expect(await hello()).toEqual(["200"]);
});
