import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { requestListener } from "../../src/node/handler.ts";
import { heldAnswers } from "../../src/node/held-answers.ts";
import { testGateway } from "../../src/testing/index.ts";
import { s3For } from "../e2e/clients.ts";

// More than what the kernel takes for a client that does not read.
const LONG = Buffer.alloc(16 * 1024 * 1024, "x");

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Asks, and reads only what `read` takes. */
async function ask(port: number, target = "/"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" }).pause();
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`);
  return socket;
}

async function read(socket: Socket): Promise<number> {
  let size = 0;
  for await (const chunk of socket) size += (chunk as Buffer).length;
  return size;
}

it("cuts those who have waited longest, and nobody who reads", async () => {
  const held = heldAnswers(3 * LONG.length);
  let count = 0;
  const port = await listening(
    createServer((_request, response) => {
      response.end(LONG);
      held.hold(response, LONG.length);
      count += 1;
    }),
  );
  const slow: Socket[] = [];
  // Behind the first three each takes the place of one, who has waited longest, and of no more.
  for (let i = 0; i < 8; i++) {
    slow.push(await ask(port));
    await expect.poll(() => count).toBe(i + 1);
  }
  const sizes = await Promise.allSettled(slow.map(read));
  const whole = sizes.map((size) => size.status === "fulfilled" && size.value > LONG.length);
  expect(whole).toEqual([false, false, false, false, false, true, true, true]);
  for (let i = 0; i < 6; i++) expect(await read(await ask(port))).toBeGreaterThan(LONG.length);
});

it.each([
  ["while they were answered", false],
  ["before that, so that nothing is written", true],
])("counts nothing for those who have left %s", async (_, isGone) => {
  const held = heldAnswers(3 * LONG.length);
  let [count, left] = [0, 0];
  const port = await listening(
    createServer((request, response) => {
      if (isGone && count > 0 && count < 4) request.socket.destroy();
      response.end(LONG);
      held.hold(response, LONG.length);
      count += 1;
      response.once("close", () => {
        left += 1;
      });
    }),
  );
  const slow: Socket[] = [];
  const wait = async (): Promise<void> => {
    const before = count;
    slow.push(await ask(port));
    await expect.poll(() => count).toBe(before + 1);
  };
  // Those who have waited longest would go for those behind them.
  await wait();
  for (let i = 1; i <= 3; i++) {
    const socket = await ask(port);
    await expect.poll(() => count).toBe(1 + i);
    socket.resetAndDestroy();
    await expect.poll(() => left).toBe(i);
  }
  await wait();
  await wait();
  for (const socket of slow) expect(await read(socket)).toBeGreaterThan(LONG.length);
});

it("counts the answers of a gateway that are made in memory, refusals among them, and no file", async () => {
  await using gateway = await testGateway({ files: { "media/a.bin": "x".repeat(100_000) } });
  const listener = (heldBytes: number) =>
    listening(createServer(requestListener(gateway.gateway, { ownsRequests: true, heldBytes })));
  const [narrow, wide] = [await listener(20_000), await listener(200_000)];
  const { url } = s3For(gateway).sign({ bucket: "media", key: "a.bin", expiresIn: 60 });
  const target = url.slice(gateway.url.length);
  // All that a wrong signature covers is told, as S3 does.
  const wrong = `${target}&a=${"%26".repeat(2000)}`;
  // What the kernel takes at once comes whole all the same; the connection tells.
  const answersOf = async (port: number, asked: string): Promise<number> => {
    const socket = connect({ port, host: "127.0.0.1" }).setEncoding("latin1");
    let text = "";
    socket
      .on("error", () => {})
      .on("data", (chunk: string) => {
        text += chunk;
      });
    const closed = once(socket, "close");
    const head = `GET ${asked} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n`;
    socket.write(`${head}\r\n${head}connection: close\r\n\r\n`);
    await closed;
    return text.split("HTTP/1.1 ").length - 1;
  };
  expect(await answersOf(wide, wrong)).toBe(2);
  expect(await answersOf(narrow, wrong)).toBeLessThan(2);
  expect(await answersOf(narrow, target)).toBe(2);
});
