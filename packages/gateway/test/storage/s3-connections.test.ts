/** An upstream that is slow, silent or gone, and what the driver holds meanwhile. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { chunks, codeOf, readBody } from "../../src/testing/contract-tools.ts";
import { tls } from "../node/fixtures/tls.ts";
import { servedSockets } from "../node/served-sockets.ts";
import { errorOf } from "./gateway-upstream.ts";
import {
  at,
  counted,
  driver,
  flood,
  front,
  MB,
  object,
  opened,
  part,
  portOf,
  ref,
  says,
  scripted,
  signed,
  stopTimers,
} from "./scripted-upstream.ts";

type Call = (storage: Storage) => Promise<unknown>;

const upload = { ...ref, uploadId: "u" };

async function streamOf(storage: Storage): Promise<IncomingMessage> {
  const body = (await storage.get(ref))?.body();
  if (body?.kind !== "stream") throw new Error("expected a stream");
  return body.stream as IncomingMessage;
}

describe("an upstream that does not answer, or not in time,", () => {
  it("an upstream that is silent, stops in the middle or refuses connections is UNAVAILABLE", async () => {
    const silent = await scripted(() => {});
    expect((await errorOf(opened({ ...silent, timeouts: { answerMs: 200 } }).get(ref))).message).toContain("ETIMEDOUT");
    expect((await errorOf(opened(at("http://127.0.0.1:1")).get(ref))).message).toContain("ECONNREFUSED");
    // Only what it does not do is short: a busy machine may take longer for the rest.
    const halting = await driver((_, response) => void object(response, MB).write("x"), { timeouts: { idleMs: 100 } });
    await expect(readBody((await halting.get(ref))?.body())).rejects.toThrow();
  });

  it("is said to be silent to clients, and to the operator, where their connections could be called idle before", async () => {
    let idle = (): unknown => undefined;
    const options = await scripted((request) => void request.resume().once("end", () => idle()));
    const gateway = await front({ ...options, timeouts: { answerMs: 200 } });
    idle = servedSockets(gateway.port);
    for (const [method, body] of [["GET"], ["HEAD"], ["PUT", "small"], ["PUT", "a".repeat(MB)], ["DELETE"]] as const) {
      const answer = await fetch(signed(gateway, { method }), { method, ...(body === undefined ? {} : { body }) });
      expect(answer.status).toBe(503);
    }
    await expect.poll(() => gateway.events.length).toBe(5);
    for (const { error } of gateway.events) expect(String(error)).toContain("does not answer (ETIMEDOUT)");
  });

  it("is blamed if a part of a described object does not arrive", async () => {
    let idle = (): unknown => undefined;
    const options = await scripted((request, response) => {
      if (request.method === "HEAD") return void object(response, 10).end();
      idle();
      response.destroy();
    });
    const gateway = await front(options);
    idle = servedSockets(gateway.port);
    await expect(fetch(signed(gateway), { headers: { range: "bytes=1-2" } })).rejects.toThrow();
    await expect.poll(() => gateway.events.length).toBe(1);
    expect(String(gateway.events[0]?.error)).toContain("could not read the object: the upstream does not answer");
  });

  it.each([200, 403])("is given up where its answer %i comes byte by byte", async (status) => {
    const timeouts = { answerMs: 50, idleMs: 5000 };
    const slow = async (_: unknown, response: ServerResponse) => {
      response.writeHead(status);
      while (!response.destroyed && response.write(" ")) await wait(10);
    };
    const storage = await driver(slow, { timeouts });
    expect(await codeOf(storage.list("bucket", { prefix: "", limit: 1 }))).toBe("UNAVAILABLE");
    expect(await codeOf(storage.corsRules("bucket"))).toBe("UNAVAILABLE");
  });

  it("has the longest time that there is where the one to its begin is as long", async () => {
    const slow = async (_: unknown, response: ServerResponse) => {
      response.write("<ListBucketResult>");
      await wait(20);
      response.end("</ListBucketResult>");
    };
    const storage = await driver(slow, { timeouts: { answerMs: 2 ** 31 - 1 } });
    expect((await storage.list("bucket", { prefix: "", limit: 1 })).entries).toEqual([]);
  });

  it("may take its time to put an upload together, and ends with its client", async () => {
    // On a busy machine the timeouts of the lists could pass before any answer is read.
    stopTimers(["setTimeout", "clearTimeout"]);
    const leave = new AbortController();
    let closed = false;
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      if (request.method !== "POST") return says(`<ListPartsResult>${part}</ListPartsResult>`)(request, response);
      request.resume();
      let spaces = 0;
      const timer = setInterval(() => {
        response.write(" ");
        spaces += 1;
        // Longer than a list may take.
        if (spaces === 10) vi.advanceTimersByTime(1200);
        if (spaces === 20) leave.abort();
      }, 10);
      response.once("close", () => {
        clearInterval(timer);
        closed = true;
      });
    };
    const storage = await driver(listener, { timeouts: { answerMs: 200, idleMs: 5000 } });
    const options = { minPartSize: 1, signal: leave.signal };
    expect(await codeOf(storage.completeUpload(upload, [{ number: 1, etag: "e" }], options))).toBe("INCOMPLETE_BODY");
    await expect.poll(() => closed).toBe(true);
  });

  it.each(["copy", "copyPart"] as const)("is given up where its answer to %s never ends", async (call) => {
    stopTimers(["setTimeout", "clearTimeout"]);
    let closed = false;
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === "HEAD") return void object(response).end();
      request.resume();
      let spaces = 0;
      const timer = setInterval(() => {
        response.write(" ");
        spaces += 1;
        if (spaces === 10) vi.advanceTimersByTime(60 * 200);
      }, 10);
      response.once("close", () => {
        clearInterval(timer);
        closed = true;
      });
    };
    const storage = await driver(listener, { timeouts: { answerMs: 200, idleMs: 100_000 } });
    const copied =
      call === "copy"
        ? storage.copy(ref, { ...ref, key: "b" }, { sourceEtag: "e" })
        : storage.copyPart(upload, 1, ref, { sourceEtag: "e" });
    expect(await codeOf(copied)).toBe("UNAVAILABLE");
    await expect.poll(() => closed).toBe(true);
  });

  it("an upstream that accepts no connection in time is UNAVAILABLE, and no byte of the body is read", async () => {
    stopTimers(["setTimeout", "clearTimeout"]);
    // Takes connections, and never shakes hands.
    const server = createServer((socket) => void socket.on("error", () => {}));
    const storage = opened(at(`https://127.0.0.1:${await portOf(server)}`));
    const long = counted(4);
    const put = errorOf(storage.put(ref, long, { contentLength: 4 * MB }));
    await once(server, "connection");
    // The patience for a "100 Continue", and the rest of the time that a connection has.
    vi.advanceTimersByTime(1000);
    await setImmediate();
    expect(long.pulled).toBe(0);
    vi.advanceTimersByTime(4000);
    expect((await put).message).toContain("ETIMEDOUT");
  });

  it("the error names an untrusted certificate, not a silent upstream", async () => {
    const server = createTlsServer(tls, (socket) => void socket.on("error", () => {}));
    const { code, message } = await errorOf(opened(at(`https://127.0.0.1:${await portOf(server)}`)).get(ref));
    expect([code, message]).toEqual([
      "UNAVAILABLE",
      expect.stringContaining("(DEPTH_ZERO_SELF_SIGNED_CERT). Renew it"),
    ]);
  });
});

describe("an answer that is here", () => {
  it("leaves its reader all the time it takes", async () => {
    // On a busy machine it could be called idle before it is here.
    stopTimers(["setInterval", "clearInterval"]);
    let end = (): void => {};
    const storage = await driver(
      (_, response) => {
        object(response, 1000).flushHeaders();
        end = () => void response.end(Buffer.alloc(1000));
      },
      { timeouts: { idleMs: 50 } },
    );
    const stream = await streamOf(storage);
    let size = 0;
    let goOn: (() => void) | undefined;
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        size += chunk.length;
        goOn = done;
      },
    });
    const read = pipeline(stream, slow);
    end();
    await expect.poll(() => [stream.complete, goOn === undefined]).toEqual([true, false]);
    vi.advanceTimersByTime(200);
    goOn?.();
    await read;
    expect(size).toBe(1000);
  });

  it("ends when its reader goes away", async () => {
    const closed: string[] = [];
    let reader = "";
    const storage = await driver((_, response) => {
      response.once("close", () => closed.push(reader));
      flood(object(response, 1024 * MB), MB);
    });
    for (reader of ["closes", "destroys"]) {
      if (reader === "closes") (await storage.get(ref))?.close();
      else (await streamOf(storage)).destroy();
      await expect.poll(() => closed.at(-1)).toBe(reader);
    }
  });

  it("has a bounded part of it held for a slow reader", async () => {
    let sent = 0;
    const storage = await driver((_, response) =>
      flood(object(response, 1024 * MB), MB, () => {
        sent += MB;
      }),
    );
    const stream = await streamOf(storage);
    await once(stream, "readable");
    let before = -1;
    const still = (): boolean => {
      const same = sent === before;
      before = sent;
      return same;
    };
    await expect.poll(still).toBe(true);
    // The sockets of both sides hold some megabytes, whatever the length.
    expect(sent).toBeLessThan(64 * MB);
    stream.destroy();
  });

  it.each([
    ["goes on for ever", 64 * 1024, 0],
    ["does not end", 1, 5000],
  ])("to a write holds no connection for long where it %s", async (_, bytes, ms) => {
    stopTimers(["setTimeout", "clearTimeout"]);
    let ended = false;
    const storage = await driver((request, response) => {
      request.resume();
      if (request.method !== "PUT") return void object(response).end();
      response.setHeader("etag", '"e"').once("close", () => {
        ended = true;
      });
      return bytes === 1 ? void response.write(" ") : flood(response, bytes);
    });
    expect((await storage.put(ref, chunks("x"))).etag).toBe("e");
    vi.advanceTimersByTime(ms);
    await expect.poll(() => ended, { timeout: 5000 }).toBe(true);
  });

  it("accepts a refusal of any length, because only its status counts", async () => {
    const storage = await driver((request, response) => {
      if (request.method === "GET") flood(response.writeHead(404), 16 * 1024);
      else response.end();
    });
    expect(await storage.get(ref)).toBe(undefined);
  });

  // An unread answer occupies its connection, and the next call needs another one.
  it.each<[string, Call]>([
    ["looked for a bucket", (storage) => storage.hasBucket("bucket")],
    ["looked for an object that is not there", (storage) => storage.head({ ...ref, key: "absent" })],
    ["opened one that is not there", (storage) => storage.get({ ...ref, key: "absent" })],
    ["looked at an object", (storage) => storage.head(ref)],
    ["opened one, and not read it", async (storage) => (await storage.get(ref))?.close()],
    ["stored one", (storage) => storage.put(ref, chunks("x"))],
    ["stored one on a condition", (storage) => storage.put(ref, chunks("x"), { ifNoneMatch: "*" })],
    ["replaced one", (storage) => storage.put(ref, chunks("x"), { ifMatch: "e" })],
    ["stored a long one", (storage) => storage.put(ref, chunks(Buffer.alloc(MB)), { contentLength: MB })],
    ["tagged one", (storage) => storage.setTags(ref, { a: "b" })],
    ["removed one", (storage) => storage.delete(ref)],
    ["removed one on a condition", (storage) => storage.delete(ref, { ifMatch: "e" })],
    ["stored a part", (storage) => storage.putPart(upload, 1, chunks("x"))],
    ["aborted an upload", (storage) => storage.abortUpload(upload)],
    ["set rules", (storage) => storage.setCorsRules("bucket", [])],
    ["been refused", (storage) => storage.list("bucket", { prefix: "", limit: 1 })],
  ])("is let go of when a call has %s", async (_, call) => {
    const answers: IncomingMessage[] = [];
    const see = (message: unknown): void => void answers.push((message as ServerResponseEvent).response);
    subscribe("http.client.response.finish", see);
    onTestFinished(() => void unsubscribe("http.client.response.finish", see));
    const storage = await driver((request, response) => {
      const { method, url = "", headers } = request;
      const isCondition = headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;
      const status = url.includes("absent") ? 404 : url.includes("list-type") ? 403 : 200;
      const probed = isCondition && url.includes(".daypass-probe") ? 412 : status;
      const text = url.includes("uploadId=") && method === "GET" ? "<ListPartsResult/>" : "x";
      request.resume().once("end", () => {
        object(response, text.length)
          .writeHead(probed)
          .end(method === "HEAD" ? undefined : text);
      });
    });
    await codeOf(call(storage));
    expect(answers.length).toBeGreaterThan(0);
    const held = () => answers.filter(({ readableEnded, destroyed }) => !readableEnded && !destroyed).length;
    await expect.poll(held).toBe(0);
  });
});

interface ServerResponseEvent {
  readonly response: IncomingMessage;
}
