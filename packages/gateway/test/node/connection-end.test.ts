import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { type S3SignRequest, s3Signer } from "daypass/s3";
import { expect, it, onTestFinished } from "vitest";
import { tally } from "../../src/index.ts";
import type { Body, ByteRange, Storage } from "../../src/storage/contract/storage.ts";
import { type S3Options, s3 } from "../../src/storage/s3/index.ts";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5, texts } from "../e2e/bucket-client.ts";
import { front, scripted } from "../storage/scripted-upstream.ts";

const ETAG = { etag: '"e"', "content-length": "1000000" };

/** What an upstream sends to a GET before it stalls. */
const stalls: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "before its answer": () => {},
  "in the middle of it": (response) => response.write("a"),
};

/** A gateway over an upstream, with a count of its requests, and unfinished heads of requests to it. */
async function counted(options: S3Options, wrap = (storage: Storage): Storage => storage) {
  const counts = tally();
  const storage = wrap(s3(options));
  const gateway = await testGateway({
    gateway: () => ({ tally: counts }),
    storage: (disk) => {
      void disk.close();
      return storage;
    },
  });
  onTestFinished(() => gateway.close());
  const headOf = (request: Pick<S3SignRequest, "method" | "key" | "bind"> = { key: "a" }): string => {
    const signed = s3Signer(gateway.clients.daypass).sign({
      ...{ bucket: "bucket", expiresIn: 60 },
      ...(request.key === undefined ? { resource: "bucket" } : {}),
      ...request,
    } as S3SignRequest);
    return `${signed.method} ${signed.url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n`;
  };
  return { gateway, counts, headOf, open: () => connect(gateway.port, "127.0.0.1").on("error", () => {}) };
}

it.each(
  Object.entries(stalls).flatMap(([when, stall]) => [
    ["an object", when, stall, "", ""] as const,
    ["a part of it", when, stall, "", "range: bytes=0-999998\r\n"] as const,
    ["a list", when, stall, "list-type", ""] as const,
  ]),
)(
  "frees the slot and the upstream connection when the client disconnects while %s stalls %s",
  async (...parameters) => {
    const [, , stall, list, range] = parameters;
    const open = new Set<unknown>();
    let asked = 0;
    const options = await scripted((request, response) => {
      if (request.method === "HEAD") {
        response.writeHead(200, ETAG).end();
        return;
      }
      asked += 1;
      open.add(response);
      response.once("close", () => open.delete(response));
      for (const [name, value] of Object.entries(ETAG)) response.setHeader(name, value);
      if (range !== "")
        response.setHeader("content-range", "bytes 0-999998/1000000").setHeader("content-length", 999_999);
      stall(response);
    });
    // Longer than the test.
    const timeouts = { answerMs: 60_000, idleMs: 60_000 };
    const { gateway, counts, headOf, open: connection } = await counted({ ...options, timeouts });
    const socket = connection();
    socket.write(`${headOf(list === "" ? { key: "a" } : { bind: { query: { "list-type": "2" } } })}${range}\r\n`);
    await expect.poll(() => [asked, counts.inFlight]).toEqual([1, 1]);
    socket.destroy();
    await once(socket, "close");
    await expect.poll(() => [counts.inFlight, open.size], { timeout: 5000 }).toEqual([0, 0]);
    // Not an error for the operator.
    expect(gateway.events).toMatchObject([{ complete: false, error: undefined }]);
  },
);

it("frees the slot when the client disconnected before its object was requested", async () => {
  let tell = (): void => {};
  let underWay = 0;
  const options = await scripted((request, response) => {
    if (request.url?.includes("cors") === true) {
      tell = () => void response.writeHead(404).end();
      return;
    }
    underWay += 1;
    response.once("close", () => {
      underWay -= 1;
    });
  });
  const { gateway, counts, headOf, open } = await counted(options);
  const stands = tell;
  const socket = open();
  socket.write(`${headOf()}origin: https://app.example.com\r\n\r\n`);
  await expect.poll(() => tell, { timeout: 10_000 }).not.toBe(stands);
  // A reset, because a half-closed client may wait for the response.
  socket.resetAndDestroy();
  await expect.poll(() => gateway.server.connections, { timeout: 10_000 }).toBe(0);
  tell();
  await expect.poll(() => [counts.inFlight, underWay], { timeout: 5000 }).toEqual([0, 0]);
});

