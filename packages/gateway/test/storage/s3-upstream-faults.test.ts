/** An upstream that refuses, is slow, or says something else than S3 does. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { s3Signer } from "daypass/s3";
import { expect, it, onTestFinished, vi } from "vitest";
import { s3 } from "../../src/storage/s3/index.ts";
import { codeOf, contents, readBody } from "../../src/testing/contract-tools.ts";
import { tls } from "../node/fixtures/tls.ts";
import { servedSockets } from "../node/served-sockets.ts";
import { errorOf, over, upstreamGateway } from "./gateway-upstream.ts";
import { front, scripted } from "./scripted-upstream.ts";

const MB = 1024 * 1024;

it("names the upstream's code to the operator, follows no redirect and shows no secret", async () => {
  for (const [status, code] of [
    [403, "SignatureDoesNotMatch"],
    [403, "AccessDenied"],
    [301, "PermanentRedirect"],
    [403, "RequestTimeTooSkewed"],
    [307, "TemporaryRedirect"],
    [500, "InternalError"],
    [503, "SlowDown"],
  ] as const) {
    let calls = 0;
    const options = await scripted((request, response) => {
      calls += 1;
      response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" });
      response.end(
        `<Error><Code>${code}</Code><StringToSign>${request.url?.replaceAll("&", "&amp;")}</StringToSign></Error>`,
      );
    });
    const storage = s3(options);
    onTestFinished(() => storage.close());
    const error = await errorOf(storage.get({ bucket: "bucket", key: "a-private-key" }));
    expect([error.code, error.message.includes(`${status} ${code}`), calls]).toEqual(["UNAVAILABLE", true, 1]);
    expect(error.message).not.toMatch(/Signature=|AKID|secret|private/);
  }
});

it.each([
  [301, "PermanentRedirect", "correct its region or endpoint"],
  [403, "InvalidAccessKeyId", "check what its credentials may do"],
  [403, "RequestTimeTooSkewed", "compare the clocks of both"],
])("says what to do about %i %s", async (status, code, advice) => {
  const options = await scripted((_, response) => {
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const { message } = await errorOf(storage.get({ bucket: "bucket", key: "a" }));
  expect(message.endsWith(`the upstream answered ${status} ${code}: ${advice}`)).toBe(true);
});

it("logs the upstream's reason, and answers 503", async () => {
  const options = await scripted((_, response) => {
    response.writeHead(403).end("<Error><Code>InvalidAccessKeyId</Code></Error>");
  });
  const gateway = await front(options);
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a", expiresIn: 60 });
  const answer = await fetch(url);
  expect(answer.status).toBe(503);
  expect(await answer.text()).not.toMatch(/InvalidAccessKeyId|upstream/);
  await expect
    .poll(() => gateway.events.map(({ error }) => String(error)))
    .toEqual([
      "StorageError: could not open the object: the upstream answered 403 InvalidAccessKeyId: check what its credentials may do",
    ]);
});

it("takes what is no S3 for an upstream that does not work", async () => {
  for (const body of ["<html>", "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>", "", "<Error/>", "<Other/>"]) {
    const storage = s3(await scripted((_, response) => response.end(body)));
    onTestFinished(() => storage.close());
    expect(await codeOf(storage.list("bucket", { prefix: "", limit: 1 }))).toBe("UNAVAILABLE");
    expect(await codeOf(storage.head({ bucket: "bucket", key: "a" }))).toBe("UNAVAILABLE");
  }
});

it("treats an error inside a 200 as a failure, as S3 sends it for copies and completions", async () => {
  const options = await scripted((request, response) => {
    request.resume();
    if (request.method === "HEAD") response.writeHead(200, { etag: '"e"', "content-length": "1" }).end();
    else response.end('\n  <?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>');
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const copy = storage.copy({ bucket: "bucket", key: "a" }, { bucket: "bucket", key: "b" }, { sourceEtag: "e" });
  expect((await errorOf(copy)).message).toContain("InternalError");
});

it("gives up an upstream that does not answer, stops in the middle or is not there", async () => {
  const silent = await scripted(() => {});
  const halting = await scripted((_, response) => {
    response.writeHead(200, { "content-length": "1000000", etag: '"e"' });
    response.write("a beginning");
  });
  const ref = { bucket: "bucket", key: "a" };
  const first = s3({ ...silent, timeouts: { answerMs: 200 } });
  // Only what it does not do is short: a busy machine may take longer for the rest.
  const second = s3({ ...halting, timeouts: { idleMs: 100 } });
  const third = s3({ ...silent, endpoint: "http://127.0.0.1:1" });
  for (const storage of [first, second, third]) onTestFinished(() => storage.close());
  expect((await errorOf(first.get(ref))).message).toContain("ETIMEDOUT");
  expect((await errorOf(third.get(ref))).message).toContain("ECONNREFUSED");
  const body = (await second.get(ref))?.body();
  await expect(readBody(body)).rejects.toThrow();
});

it("is said to be silent to clients, and to the operator, where their connections could be called idle before", async () => {
  let idle = (): unknown => undefined;
  const options = await scripted((request) => void request.resume().once("end", () => idle()));
  const gateway = await front({ ...options, timeouts: { answerMs: 200 } });
  idle = servedSockets(gateway.port);
  const signer = s3Signer(gateway.clients.daypass);
  for (const [method, body] of [["GET"], ["HEAD"], ["PUT", "small"], ["PUT", "a".repeat(MB)], ["DELETE"]] as const) {
    const { url } = signer.sign({ method, bucket: "bucket", key: "a", expiresIn: 60 });
    expect((await fetch(url, { method, ...(body === undefined ? {} : { body }) })).status).toBe(503);
  }
  await expect.poll(() => gateway.events.length).toBe(5);
  for (const { error } of gateway.events) expect(String(error)).toContain("does not answer (ETIMEDOUT)");
});

it("blames the upstream if a part of a described object does not arrive", async () => {
  let idle = (): unknown => undefined;
  const options = await scripted((request, response) => {
    if (request.method === "HEAD") return void response.writeHead(200, { etag: '"e"', "content-length": "10" }).end();
    idle();
    response.destroy();
  });
  const gateway = await front(options);
  idle = servedSockets(gateway.port);
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", key: "a", expiresIn: 60 });
  await expect(fetch(url, { headers: { range: "bytes=1-2" } })).rejects.toThrow();
  await expect.poll(() => gateway.events.length).toBe(1);
  expect(String(gateway.events[0]?.error)).toContain("could not read the object: the upstream does not answer");
});

it("leaves the reader of an answer that is here as a whole all the time it takes", async () => {
  // On a busy machine it could be called idle before it is here.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let end = (): void => {};
  const upstream = await scripted((_, response) => {
    response.writeHead(200, { "content-length": "1000", etag: '"e"' }).flushHeaders();
    end = () => void response.end(Buffer.alloc(1000));
  });
  const storage = s3({ ...upstream, timeouts: { idleMs: 50 } });
  onTestFinished(() => storage.close());
  const body = (await storage.get({ bucket: "bucket", key: "a" }))?.body();
  if (body?.kind !== "stream") throw new Error("expected a stream");
  let size = 0;
  let goOn: (() => void) | undefined;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      size += chunk.length;
      goOn = done;
    },
  });
  const over = pipeline(body.stream, slow);
  end();
  await expect.poll(() => [(body.stream as IncomingMessage).complete, goOn === undefined]).toEqual([true, false]);
  vi.advanceTimersByTime(200);
  goOn?.();
  await over;
  expect(size).toBe(1000);
});

it("says of a certificate that it cannot be trusted, and not that the upstream is silent", async () => {
  const server = createTlsServer(tls, (socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const options = await scripted(() => {});
  const storage = s3({ ...options, endpoint: `https://127.0.0.1:${port}` });
  onTestFinished(() => storage.close());
  const { code, message } = await errorOf(storage.get({ bucket: "bucket", key: "a" }));
  expect([code, message]).toEqual(["UNAVAILABLE", expect.stringContaining("(DEPTH_ZERO_SELF_SIGNED_CERT): renew it")]);
});

it("gives up a connection that is not there in time, and has taken nothing of a body for it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  // Takes connections, and never shakes hands.
  const server = createServer((socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const storage = s3({ ...(await scripted(() => {})), endpoint: `https://127.0.0.1:${port}` });
  onTestFinished(() => storage.close());
  let pulled = 0;
  async function* long(): AsyncGenerator<Uint8Array> {
    for (; pulled < 4; pulled++) yield Buffer.alloc(MB);
  }
  const put = errorOf(storage.put({ bucket: "bucket", key: "a" }, long(), { contentLength: 4 * MB }));
  await once(server, "connection");
  // The patience for a "100 Continue", and the rest of the time that a connection has.
  vi.advanceTimersByTime(1000);
  await setImmediate();
  expect(pulled).toBe(0);
  vi.advanceTimersByTime(4000);
  expect((await put).message).toContain("ETIMEDOUT");
});

it.each([
  ["in ASCII", "a.pdf"],
  ["beyond it", "\xfc.pdf"],
])("refuses early and keeps no connection that has half a request on it, with headers %s", async (_, name) => {
  const upstream = await upstreamGateway({ files: { "bucket/a": "a" } });
  const storage = over(upstream, { bucket: { bucket: "bucket", gone: "gone" } });
  let pulled = 0;
  async function* long(): AsyncGenerator<Uint8Array> {
    for (; pulled < 50; pulled++) yield Buffer.alloc(MB);
  }
  const headers = { contentDisposition: `attachment; filename="${name}"` };
  const put = storage.put({ bucket: "gone", key: "a" }, long(), { contentLength: 50 * MB, headers });
  expect(await codeOf(put)).toBe("NO_SUCH_BUCKET");
  // The upstream said no before it asked for the body.
  expect(pulled).toBe(0);
  expect(await contents(storage, "bucket", "a")).toBe("a");
});

it("ends the upstream's answer when the reader goes away", async () => {
  let closed = false;
  const options = await scripted((_, response) => {
    response.writeHead(200, { "content-length": String(1024 * MB), etag: '"e"' });
    const piece = Buffer.alloc(MB);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more).once("close", () => {
      closed = true;
    });
    more();
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  for (const leave of ["close", "destroy"] as const) {
    closed = false;
    const object = await storage.get({ bucket: "bucket", key: "a" });
    if (leave === "close") object?.close();
    else {
      const body = object?.body();
      if (body?.kind === "stream") body.stream.destroy();
    }
    while (!closed) await setImmediate();
  }
});

it("holds a bounded amount of a long object for a slow reader", async () => {
  let sent = 0;
  const options = await scripted((_, response) => {
    response.writeHead(200, { "content-length": String(1024 * MB), etag: '"e"' });
    const piece = Buffer.alloc(MB);
    const more = (): void => {
      do {
        sent += MB;
      } while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  const storage = s3(options);
  onTestFinished(() => storage.close());
  const object = await storage.get({ bucket: "bucket", key: "a" });
  const body = object?.body();
  if (body?.kind !== "stream") throw new Error("expected a stream");
  await once(body.stream, "readable");
  let before = -1;
  await expect
    .poll(() => {
      const still = sent === before;
      before = sent;
      return still;
    })
    .toBe(true);
  // The sockets of both sides hold some megabytes, whatever the length.
  expect(sent).toBeLessThan(64 * MB);
  body.stream.destroy();
});
