import { once } from "node:events";
import type { Socket } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Gateway, Outcome } from "../../src/index.ts";
import type { ListenOptions } from "../../src/node/index.ts";
import { STALL_MS } from "../../src/node/slow-client.ts";
import { gate, served, transports } from "./raw-request.ts";
import { servedSockets } from "./served-sockets.ts";

/** Sends a request. `idle` emits the timeout of its connection, and returns the timeout afterwards. */
async function asked(handle: Gateway["handle"], options: ListenOptions, request: string) {
  const { server, socket } = await served(handle, options);
  const sockets: Socket[] = [];
  const idle = servedSockets(server.port, sockets);
  socket.write(request.replaceAll("\n", "\r\n"));
  const expectClosed = (): Promise<void> =>
    expect
      .poll(() => {
        idle();
        return server.connections;
      })
      .toBe(0);
  return { socket, sockets, idle, expectClosed };
}

const done = (body?: Outcome["body"]): Outcome => ({
  status: 200,
  headers: body === undefined ? ["content-length", "0"] : [],
  body,
  close: false,
  delivered() {},
});

const GET = "GET / HTTP/1.1\nhost: a\n\n";

it.each(
  transports.flatMap(([transport, options]) =>
    [
      GET,
      "PUT / HTTP/1.1\nhost: a\ncontent-length: 5\n\nhello",
      "PUT / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n",
    ].map((request) => [transport, request, options] as const),
  ),
)("keeps a connection over %s that waits for its response to %j", async (_, request, options) => {
  const [begun, work] = [gate(), gate()];
  const handle: Gateway["handle"] = async (_, body) => {
    for await (const _ of body);
    begun.open();
    await work.opened;
    return done();
  };
  const { socket, idle, expectClosed } = await asked(handle, options, request);
  await begun.opened;
  for (let i = 0; i < 3; i++) expect(idle()).toEqual([60_000]);
  work.open();
  // The response is made and not sent yet.
  await new Promise(process.nextTick);
  expect(idle()).toEqual([60_000]);
  expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 200 /);
  await expectClosed();
});

it.each(transports)("keeps a connection over %s whose storage has not delivered the whole body", async (_, options) => {
  const streams: PassThrough[] = [];
  const handle: Gateway["handle"] = async () => {
    const stream = new PassThrough();
    streams.push(stream);
    return done({ kind: "stream", stream, length: undefined });
  };
  const { socket, sockets, idle, expectClosed } = await asked(handle, options, GET + GET);
  for (const i of [0, 1]) {
    await expect.poll(() => streams[i]?.readableFlowing).toBe(true);
    for (let times = 0; times < 3; times++) expect(idle()).toEqual([STALL_MS]);
    streams[i]?.write("some");
    await once(socket, "data");
    await expect.poll(() => sockets[0]?.writableLength).toBe(0);
    for (let times = 0; times < 3; times++) expect(idle()).toEqual([STALL_MS]);
    streams[i]?.end();
  }
  await expectClosed();
});

it.each(transports)("closes a connection over %s whose client accepts nothing", async (_, options) => {
  const stream = Readable.from([Buffer.alloc(64 * 1024 * 1024)], { objectMode: false });
  const { socket, expectClosed } = await asked(
    async () => done({ kind: "stream", stream, length: undefined }),
    options,
    GET,
  );
  socket.pause();
  await expectClosed();
});

it.each(transports)("closes a connection over %s whose body does not continue", async (_, transport) => {
  // Without a minimum rate, which would close the connection too.
  const options: ListenOptions = { ...transport, minimumRate: { bytesPerSecond: 0, windowMs: 10_000 } };
  const begun = gate();
  const handle: Gateway["handle"] = async (_, body) => {
    for await (const _ of body) begun.open();
    return done();
  };
  const request = "PUT / HTTP/1.1\nhost: a\ncontent-length: 5\n\nhel";
  const { socket, idle, expectClosed } = await asked(handle, options, request);
  await begun.opened;
  await setImmediate();
  idle();
  expect(await text(socket)).toBe("");
  await expectClosed();
});
