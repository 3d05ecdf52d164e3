import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Gateway, type Outcome } from "../../src/index.ts";
import { toNodeHandler } from "../../src/node/index.ts";
import { collectGarbage } from "../collect-garbage.ts";

let server: Server | undefined;
afterEach(() => server?.close());

async function serve(handle: Gateway["handle"]): Promise<string> {
  const handler = toNodeHandler({ limits: defaultLimits, handle, close: async () => {} });
  server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function outcome(headers: string[], delivered: Outcome["delivered"] = () => {}): Outcome {
  return { status: 200, headers, body: { kind: "bytes", bytes: Buffer.from("body") }, close: false, delivered };
}

it("answers 500, reports the error and closes the connection when a header is invalid", async () => {
  const reports: unknown[][] = [];
  const stream = Readable.from(["body"]);
  let [count, closed] = [0, 0];
  const close = (): void => {
    closed += 1;
  };
  const url = await serve(() => {
    count += 1;
    if (count > 2) return outcome(["content-length", "4"]);
    const file = { kind: "file", fd: -1, start: 0, length: 4, close } as const;
    const body = count === 1 ? file : ({ kind: "stream", stream, length: 4 } as const);
    return { ...outcome(["x-bad", "a\r\nset-cookie: b"], (...report) => reports.push(report)), body };
  });
  const reply = await fetch(url);
  expect([reply.status, reply.headers.get("set-cookie"), closed]).toEqual([500, null, 1]);
  // Requests that are pipelined behind it are ignored.
  expect(reply.headers.get("connection")).toBe("close");
  expect(reports).toEqual([[0, false, { error: expect.objectContaining({ code: "ERR_INVALID_CHAR" }), status: 500 }]]);
  expect([(await fetch(url)).status, stream.destroyed]).toEqual([500, true]);
  expect(await (await fetch(url)).text()).toBe("body");
});

it.each([
  ["small", 256],
  ["long", 65_536],
])("sends any bytes of a %s body unchanged, and reports their number", async (_, length) => {
  const reports: unknown[][] = [];
  // A view of a larger buffer.
  const bytes = Buffer.from(Array.from({ length: length + 1 }, (_, i) => i % 256)).subarray(1);
  const url = await serve(() => ({
    ...outcome(["content-length", String(length)], (...report) => reports.push(report)),
    body: { kind: "bytes", bytes },
  }));
  expect(bytes.equals(Buffer.from(await (await fetch(url)).arrayBuffer()))).toBe(true);
  expect(reports).toEqual([[length, true]]);
});

it("loses one connection when a gateway rejects", async () => {
  let count = 0;
  const url = await serve(async () => {
    count += 1;
    if (count === 1) throw new Error("this must not happen");
    return outcome(["content-length", "4"]);
  });
  await expect(fetch(url)).rejects.toThrow();
  expect(await (await fetch(url)).text()).toBe("body");
});

it.each([
  ["fewer", ["ab"]],
  ["one byte fewer", ["abc"]],
  ["more", ["abc", "def", "ghi"]],
  ["one byte more", ["abc", "de"]],
])("closes the connection and reports the error when a body has %s bytes than announced", async (_, pieces) => {
  const reports: unknown[][] = [];
  const url = await serve(() => ({
    ...outcome(["content-length", "4"], (...report) => reports.push(report)),
    body: { kind: "stream", stream: Readable.from(pieces.map((piece) => Buffer.from(piece))), length: 4 },
  }));
  const { port, host } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1").setEncoding("latin1");
  let text = "";
  socket.on("data", (piece) => {
    text += piece;
  });
  socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  await once(socket, "close");
  // A pipelined request would receive the rest as its response.
  expect((text.split("\r\n\r\n")[1] ?? "").length).toBeLessThan(4);
  const error = new Error(
    `the storage announced 4 bytes and sent ${pieces.slice(0, 2).join("").length}. Check the storage`,
  );
  expect(reports).toEqual([[expect.any(Number), false, { error, status: 200 }]]);
});

it("reports no error when the client disconnects during a body", async () => {
  const reports: unknown[][] = [];
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536));
    },
  });
  const url = await serve(() => ({
    ...outcome([], (...report) => reports.push(report)),
    body: { kind: "stream", stream: endless, length: undefined },
  }));
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  socket.once("data", () => socket.destroy());
  await expect.poll(() => reports).toEqual([[expect.any(Number), false, undefined]]);
  expect(endless.destroyed).toBe(true);
});

