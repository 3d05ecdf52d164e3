import { once } from "node:events";
import { createServer, type ServerOptions } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Gateway, type Outcome } from "../../src/index.ts";
import { toNodeHandler } from "../../src/node/index.ts";
import { JoinedResponse } from "../../src/node/joined-response.ts";

/** Answers by the path: bytes of a length, nothing, or a stream. */
const handle: Gateway["handle"] = ({ target, method }) => {
  const [, kind = "", length = ""] = /^\/(\w+)\/?(\d*)/.exec(target) ?? [];
  const bytes = Buffer.alloc(Number(length), "é", "latin1");
  const outcome: Outcome = {
    status: 200,
    headers: ["content-length", length],
    body: undefined,
    close: false,
    delivered() {},
  };
  if (kind === "none") return { ...outcome, status: Number(length), headers: [] };
  if (kind === "last") return { ...outcome, body: { kind: "bytes", bytes }, close: true };
  if (kind === "stream")
    return { ...outcome, body: { kind: "stream", stream: Readable.from([bytes]), length: bytes.length } };
  return method === "HEAD" ? outcome : { ...outcome, body: { kind: "bytes", bytes } };
};

/** A server with these responses. Returns what it answers to the bytes of a connection, which must end it. */
async function serverOf(options: Pick<ServerOptions, "ServerResponse">): Promise<(sent: string) => Promise<string>> {
  const listener = toNodeHandler({ limits: defaultLimits, handle, close: async () => {} });
  const server = createServer(options as ServerOptions, listener)
    .on("checkContinue", listener)
    .listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return async (sent) => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(sent, "latin1");
    return (await text(socket.setEncoding("latin1"))).replace(/^Date: .*$/gm, "Date");
  };
}

const request = (line: string, ...fields: readonly string[]): string =>
  [`${line} HTTP/1.1`, "Host: a", ...fields, "", ""].join("\r\n");
const END = "Connection: close";

it.each<readonly [what: string, sent: string]>([
  ["a small body", request("GET /bytes/5", END)],
  ["an empty body", request("GET /bytes/0", END)],
  ["the longest copied body", request("GET /bytes/16384", END)],
  ["a longer body", request("GET /bytes/16385", END)],
  ["a body in slices", request("GET /bytes/600000", END)],
  ["a stream", request("GET /stream/5", END)],
  ["HEAD", request("HEAD /bytes/5", END)],
  ["OPTIONS", request("OPTIONS /bytes/5", END)],
  ["a status without a body", request("GET /none/204", END)],
  ["an unchanged object", request("GET /none/304", END)],
  ["the last response of a connection", request("GET /last/5")],
  ["pipelined requests", request("GET /bytes/5").repeat(40) + request("GET /bytes/7", END)],
  [
    "pipelined requests of different kinds",
    ["bytes/5", "none/204", "stream/5", "bytes/16385", "bytes/0"].map((path) => request(`GET /${path}`)).join("") +
      request("HEAD /bytes/5", END),
  ],
  ["requests after the last response", request("GET /last/5") + request("GET /bytes/5")],
  ["HTTP/1.0", "GET /bytes/5 HTTP/1.0\r\n\r\n"],
  ["HTTP/1.0 with keep-alive", "GET /bytes/5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /bytes/5 HTTP/1.0\r\n\r\n"],
  ["an upload whose body is unread", `${request("PUT /bytes/5", "Content-Length: 3")}abc`],
  ["an upload that expects to be continued", request("PUT /bytes/5", "Content-Length: 3", "Expect: 100-continue")],
  ["a chunked upload", `${request("PUT /bytes/5", "Transfer-Encoding: chunked", END)}3\r\nabc\r\n0\r\n\r\n`],
  ["a GET with a body", `${request("GET /bytes/5", "Content-Length: 3", END)}abc`],
])("sends the bytes that Node sends: %s", async (_, sent) => {
  const [plain, joined] = [await serverOf({}), await serverOf({ ServerResponse: JoinedResponse })];
  const expected = await plain(sent);
  expect(expected).toMatch(/^HTTP\/1\.1 \d/);
  expect(await joined(sent)).toBe(expected);
});

it("sends head and body in one write, and calls back when they are sent", async () => {
  const writes: string[] = [];
  const server = createServer({ ServerResponse: JoinedResponse }, (_, response) => {
    const socket = response.socket as NonNullable<typeof response.socket>;
    const { _write: write } = socket;
    socket._write = (chunk, encoding, callback) => {
      writes.push("one");
      write.call(socket, chunk, encoding, callback);
    };
    socket._writev = () => void writes.push("several");
    response.once("finish", () => writes.push("finished"));
    response.writeHead(200, { "content-length": 5 });
    response.endText("hello");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect([await response.text(), writes]).toEqual(["hello", ["one", "finished"]]);
});
