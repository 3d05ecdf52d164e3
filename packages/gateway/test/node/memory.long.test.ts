import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../../tools/free-port.ts";
import { bundledFixture } from "../storage/bundled-fixture.ts";
import { removeRoot, tempRoot } from "../storage/temp-root.ts";

const MB = 1024 * 1024;
const SIZE = 200 * MB;
// Buffers of both directions, the digests' pool and uncollected garbage; the body would be 200 MB.
const ALLOWED_GROWTH = 80 * MB;

let root: string;
let port: number;
let server: ChildProcess;

beforeAll(async () => {
  root = tempRoot();
  port = await freePort();
  server = fork(await bundledFixture("../../node/fixtures/server.ts"), [root, String(port)], {
    execArgv: ["--expose-gc"],
  });
  await once(server, "message");
});
afterAll(async () => {
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
  removeRoot(root);
});

async function memory(what: "memory" | "collect" = "memory"): Promise<{ now: number; most: number; held: number }> {
  server.send(what);
  return (await once(server, "message"))[0];
}

const sign = (method: "GET" | "PUT", key: string) =>
  s3Signer({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    addressing: "path",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  }).sign({ method, bucket: "bucket", key, expiresIn: 60 }).url;

function body(size: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(MB);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk);
      sent += MB;
      if (sent === size) controller.close();
    },
  });
}

const put = (key: string, size: number) =>
  fetch(sign("PUT", key), {
    method: "PUT",
    body: body(size),
    duplex: "half",
    headers: { "content-length": String(size) },
  } as RequestInit);

async function length(key: string): Promise<number> {
  const reply = await fetch(sign("GET", key));
  let bytes = 0;
  for await (const chunk of reply.body ?? []) bytes += (chunk as Uint8Array).length;
  return bytes;
}

describe("broken uploads", () => {
  const kinds: Readonly<Record<string, () => string>> = {
    "an upload": () => line("PUT", sign("PUT", "broken.bin"), ""),
    "a refused upload": () => line("PUT", sign("PUT", "broken.bin").replace("broken", "other"), ""),
    "a form": () => line("POST", "/bucket", "Content-Type: multipart/form-data; boundary=edge\r\n"),
  };
  const line = (method: string, url: string, headers: string): string =>
    `${method} ${url.replace(/^http:\/\/[^/]+/, "")} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Content-Length: ${MB}\r\n\r\n`;
  // Without a boundary, a form is refused at its limit, and the rest is not read.
  const content = Buffer.alloc(256 * 1024, "x");

  async function breakOff(head: string): Promise<void> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(head);
    socket.write(content, () => socket.resetAndDestroy());
    await once(socket, "close");
  }

  it.each(Object.entries(kinds))("leave nothing in memory after 200 of %s", async (_, head) => {
    const round = async (times: number) => {
      for (let i = 0; i < times; i++) await breakOff(head());
      // Wait until no more memory is released.
      let [last, next] = [await memory("collect"), await memory("collect")];
      for (let same = 0; same < 3; same = next.held < last.held - 64 * 1024 ? 0 : same + 1) {
        await setTimeout(100);
        [last, next] = [next, await memory("collect")];
      }
      return next;
    };
    // The first round grows the heap to its working size.
    const before = await round(200);
    let after = await round(200);
    // A leak of 64 KB each would be 12 MB. A busy machine notices disconnected clients late.
    for (let i = 0; i < 40 && after.held - before.held >= 2 * MB; i++) {
      await setTimeout(250);
      after = await memory("collect");
    }
    expect(after.held - before.held).toBeLessThan(2 * MB);
    // The heap may grow once; a leak grows with each round.
    const later = await round(200);
    expect(Math.min(after.now - before.now, later.now - after.now)).toBeLessThan(10 * MB);
  });
});

describe("an object of 200 MB", () => {
  it("passes in both directions with constant memory", async () => {
    // The first large body allocates buffers.
    expect((await put("warm.bin", 8 * MB)).status).toBe(200);
    expect(await length("warm.bin")).toBe(8 * MB);
    const before = await memory();
    expect((await put("large.bin", SIZE)).status).toBe(200);
    expect(await length("large.bin")).toBe(SIZE);
    const after = await memory();
    expect(after.most - before.now).toBeLessThan(ALLOWED_GROWTH);
  });
});

describe("600 stalled downloads", () => {
  it("share memory, and a client that reads at last receives the whole object", async () => {
    const size = 8 * MB;
    expect((await put("unread.bin", size)).status).toBe(200);
    const head = `GET ${sign("GET", "unread.bin").replace(/^http:\/\/[^/]+/, "")} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
    const before = await memory("collect");
    const sockets = Array.from({ length: 600 }, () => {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      socket.pause().write(head);
      return socket;
    });
    // Until memory stops growing.
    let [last, next] = [before, await memory("collect")];
    for (let same = 0; same < 3; same = next.now - last.now > MB ? 0 : same + 1) {
      await setTimeout(300);
      [last, next] = [next, await memory("collect")];
    }
    // 64 MB for large pieces, 75 MB for two pieces of 64 KB each, and the connections. Two pieces of 2 MB each were 2.4 GB.
    expect(next.now - before.now).toBeLessThan(300 * MB);
    const reader = sockets[0] as Socket;
    let bytes = 0;
    reader.on("data", (chunk) => {
      bytes += chunk.length;
    });
    await once(reader.resume(), "close");
    expect(bytes).toBeGreaterThan(size);
    for (const socket of sockets) socket.destroy();
  }, 30_000);
});
