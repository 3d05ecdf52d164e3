import { createHash } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { codeOf, routed, type TestUpstream, upstreamOf } from "./site.ts";

/** Sends a raw request, and collects what comes back. */
async function raw(port: number, text: string): Promise<{ readonly socket: Socket; got(): string }> {
  const socket = connect(port, "127.0.0.1");
  let got = "";
  socket.on("data", (chunk: Buffer) => {
    got += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return { socket, got: () => got };
}

const handshake = (target: string, port: number, extra = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${extra}\r\n`;

/** An upstream that changes the protocol, and then echoes. */
async function echo(): Promise<TestUpstream & { readonly open: Set<Duplex> }> {
  const upstream = await upstreamOf();
  const open = new Set<Duplex>();
  upstream.server.on("upgrade", (request, socket, head) => {
    upstream.seen.push({ ...request, rawHeaders: request.rawHeaders, body: "" } as never);
    open.add(socket);
    socket.once("close", () => open.delete(socket)).on("error", () => undefined);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
    );
    socket.write(head);
    socket.pipe(socket);
  });
  return Object.assign(upstream, { open });
}

const pathOf = (url: string): string => url.slice(url.indexOf("/", 8));

describe("an upgrade", () => {
  it("joins both connections, and ends with the grant", async () => {
    const upstream = await echo();
    const gateway = await routed(upstream.url, { upgrade: true });
    const { socket, got } = await raw(gateway.port, `${handshake(pathOf(gateway.sign("/app/ws")), gateway.port)}early`);
    await expect.poll(got).toContain("early");
    expect(got()).toMatch(/^HTTP\/1\.1 101 .*\r\nsec-websocket-accept: x\r\n/is);
    socket.write(" and late");
    await expect.poll(got).toContain("early and late");
    expect(gateway.events).toEqual([]);
    gateway.advance(61);
    await once(socket, "close");
    await expect.poll(() => upstream.open.size).toBe(0);
    await expect.poll(() => gateway.events[0]).toMatchObject({ status: 101, complete: true });
  });

  it("releases the upstream when the client leaves, and the client when the upstream leaves", async () => {
    const upstream = await echo();
    const gateway = await routed(upstream.url, { upgrade: true });
    const first = await raw(gateway.port, handshake(pathOf(gateway.sign("/app/ws")), gateway.port));
    await expect.poll(() => upstream.open.size).toBe(1);
    first.socket.destroy();
    await expect.poll(() => upstream.open.size).toBe(0);
    const second = await raw(gateway.port, handshake(pathOf(gateway.sign("/app/ws")), gateway.port));
    await expect.poll(() => upstream.open.size).toBe(1);
    for (const socket of upstream.open) socket.destroy();
    await once(second.socket, "close");
  });

  it.each<readonly [why: string, upgrade: boolean, from: RegExp, to: string, status: number, seen: readonly unknown[]]>(
    [
      ["without a signature", true, /\?\S+/, "", 403, []],
      ["that the upstream declines", true, /$/, "", 200, ["websocket"]],
      ["on a route without upgrade, as a plain GET", false, /$/, "", 200, [undefined]],
      ["to another protocol, as a plain GET", true, /websocket/, "h2c", 200, [undefined]],
    ],
  )("answers a request %s", async (_, upgrade, from, to, status, seen) => {
    const upstream = await upstreamOf((_request, response) => response.end("plain"));
    const gateway = await routed(upstream.url, { upgrade });
    const text = handshake(pathOf(gateway.sign("/app/ws")), gateway.port).replace(from, to);
    const { socket, got } = await raw(gateway.port, text);
    await expect.poll(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\r\n\r\n.`));
    expect(upstream.seen.map(({ headers }) => headers.upgrade)).toEqual(seen);
    socket.destroy();
  });

  it("reads the body of a request whose offer is ignored, and the request behind it", async () => {
    const upstream = await upstreamOf();
    const gateway = await routed(upstream.url, { upgrade: true, methods: ["GET", "PUT"] });
    const put = handshake(
      pathOf(gateway.sign("/app/a", { methods: ["PUT"] })),
      gateway.port,
      "Content-Length: 5\r\n",
    ).replace("GET", "PUT");
    const next = `GET ${pathOf(gateway.sign("/app/b"))} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`;
    const { socket, got } = await raw(gateway.port, `${put}hello${next}`);
    await expect
      .poll(() => upstream.seen.map(({ method, body }) => [method, body]))
      .toEqual([
        ["PUT", "hello"],
        ["GET", ""],
      ]);
    await expect.poll(() => got().match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    socket.destroy();
  });
});

