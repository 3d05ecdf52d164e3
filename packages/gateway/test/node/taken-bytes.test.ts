import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { reachedBytes, takenBytes } from "../../src/node/taken-bytes.ts";
import { tls } from "./fixtures/tls.ts";

/** Both ends of a connection, of which the client reads nothing yet. */
async function connected(secure: boolean): Promise<{ readonly client: Socket; readonly socket: Socket }> {
  const server = (secure ? createTlsServer(tls) : createServer()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const to = { port: (server.address() as AddressInfo).port, host: "127.0.0.1" };
  const client = (secure ? connectTls({ ...to, ca: tls.cert }) : connect(to)).pause();
  const [socket] = (await once(server, secure ? "secureConnection" : "connection")) as [Socket];
  onTestFinished(() => {
    socket.destroy();
    client.destroy();
    server.close();
  });
  return { client, socket };
}

it.each([
  ["TCP", false],
  ["TLS", true],
])("tells by %s how much was taken of one write, which ends only with its last byte", async (_, secure) => {
  const { client, socket } = await connected(secure);
  const before = takenBytes(socket) ?? Number.NaN;
  const size = 32 * 1024 * 1024;
  let written = false;
  socket.write(Buffer.alloc(size), () => {
    written = true;
  });
  const taken = (): number => Number(takenBytes(socket)) - before;
  expect(taken()).toBeLessThan(size / 2);
  // What the client's kernel has has reached it; the rest waits with our own.
  const reached = await reachedBytes(socket);
  if (process.platform === "linux") expect(reached).toBeGreaterThan(0);
  if (process.platform === "linux") expect(reached).toBeLessThan(before + taken());
  let read = 0;
  client.on("data", (chunk) => {
    read += chunk.length;
    if (read > size / 2) client.pause();
  });
  client.resume();
  await expect.poll(taken).toBeGreaterThan(size / 2);
  expect([written, socket.writableLength]).toEqual([false, size]);
  client.removeAllListeners("data").resume();
  await expect.poll(() => written).toBe(true);
  expect(taken()).toBeGreaterThanOrEqual(size);
  if (process.platform === "linux") await expect.poll(() => reachedBytes(socket)).toBe(takenBytes(socket));
  socket.destroy();
  expect([takenBytes(socket), await reachedBytes(socket)]).toEqual([undefined, undefined]);
});
