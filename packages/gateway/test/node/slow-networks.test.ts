import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished, vi } from "vitest";
import { defaultLimits, type Gateway, type Outcome } from "../../src/index.ts";
import { linger } from "../../src/node/drain-then-close.ts";
import { type GatewayServer, type ListenOptions, listen } from "../../src/node/index.ts";
import { reachedBytes, takenBytes } from "../../src/node/taken-bytes.ts";
import { tls } from "./fixtures/tls.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function serving(handle: Gateway["handle"], options: ListenOptions): Promise<GatewayServer> {
  const server = await listen({ limits: defaultLimits, handle, close: async () => {} }, options);
  onTestFinished(() => server.drain(0));
  return server;
}

function outcome(bytes: Buffer): Outcome {
  const headers = ["content-length", `${bytes.length}`];
  return { status: 200, headers, body: { kind: "bytes", bytes }, close: false, delivered() {} };
}

function connected(server: GatewayServer, options: ListenOptions): Socket {
  const to = { port: server.port, host: "127.0.0.1" };
  const socket = (options.tls ? connectTls({ ...to, ca: tls.cert }) : connect(to)).on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket.pause();
}

const LONG = Buffer.alloc(32 * 1024 * 1024);

// By TCP alone the kernel of one machine acknowledges nothing either for seconds: the client's has megabytes of room as well.
it.runIf(process.platform === "linux").each<[string, ListenOptions]>([
  ["its rate", { tls, minimumRate: { bytesPerSecond: 50_000, windowMs: 1000 } }],
  ["the idle timeout", { tls, minimumRate: { bytesPerSecond: 0, windowMs: 500 }, timeouts: { idleMs: 1000 } }],
])("sees what a client takes of megabytes that the kernel holds, for %s", async (_, options) => {
  const server = await serving(() => outcome(LONG), options);
  const socket = connected(server, options);
  socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
  // The kernel asks for more when a third of 4 MB is gone, which takes this client about three seconds.
  const begun = performance.now();
  const isAhead = (): boolean => size >= (performance.now() - begun) * 400;
  let size = 0;
  // At once, as one turn brings megabytes, for which a client of this rate would then take nothing for seconds.
  socket.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (isAhead()) socket.pause();
  });
  while (performance.now() - begun < 3500) {
    if (!isAhead()) socket.resume();
    await pause(5);
  }
  socket.pause();
  expect(server.connections).toBe(1);
  // One that takes nothing any more has no reason left.
  await expect.poll(() => server.connections).toBe(0);
});

it("sees what has come of a TLS record that cannot be read before its end", async () => {
  const received = async (_: unknown, body: AsyncIterable<Uint8Array>): Promise<Outcome> => {
    let size = 0;
    try {
      for await (const chunk of body) size += chunk.length;
    } catch (error) {
      return outcome(Buffer.from(String(error)));
    }
    return outcome(Buffer.from(`${size} bytes`));
  };
  const server = await serving(received, { tls, minimumRate: { bytesPerSecond: 10_000, windowMs: 300 } });
  let slow = false;
  // A network that carries 24 KB in a second of a clock that no busy machine makes late.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  onTestFinished(() => {
    slow = false;
    vi.useRealTimers();
  });
  const network = createServer(async (near) => {
    const far = connect(server.port, "127.0.0.1")
      .setNoDelay()
      .on("error", () => {});
    near.on("error", () => {});
    far.pipe(near);
    for await (const chunk of near) {
      for (let sent = 0; sent < chunk.length; sent += slow ? 480 : chunk.length) {
        far.write(chunk.subarray(sent, slow ? sent + 480 : chunk.length));
        if (slow) await pause(2);
        if (slow) vi.advanceTimersByTime(20);
      }
    }
  }).listen(0, "127.0.0.1");
  await once(network, "listening");
  onTestFinished(() => void network.close());
  const { port } = network.address() as { port: number };
  const socket = connectTls({ port, host: "127.0.0.1", ca: tls.cert });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  slow = true;
  socket.write(`PUT / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: 16384\r\n\r\n`);
  socket.write(Buffer.alloc(16_384));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toContain("16384 bytes");
});

it.runIf(process.platform === "linux")("holds a refused connection until the refusal has arrived", async () => {
  const server = createHttpServer((request, response) => {
    if (request.method === "GET") response.end(Buffer.alloc(1024 * 1024));
    else linger(request, response.writeHead(403, { "content-length": "7" }), Buffer.from("refused"));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connect(port, "127.0.0.1").on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  // Answers that are not read fill the client's buffers, until one waits with the kernel of the server, and is not just on its way.
  const waits = async (): Promise<boolean> => (await reachedBytes(socket)) !== takenBytes(socket);
  while (!((await waits()) && (await waits()))) client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  client.write("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nbegun");
  await pause(1500);
  expect(socket.destroyed).toBe(false);
  let end = "";
  client.on("data", (chunk) => {
    end = (end + chunk.subarray(-7)).slice(-7);
  });
  await once(client, "close");
  expect(end).toBe("refused");
});
