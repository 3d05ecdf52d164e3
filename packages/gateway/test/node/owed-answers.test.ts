/** Connections on which nothing moves, because of the gateway and because of the client. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Gateway, type Outcome } from "../../src/index.ts";
import { type ListenOptions, listen } from "../../src/node/index.ts";
import { STALL_MS } from "../../src/node/slow-client.ts";
import { tls } from "./fixtures/tls.ts";
import { servedSockets } from "./served-sockets.ts";

const transports: [string, ListenOptions][] = [
  ["TCP", {}],
  ["TLS", { tls }],
];

async function asked(handle: Gateway["handle"], transport: ListenOptions, request: string) {
  const server = await listen({ limits: defaultLimits, handle, close: async () => {} }, transport);
  const sockets: Socket[] = [];
  const idle = servedSockets(server.port, sockets);
  const to = { port: server.port, host: "127.0.0.1" };
  const socket = (transport.tls ? connectTls({ ...to, ca: tls.cert }) : connect(to)).on("error", () => {});
  onTestFinished(async () => {
    socket.destroy();
    await server.drain(0);
  });
  await once(socket, transport.tls ? "secureConnect" : "connect");
  socket.write(request.replaceAll("\n", "\r\n"));
  return { server, socket, sockets, idle };
}

function done(status: number): Outcome {
  return { status, headers: ["content-length", "0"], body: undefined, close: false, delivered() {} };
}

/** A promise and what fulfils it. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

it.each(transports)(
  "ends no connection by %s that waits for its answer, and then one that has it",
  async (_, options) => {
    for (const request of [
      "GET / HTTP/1.1\nhost: a\n\n",
      "PUT / HTTP/1.1\nhost: a\ncontent-length: 5\n\nhello",
      "PUT / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n",
    ]) {
      const [begun, work] = [gate(), gate()];
      const handle: Gateway["handle"] = async (_, body) => {
        for await (const _ of body);
        begun.open();
        await work.opened;
        return done(503);
      };
      const { server, socket, idle } = await asked(handle, options, request);
      await begun.opened;
      for (let i = 0; i < 3; i++) expect(idle()).toEqual([60_000]);
      work.open();
      // It is made, and not sent yet.
      await new Promise(process.nextTick);
      expect(idle()).toEqual([60_000]);
      const [answer] = await once(socket, "data");
      expect(String(answer)).toMatch(/^HTTP\/1\.1 503 /);
      const open = (): number => {
        idle();
        return server.connections;
      };
      await expect.poll(open).toBe(0);
    }
  },
);

it.each(transports)(
  "ends none by %s whose storage has not brought all of its answer, and then it does",
  async (_, options) => {
    const streams: PassThrough[] = [];
    const handle: Gateway["handle"] = async () => {
      const stream = new PassThrough();
      streams.push(stream);
      return { ...done(200), headers: [], body: { kind: "stream", stream, length: undefined } };
    };
    const get = "GET / HTTP/1.1\nhost: a\n\n";
    const { server, socket, sockets, idle } = await asked(handle, options, get + get);
    for (const i of [0, 1]) {
      await expect.poll(() => streams[i]?.readableFlowing).toBe(true);
      for (let times = 0; times < 3; times++) expect(idle()).toEqual([STALL_MS]);
      streams[i]?.write("some");
      await once(socket, "data");
      await expect.poll(() => sockets[0]?.writableLength).toBe(0);
      for (let times = 0; times < 3; times++) expect(idle()).toEqual([STALL_MS]);
      streams[i]?.end();
    }
    const open = (): number => {
      idle();
      return server.connections;
    };
    await expect.poll(open).toBe(0);
  },
);

it.each(transports)("ends one by %s that takes nothing of what the storage brings", async (_, options) => {
  const handle: Gateway["handle"] = async () => {
    const stream = Readable.from([Buffer.alloc(64 * 1024 * 1024)], { objectMode: false });
    return { ...done(200), headers: [], body: { kind: "stream", stream, length: undefined } };
  };
  const { server, socket, idle } = await asked(handle, options, "GET / HTTP/1.1\nhost: a\n\n");
  socket.pause();
  const open = (): number => {
    idle();
    return server.connections;
  };
  await expect.poll(open).toBe(0);
});

it.each(transports)("ends one by %s on which the rest of a body does not come", async (_, transport) => {
  // None: after ten seconds it would end the connection, too.
  const options: ListenOptions = { ...transport, minimumRate: { bytesPerSecond: 0, windowMs: 10_000 } };
  const begun = gate();
  const handle: Gateway["handle"] = async (_, body) => {
    for await (const _ of body) begun.open();
    return done(200);
  };
  const { server, socket, idle } = await asked(handle, options, "PUT / HTTP/1.1\nhost: a\ncontent-length: 5\n\nhel");
  await begun.opened;
  await setImmediate();
  idle();
  expect(await text(socket)).toBe("");
  await expect.poll(() => server.connections).toBe(0);
});