it.each([
  ["a page disconnects", "GET", "INCOMPLETE_BODY"],
  ["a browser disconnects from a preflight", "OPTIONS", "PREFLIGHT_REFUSED"],
])("frees the slot when %s during the lookup of cross-origin rules", async (_, method, code) => {
  let asked = 0;
  const options = await scripted((request) => {
    asked += request.url?.includes("cors") === true ? 1 : 0;
  });
  // Longer than the test.
  const { gateway, counts, headOf, open } = await counted({ ...options, timeouts: { answerMs: 60_000 } });
  const [leaving, staying] = [open(), open()];
  const fields = "origin: https://app.example.com\r\naccess-control-request-method: GET\r\n\r\n";
  for (const socket of [leaving, staying]) socket.write(headOf().replace("GET", method) + fields);
  await expect.poll(() => [asked, counts.inFlight], { timeout: 10_000 }).toEqual([1, 2]);
  leaving.resetAndDestroy();
  await expect.poll(() => counts.inFlight, { timeout: 10_000 }).toBe(1);
  expect(gateway.events).toMatchObject([{ complete: false, code, error: undefined }]);
  staying.destroy();
});

it("frees the slot when the client disconnects before it accepts the end of a complete upstream response", async () => {
  let size = 16_000_000;
  const answers: IncomingMessage[] = [];
  const options = await scripted((_, response) =>
    response.writeHead(200, { etag: '"e"', "content-length": size }).end(Buffer.alloc(size)),
  );
  const watched = (storage: Storage): Storage => ({
    ...storage,
    async get(...given) {
      const open = await storage.get(...given);
      if (open === undefined) return undefined;
      const body = (range?: ByteRange): Body => {
        const made = open.body(range);
        if (made.kind === "stream") answers.push(made.stream as IncomingMessage);
        return made;
      };
      return { ...open, body };
    },
  });
  // The size depends on how much the kernel accepts.
  const { counts, headOf, open } = await counted(options, watched);
  for (let met = false; !met; ) {
    const socket = open();
    socket.pause().write(`${headOf()}\r\n`);
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(1);
    const [answer] = answers.splice(0) as [IncomingMessage];
    const isStill = () => answer.complete || answer.readableLength > 0;
    for (
      let [last, read] = [-1, 0];
      read !== last || !isStill();
      [last, read] = [read, answer.socket?.bytesRead ?? size]
    )
      await sleep(30);
    met = answer.complete && answer.readableLength > 0;
    if (answer.complete) size += 50_000;
    else size = size === 16_000_000 ? answer.socket.bytesRead - (answer.readableLength >> 1) : size - 30_000;
    socket.destroy();
    await expect.poll(() => counts.inFlight, { timeout: 5000 }).toBe(0);
  }
});

it("finishes a change after its client disconnects", async () => {
  let finish = (): void => {};
  const options = await scripted((request, response) => {
    request.resume();
    if (request.method !== "DELETE") response.writeHead(200, ETAG).end();
    else finish = () => void response.writeHead(204).end();
  });
  const { gateway, counts, headOf, open } = await counted(options);
  const socket = open();
  socket.write(`${headOf({ method: "DELETE", key: "a" })}\r\n`);
  const stands = finish;
  await expect.poll(() => finish).not.toBe(stands);
  // A reset, because a half-closed client may wait for the response.
  socket.resetAndDestroy();
  await once(socket, "close");
  expect(counts.inFlight).toBe(1);
  finish();
  await expect.poll(() => counts.inFlight).toBe(0);
  expect(gateway.events).toMatchObject([{ status: 204, complete: false }]);
});

it("emits no leak warning when the many deletions of a DeleteObjects wait for one signal", async () => {
  const warnings: string[] = [];
  const listen = ({ name }: Error): void => {
    warnings.push(name);
  };
  process.on("warning", listen);
  onTestFinished(() => {
    process.off("warning", listen);
  });
  let most = 0;
  let underWay = 0;
  const gateway = await front(
    await scripted((request, response) => {
      if (request.method !== "DELETE")
        return response.writeHead(200, { ...ETAG, "last-modified": new Date(0).toUTCString() }).end();
      underWay += 1;
      most = Math.max(most, underWay);
      return setTimeout(() => {
        underWay -= 1;
        response.writeHead(204).end();
      }, 20);
    }),
  );
  const keys = Array.from({ length: 40 }, (_, number) => `<Object><Key>k${number}</Key></Object>`).join("");
  const body = `<Delete>${keys}</Delete>`;
  const reply = await callBucket(gateway, {
    method: "POST",
    bucket: "bucket",
    query: { delete: "" },
    body,
    headers: contentMd5(body),
  });
  expect([reply.status, texts(reply, "Key").length]).toEqual([200, 40]);
  expect(most).toBeGreaterThan(10);
  await setImmediate();
  expect(warnings).toEqual([]);
});
