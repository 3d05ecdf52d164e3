import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { unsentBytes } from "../../src/node/unsent.ts";

it("tells how much of one write is still to go, which ends only with its last byte", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  const [socket] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    socket.destroy();
    client.destroy();
    server.close();
  });
  const size = 64 * 1024 * 1024;
  let written = false;
  socket.write(Buffer.alloc(size), () => {
    written = true;
  });
  const first = unsentBytes(socket);
  expect(first).toBeGreaterThan(size / 2);
  let taken = 0;
  client.on("data", (chunk) => {
    taken += chunk.length;
    if (taken > size / 2) client.pause();
  });
  client.resume();
  await expect.poll(() => unsentBytes(socket)).toBeLessThan(first - size / 4);
  expect([written, socket.writableLength]).toEqual([false, size]);
  client.removeAllListeners("data").resume();
  await expect.poll(() => unsentBytes(socket)).toBe(0);
  expect(unsentBytes(null)).toBe(0);
});