describe("an event stream", () => {
  it("passes events as they come, and ends with the grant", async () => {
    let stream: ServerResponse | undefined;
    const upstream = await upstreamOf((_, response) => {
      stream = response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    });
    const gateway = await routed(upstream.url);
    const response = await fetch(gateway.sign("/app/events"));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe("data: 1\n\n");
    stream?.write("data: 2\n\n");
    expect(await read()).toBe("data: 2\n\n");
    gateway.advance(61);
    await expect(reader.read()).rejects.toThrow();
    await expect.poll(() => stream?.destroyed).toBe(true);
  });
});

describe("a body", () => {
  it("streams down with backpressure, and releases the upstream when the client leaves", async () => {
    let written = 0;
    let closed = false;
    const upstream = await upstreamOf((_, response) => {
      response.on("close", () => {
        closed = true;
      });
      const more = (): void => {
        while (!response.destroyed && written < 1e9) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) {
            response.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    const gateway = await routed(upstream.url);
    const target = pathOf(gateway.sign("/app/big"));
    const { socket } = await raw(gateway.port, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`);
    socket.pause();
    let before = -1;
    await expect
      .poll(async () => {
        const stalled = written === before && written > 0;
        before = written;
        await sleep(100);
        return stalled;
      })
      .toBe(true);
    expect(written).toBeLessThan(100e6);
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
  });

  it("releases an upstream that has not answered when the client leaves", async () => {
    let closed = false;
    const upstream = await upstreamOf((_, response) => {
      response.on("close", () => {
        closed = true;
      });
    });
    const gateway = await routed(upstream.url);
    const target = pathOf(gateway.sign("/app/slow"));
    const { socket } = await raw(gateway.port, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`);
    await expect.poll(() => upstream.seen).toHaveLength(1);
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
  });

  it("cuts a response that the upstream breaks off", async () => {
    const upstream = await upstreamOf((_, response) => {
      response.writeHead(200, { "content-length": "100000" });
      response.write(Buffer.alloc(50_000), () => response.destroy());
    });
    const gateway = await routed(upstream.url);
    await expect(fetch(gateway.sign("/app/a")).then((response) => response.arrayBuffer())).rejects.toThrow();
    await expect.poll(() => gateway.events.at(-1)).toMatchObject({ complete: false });
  });

  const put = { methods: ["PUT"] };
  const digest = createHash("sha256").update("granted").digest("hex");
  it.each<readonly [why: string, request: object, body: string, answer: readonly [number, string] | 200]>([
    ["of the granted length and digest", { bind: { contentLength: 7, sha256: digest } }, "granted", 200],
    ["of another length", { bind: { contentLength: 6 } }, "granted", [400, "BODY_LENGTH"]],
    ["of another digest", { bind: { sha256: digest } }, "another", [400, "BODY_DIGEST"]],
  ])("forwards an upload %s, or the upstream never sees its end", async (_, request, body, answer) => {
    let complete = false;
    const upstream = await upstreamOf((incoming, response) => {
      incoming.on("end", () => {
        complete = incoming.complete;
        response.end();
      });
    });
    const gateway = await routed(upstream.url, { methods: ["PUT"] });
    const url = gateway.sign("/app/a", { ...put, ...request });
    for (const chunked of [false, true]) {
      const content = chunked ? new Blob([body]).stream() : body;
      const response = await fetch(url, { method: "PUT", body: content, duplex: "half" } as RequestInit);
      if (answer === 200) expect([response.status, complete, upstream.seen.at(-1)?.body]).toEqual([200, true, body]);
      else expect([await codeOf(response), complete]).toEqual([answer, false]);
    }
  });
});