it.each([
  ["an answer", "ends", 4],
  ["an answer", "waits for the next request", 4],
  ["a long answer made in memory", "ends", 65_536],
  ["a long answer made in memory", "waits for the next request", 65_536],
])("keeps nothing in memory of %s whose connection %s", async (_, what, length) => {
  const close = what === "ends" ? ["connection", "close"] : [];
  const bytes = Buffer.alloc(length, "b");
  const url = await serve((_request, _body, signal) => {
    // As for a response that waits for the storage.
    if (typeof signal === "function") signal();
    return {
      ...outcome(["content-length", String(length), ...close]),
      body: length === 4 ? { kind: "stream", stream: Readable.from([bytes]), length } : { kind: "bytes", bytes },
    };
  });
  const answers: WeakRef<ServerResponse>[] = [];
  Object.assign(server ?? {}, { keepAliveTimeout: 60_000 });
  server?.prependListener("request", (_, response) => void answers.push(new WeakRef(response)));
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  for (let i = 0; i < 3; i++) {
    const [answer] = (await once(get(url, { agent }), "response")) as [IncomingMessage];
    expect(await text(answer)).toHaveLength(length);
  }
  const kept = () => {
    collectGarbage();
    return answers.map((answer) => answer.deref() !== undefined);
  };
  await expect.poll(kept).toEqual([false, false, false]);
});

/** Responds after the client has disconnected. */
async function reportsToNobody(body: Outcome["body"]): Promise<unknown[][]> {
  const reports: unknown[][] = [];
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const url = await serve(async () => {
    await left;
    return { ...outcome(["content-length", "4"], (...report) => reports.push(report)), body };
  });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  server?.on("connection", (connection) => connection.once("close", leave));
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n", () => socket.destroy());
  await expect.poll(() => reports).toHaveLength(1);
  return reports;
}

it("closes a file when the client has disconnected before the response", async () => {
  let closed = 0;
  const close = (): void => {
    closed += 1;
  };
  expect(await reportsToNobody({ kind: "file", fd: -1, start: 0, length: 4, close })).toEqual([[0, false]]);
  expect(closed).toBe(1);
});

it("destroys a stream when the client has disconnected before the response", async () => {
  const stream = Readable.from(["body"]);
  expect(await reportsToNobody({ kind: "stream", stream, length: 4 })).toEqual([[0, false]]);
  expect(stream.destroyed).toBe(true);
});

it("reports the delivery when releasing the body fails", async () => {
  const close = (): void => {
    throw new Error("a fault of the driver");
  };
  expect(await reportsToNobody({ kind: "file", fd: -1, start: 0, length: 4, close })).toEqual([[0, false]]);
});

it("closes only its own connection when a response can be neither sent nor released", async () => {
  const reports: unknown[][] = [];
  const close = (): void => {
    throw new Error("a fault of the driver");
  };
  let count = 0;
  let meet = (): void => {};
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const url = await serve(async () => {
    count += 1;
    const isFirst = count === 1;
    if (count === 2) meet();
    await met;
    if (!isFirst) return outcome(["content-length", "4"]);
    const body = { kind: "file", fd: -1, start: 0, length: 4, close } as const;
    return { ...outcome(["x-bad", "a\r\nb"], (...report) => reports.push(report)), body };
  });
  const replies = await Promise.allSettled([fetch(url), fetch(url)]);
  expect(replies.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(reports).toEqual([[0, false]]);
});
