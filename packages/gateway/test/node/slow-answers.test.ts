import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Outcome } from "../../src/index.ts";
import { type GatewayServer, type ListenOptions, listen } from "../../src/node/index.ts";
import { tls } from "./fixtures/tls.ts";

// An answer that is made in memory, and far more than what the kernel takes for a client that does not read.
const LENGTH = 32 * 1024 * 1024;

async function asked(options: ListenOptions): Promise<{ readonly server: GatewayServer; readonly socket: Socket }> {
  const outcome = (): Outcome => ({
    status: 200,
    headers: ["content-length", `${LENGTH}`],
    body: { kind: "bytes", bytes: Buffer.alloc(LENGTH) },
    close: true,
    delivered() {},
  });
  const server = await listen({ limits: defaultLimits, handle: outcome, close: async () => {} }, options);
  const to = { port: server.port, host: "127.0.0.1" };
  const socket = (options.tls ? connectTls({ ...to, ca: tls.cert }) : connect(to)).pause().on("error", () => {});
  onTestFinished(async () => {
    socket.destroy();
    await server.drain(0);
  });
  await once(socket, options.tls ? "secureConnect" : "connect");
  socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
  return { server, socket };
}

/** Reads so many bytes in a second, and tells how many have come in all. */
async function readAt(perSecond: number, socket: Socket): Promise<number> {
  const begun = performance.now();
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    size += chunk.length;
    const ahead = (size * 1000) / perSecond - (performance.now() - begun);
    if (ahead < 10) return;
    socket.pause();
    setTimeout(() => socket.resume(), ahead);
  });
  socket.resume();
  await once(socket, "close");
  return size;
}

// The kernel of one machine asks for more when a third of its buffer of 4 MB is gone: a window has to be longer.
const minimumRate = { bytesPerSecond: 10_000, windowMs: 1000 };
const transports: readonly ListenOptions[] = [{}, { tls }];

it("lets a client have a long answer that takes it steadily, and does not call it idle", async () => {
  const sizes = transports.map(async (transport) => {
    const { socket } = await asked({ ...transport, minimumRate, timeouts: { idleMs: 1000 } });
    return readAt(8 * 1024 * 1024, socket);
  });
  for (const size of await Promise.all(sizes)) expect(size).toBeGreaterThan(LENGTH);
});

it("holds a client to its rate that does not take a long answer, also where it may be idle", async () => {
  const cuts = transports.map(async (transport) => {
    const { server, socket } = await asked({ ...transport, minimumRate, timeouts: { idleMs: 60_000 } });
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBe(0);
    return readAt(LENGTH, socket);
  });
  for (const size of await Promise.all(cuts)) expect(size).toBeLessThan(LENGTH);
});
