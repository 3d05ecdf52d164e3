import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll, s3For, until } from "../e2e/clients.ts";

/** The head of a signed request for an object in `media`, with further fields. */
function headOf(gateway: TestGateway, { method = "GET", key = "hello.txt" }, ...fields: readonly string[]): string {
  const { url } = s3For(gateway).sign({ method, bucket: "media", key, expiresIn: 60 });
  const lines = [`${method} ${url.slice(gateway.url.length)} HTTP/1.1`, `Host: 127.0.0.1:${gateway.port}`, ...fields];
  return [...lines, "", ""].join("\r\n");
}

describe("pipelined requests", () => {
  it("are answered in their order", async () => {
    await using gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
    const socket = await rawConnection(gateway);
    const answer = readAll(socket);
    socket.write(headOf(gateway, {}) + headOf(gateway, { key: "none" }) + headOf(gateway, {}, "Connection: close"));
    expect((await answer).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  });

  it("are one request at a time, however many there are, and every one is answered", async () => {
    const limits = { inFlight: 2 };
    await using small = await testGateway({ files: { "media/hello.txt": "hello" }, gateway: () => ({ limits }) });
    const socket = await rawConnection(small);
    const answer = readAll(socket);
    // Several reads of the socket.
    socket.write(headOf(small, {}).repeat(999) + headOf(small, {}, "Connection: close"));
    const counts = new Map<string, number>();
    for (const line of (await answer).match(/HTTP\/1\.1 \d+/g) ?? []) counts.set(line, (counts.get(line) ?? 0) + 1);
    expect([...counts]).toEqual([["HTTP/1.1 200", 1000]]);
  });

  it.each([
    ["is no HTTP", [], "\0\0", ["200", "200", "400"]],
    ["is a head that does not end", [], "GET / HT", ["200", "200", "503"]],
    ["comes behind Connection: close, which is the last", ["Connection: close"], "GET / HTTP/1.1", ["200", "200"]],
  ] as const)("are answered before what follows them and %s", async (_, fields, rest, answers) => {
    let store = (): void => {};
    const slow = await testGateway({
      files: { "media/hello.txt": "hello" },
      listen: { timeouts: { headersMs: 500 } },
      storage: (disk) => ({
        ...disk,
        put: (...given) => new Promise((resolve) => (store = () => resolve(disk.put(...given)))),
      }),
    });
    onTestFinished(() => slow.close());
    const stands = store;
    const isBegun = (): boolean => store !== stands;
    const asked = async () => {
      const socket = await rawConnection(slow);
      const answer = readAll(socket);
      socket.write(`${headOf(slow, { method: "PUT" }, "Content-Length: 2")}ok${headOf(slow, {}, ...fields)}${rest}`);
      await until(() => isBegun() || socket.destroyed);
      return { answer };
    };
    let { answer } = await asked();
    // Again where the processor was away until the time of the first head was over.
    while (!isBegun()) ({ answer } = await asked());
    // Until the head is late. The other two have come with what is in front of them.
    if (answers.at(-1) === "503") await sleep(1200);
    store();
    expect((await answer).match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(answers);
  });

  it("wait for their answers once, however much comes behind what is no HTTP", async () => {
    let store = (): void => {};
    await using slow = await testGateway({
      files: { "media/hello.txt": "hello" },
      storage: (disk) => ({
        ...disk,
        put: (...given) => new Promise((resolve) => (store = () => resolve(disk.put(...given)))),
      }),
    });
    const warnings: Error[] = [];
    const hear = (warning: Error): void => void warnings.push(warning);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    const socket = (await rawConnection(slow)).setNoDelay();
    const answer = readAll(socket);
    const stands = store;
    socket.write(`${headOf(slow, { method: "PUT" }, "Content-Length: 2")}ok\0`);
    await until(() => store !== stands);
    for (let i = 0; i < 20; i++) {
      socket.write("\0");
      await sleep(2);
    }
    store();
    expect((await answer).match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(["200", "400"]);
    expect(warnings).toEqual([]);
  });

  it("take no place and no memory before it is their turn, which may never come", async () => {
    let reads = 0;
    await using small = await testGateway({
      files: { "media/hello.txt": "hello", "media/endless": "" },
      gateway: () => ({ limits: { inFlight: 8 } }),
      // As a driver that streams has it.
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
    const signed = (key: string) => s3For(small).sign({ bucket: "media", key, expiresIn: 60 }).url;
    const path = signed("endless").slice(small.url.length);
    const socket = (await rawConnection(small)).on("error", () => {});
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${small.port}\r\n\r\n`.repeat(100));
    await until(() => reads > 0);
    for (let i = 0; i < 5; i++) expect((await fetch(signed("hello.txt"))).status).toBe(200);
    expect(reads).toBe(1);
    socket.destroy();
    // Its own request; those behind it were none.
    await expect
      .poll(() => small.events.filter(({ url }) => url.includes("endless")).length, { timeout: 5000 })
      .toBe(1);
    expect((await fetch(signed("hello.txt"))).status).toBe(200);
  });
});
