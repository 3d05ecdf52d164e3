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
// Buffers of both directions, the digests' pool and what the collector has not yet taken; the body would be 200.
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

describe("200 bodies of each kind that break off", () => {
  const kinds: Readonly<Record<string, () => string>> = {
    "an upload": () => line("PUT", sign("PUT", "broken.bin"), ""),
    "a refused upload": () => line("PUT", sign("PUT", "broken.bin").replace("broken", "other"), ""),
    "a form": () => line("POST", "/bucket", "Content-Type: multipart/form-data; boundary=edge\r\n"),
  };
  const line = (method: string, url: string, headers: string): string =>
    `${method} ${url.replace(/^http:\/\/[^/]+/, "")} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Content-Length: ${MB}\r\n\r\n`;
  // No boundary, so a form is refused as soon as more than the limit has come, and the rest of it finds nobody.
  const content = Buffer.alloc(256 * 1024, "x");

  async function breakOff(head: string): Promise<void> {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(head);
    socket.write(content, () => socket.resetAndDestroy());
    await once(socket, "close");
  }

  it.each(Object.entries(kinds))("leave nothing in memory: %s", async (_, head) => {
    const round = async (times: number) => {
      for (let i = 0; i < times; i++) await breakOff(head());
      // The last ones are still being noticed: wait until nothing more is let go of.
      let [last, next] = [await memory("collect"), await memory("collect")];
      for (let same = 0; same < 3; same = next.held < last.held - 64 * 1024 ? 0 : same + 1) {
        await setTimeout(100);
        [last, next] = [next, await memory("collect")];
      }
      return next;
    };
    // The heap grows to its working size first.
    const before = await round(200);
    let after = await round(200);
    // What a socket had sent would be 64 KB each: 12 MB and more. A busy machine takes its time to notice who has left.
    for (let i = 0; i < 40 && after.held - before.held >= 2 * MB; i++) {
      await setTimeout(250);
      after = await memory("collect");
    }
    expect(after.held - before.held).toBeLessThan(2 * MB);
    // The process itself may take a step for its heap; a leak takes one with each round.
    const later = await round(200);
    expect(Math.min(after.now - before.now, later.now - after.now)).toBeLessThan(10 * MB);
  });
});

describe("200 MB", () => {
  it("pass in both directions while memory stays flat", async () => {
    // Warm: the first large body pays for buffers and compiled code.
    expect((await put("warm.bin", 8 * MB)).status).toBe(200);
    expect(await length("warm.bin")).toBe(8 * MB);
    const before = await memory();
    expect((await put("large.bin", SIZE)).status).toBe(200);
    expect(await length("large.bin")).toBe(SIZE);
    const after = await memory();
    expect(after.most - before.now).toBeLessThan(ALLOWED_GROWTH);
  });
});

describe("600 downloads that nobody reads", () => {
  it("hold a share of memory, and whoever reads in the end has all of it", async () => {
    const size = 8 * MB;
    expect((await put("unread.bin", size)).status).toBe(200);
    const head = `GET ${sign("GET", "unread.bin").replace(/^http:\/\/[^/]+/, "")} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
    const before = await memory("collect");
    const sockets = Array.from({ length: 600 }, () => {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      socket.pause().write(head);
      return socket;
    });
    // Until no more is taken in.
    let [last, next] = [before, await memory("collect")];
    for (let same = 0; same < 3; same = next.now - last.now > MB ? 0 : same + 1) {
      await setTimeout(300);
      [last, next] = [next, await memory("collect")];
    }
    // Two pieces of 2 MB for each were 2.4 GB. 64 MB are shared, 75 are the least that 600 have, the rest belongs to connections.
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
