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

it("an answer that no socket can carry is a 500, is reported, and ends only itself", async () => {
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
  // What is pipelined behind it is not looked at any more.
  expect(reply.headers.get("connection")).toBe("close");
  expect(reports).toEqual([[0, false, { error: expect.objectContaining({ code: "ERR_INVALID_CHAR" }), status: 500 }]]);
  expect([(await fetch(url)).status, stream.destroyed]).toEqual([500, true]);
  expect(await (await fetch(url)).text()).toBe("body");
});

it("a gateway that rejects after all loses one connection and not the process", async () => {
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
])("a body of %s bytes than were announced ends the connection, and is reported", async (_, pieces) => {
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
  // What is pipelined behind it would take the rest for its answer.
  expect((text.split("\r\n\r\n")[1] ?? "").length).toBeLessThan(4);
  const error = new Error(`expected 4 bytes from the storage, found ${pieces.slice(0, 2).join("").length}`);
  expect(reports).toEqual([[expect.any(Number), false, { error, status: 200 }]]);
});

it("a client that leaves in the middle of a body is no fault of what it comes from", async () => {
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

it.each(["ends", "waits for the next request"])("nothing is kept of an answer whose connection %s", async (what) => {
  const close = what === "ends" ? ["connection", "close"] : [];
  const url = await serve((_request, _body, signal) => {
    // The answer waits for something.
    if (typeof signal === "function") signal();
    return {
      ...outcome(["content-length", "4", ...close]),
      body: { kind: "stream", stream: Readable.from([Buffer.from("body")]), length: 4 },
    };
  });
  const answers: WeakRef<ServerResponse>[] = [];
  Object.assign(server ?? {}, { keepAliveTimeout: 60_000 });
  server?.prependListener("request", (_, response) => void answers.push(new WeakRef(response)));
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  for (let i = 0; i < 3; i++) {
    const [answer] = (await once(get(url, { agent }), "response")) as [IncomingMessage];
    expect(await text(answer)).toBe("body");
  }
  const kept = () => {
    collectGarbage();
    return answers.map((answer) => answer.deref() !== undefined);
  };
  await expect.poll(kept).toEqual([false, false, false]);
});

it("a body that cannot even be given up is reported like any other", async () => {
  const reports: unknown[][] = [];
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const close = (): void => {
    throw new Error("a fault of the driver");
  };
  const url = await serve(async () => {
    await left;
    const body = { kind: "file", fd: -1, start: 0, length: 4, close } as const;
    return { ...outcome(["content-length", "4"], (...report) => reports.push(report)), body };
  });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  server?.on("connection", (connection) => connection.once("close", leave));
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n", () => socket.destroy());
  await expect.poll(() => reports).toEqual([[0, false]]);
});
