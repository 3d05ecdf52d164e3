import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { defaultLimits, type Outcome } from "../../src/index.ts";
import { listen } from "../../src/node/index.ts";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, rawConnection, readAll, s3For, until } from "../e2e/clients.ts";
import { tls } from "./fixtures/tls.ts";

/** A server that answers nothing before it is told to, and a client of it. */
async function gated(options: { readonly secure?: boolean; readonly headersMs?: number } = {}) {
  const { secure = false, headersMs = 10_000 } = options;
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let begun = 0;
  const body = Buffer.from("body");
  const outcome: Outcome = {
    status: 200,
    headers: ["content-length", "4"],
    body: { kind: "bytes", bytes: body },
    close: false,
    delivered() {},
  };
  const handle = async (): Promise<Outcome> => {
    begun += 1;
    await opened;
    return { ...outcome, headers: [...outcome.headers] };
  };
  const gateway = { limits: defaultLimits, handle, close: async () => {} };
  const server = await listen(gateway, { timeouts: { headersMs }, ...(secure ? { tls } : {}) });
  onTestFinished(() => server.drain(0));
  const socket = secure
    ? connectTls({ port: server.port, host: "127.0.0.1", ca: tls.cert })
    : connect(server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(
    socket.on("error", () => {}),
    secure ? "secureConnect" : "connect",
  );
  let answers = 0;
  socket.setEncoding("latin1").on("data", (text: string) => {
    answers += text.split("body").length - 1;
  });
  return { socket, open, begun: () => begun, answers: () => answers };
}

/** Waits until a number stands still. */
async function settled(look: () => number): Promise<number> {
  for (let last = Number.NaN; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (look() === last) return last;
    last = look();
  }
}

it.each([false, true])(
  "reads no more than may wait, and all of it in the end (TLS: %s)",
  async (secure) => {
    const { socket, open, begun, answers } = await gated({ secure });
    const count = 20_000;
    const request = `GET /${"a".repeat(1000)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const bytes = count * request.length;
    for (let i = 0; i < 100; i++) socket.write(request.repeat(count / 100));
    await expect.poll(begun).toBe(1);
    // What the two kernels hold besides is a few MB.
    const left = await settled(() => socket.writableLength);
    expect(bytes - left).toBeLessThan(bytes * 0.6);
    expect(begun()).toBe(1);
    open();
    await expect.poll(answers, { timeout: 20_000 }).toBe(count);
  },
  30_000,
);

it("takes nobody's time for a head while those before it are not answered", async () => {
  const request = `GET /${"a".repeat(1000)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const asked = async () => {
    const client = await gated({ headersMs: 200 });
    // Of more than one read the last head is cut in two.
    client.socket.write(request.repeat(200));
    await until(() => client.begun() > 0 || client.socket.destroyed);
    return client;
  };
  let client = await asked();
  // Again where the processor was away until the time of the first head was over.
  while (client.begun() === 0) client = await asked();
  const { open, answers } = client;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  open();
  await expect.poll(answers).toBe(200);
});

it("answers everything that comes with a body as well, in its order", async () => {
  await using gateway = await testGateway({ files: { "media/hello.txt": "hello" } });
  const lines = (method: string, url: string, ...fields: string[]): Buffer =>
    Buffer.from(
      [
        `${method} ${url.slice(gateway.url.length)} HTTP/1.1`,
        `Host: 127.0.0.1:${gateway.port}`,
        ...fields,
        "",
        "",
      ].join("\r\n"),
    );
  const message = (method: "GET" | "PUT", key: string, ...fields: string[]): Buffer =>
    lines(method, s3For(gateway).sign({ method, bucket: "media", key, expiresIn: 60 }).url, ...fields);
  const content = Buffer.alloc(200 * 1024, "content ");
  const length = `Content-Length: ${content.length}`;
  const chunk = [Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from("\r\n0\r\n\r\n")];
  const rounds = 40;
  const sent = Array.from({ length: rounds }, (_, i) => [
    message("PUT", `whole-${i}`, length),
    content,
    message("GET", "hello.txt"),
    // S3 wants a length.
    lines("PUT", daypassUrl(gateway, `/media/chunked-${i}`, { methods: ["PUT"] }), "Transfer-Encoding: chunked"),
    ...chunk,
    message("PUT", `expected-${i}`, length, "Expect: 100-continue"),
    content,
  ]);
  const socket = await rawConnection(gateway);
  const answer = readAll(socket);
  // 24 MB in pieces that end anywhere.
  const bytes = Buffer.concat([...sent.flat(), message("GET", "hello.txt", "Connection: close")]);
  for (let at = 0; at < bytes.length; at += 333_333) await write(socket, bytes.subarray(at, at + 333_333));
  const statuses = (await answer).match(/HTTP\/1\.1 \d+/g) ?? [];
  const expected = ["200", "200", "200", "100", "200"].map((status) => `HTTP/1.1 ${status}`);
  expect(statuses).toEqual([...Array.from({ length: rounds }, () => expected).flat(), "HTTP/1.1 200"]);
  for (const kind of ["whole", "chunked", "expected"]) {
    const last = readFileSync(join(gateway.root, `media/${kind}-${rounds - 1}`));
    expect(last.equals(content)).toBe(true);
  }
});

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.write(bytes)) await once(socket, "drain");
}
