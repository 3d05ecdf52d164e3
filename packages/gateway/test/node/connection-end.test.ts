import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { expect, it, onTestFinished } from "vitest";
import { tally } from "../../src/index.ts";
import { s3 } from "../../src/storage/s3.ts";
import { testGateway } from "../../src/testing/index.ts";
import { callBucket, contentMd5, texts } from "../e2e/bucket-client.ts";
import { front, scripted } from "../storage/scripted-upstream.ts";

const ETAG = { etag: '"e"', "content-length": "1000000" };

/** What an upstream does with a GET before it says nothing more. */
const stalls: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "before its answer": () => {},
  "in the middle of it": (response) => response.write("a"),
};

it.each(
  Object.entries(stalls).flatMap(([when, stall]) => [
    ["an object", when, stall, "", ""] as const,
    ["a part of it", when, stall, "", "range: bytes=0-999998\r\n"] as const,
    ["a list", when, stall, "list-type", ""] as const,
  ]),
)("gives its place back, and the upstream's connection, whoever leaves while %s stalls %s", async (...parameters) => {
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
  const counts = tally();
  // A minute each.
  const storage = s3({ ...options, timeouts: { answerMs: 60_000, idleMs: 60_000 } });
  const gateway = await testGateway({
    gateway: () => ({ tally: counts }),
    storage: (disk) => {
      void disk.close();
      return storage;
    },
  });
  onTestFinished(() => gateway.close());
  const object = list === "" ? { key: "a" } : { bind: { query: { "list-type": "2" } } };
  const { url } = s3Signer(gateway.clients.daypass).sign({ bucket: "bucket", expiresIn: 60, ...object });
  const socket = connect(gateway.port, "127.0.0.1").on("error", () => {});
  socket.write(`GET ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n${range}\r\n`);
  await expect.poll(() => [asked, counts.inFlight]).toEqual([1, 1]);
  socket.destroy();
  await once(socket, "close");
  await expect.poll(() => [counts.inFlight, open.size], { timeout: 5000 }).toEqual([0, 0]);
  // Nobody is to be woken for it.
  expect(gateway.events).toMatchObject([{ complete: false, error: undefined }]);
});

it("lets a change go on whose client has left", async () => {
  let finish = (): void => {};
  const options = await scripted((request, response) => {
    request.resume();
    if (request.method !== "DELETE") response.writeHead(200, ETAG).end();
    else finish = () => void response.writeHead(204).end();
  });
  const counts = tally();
  const storage = s3(options);
  const gateway = await testGateway({
    gateway: () => ({ tally: counts }),
    storage: (disk) => {
      void disk.close();
      return storage;
    },
  });
  onTestFinished(() => gateway.close());
  const { url } = s3Signer(gateway.clients.daypass).sign({
    method: "DELETE",
    bucket: "bucket",
    key: "a",
    expiresIn: 60,
  });
  const socket = connect(gateway.port, "127.0.0.1").on("error", () => {});
  socket.write(`DELETE ${url.slice(gateway.url.length)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\n\r\n`);
  const stands = finish;
  await expect.poll(() => finish).not.toBe(stands);
  // A reset: who only ends his side may wait for the answer.
  socket.resetAndDestroy();
  await once(socket, "close");
  expect(counts.inFlight).toBe(1);
  finish();
  await expect.poll(() => counts.inFlight).toBe(0);
  expect(gateway.events).toMatchObject([{ status: 204, complete: false }]);
});

it("lets many wait for it at once, as the deletions of a DeleteObjects over an upstream do, without a word of a leak", async () => {
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
