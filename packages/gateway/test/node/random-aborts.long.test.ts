import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Tally, tally } from "../../src/index.ts";
import type { Storage } from "../../src/storage/contract/storage.ts";
import { s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, type TestGatewayOptions, testGateway } from "../../src/testing/index.ts";
import { s3For, sendS3 } from "../e2e/clients.ts";
import { openFiles } from "../open-files.ts";
import { tls } from "./fixtures/tls.ts";

const KB = 1024;
const CONNECTIONS = 500;
const MOST_CONNECTIONS = 4 * CONNECTIONS;
const AT_ONCE = 40;
const SEED = 20_260_102;

type Random = (below: number) => number;

/** Returns the same numbers in every run. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const FILES = {
  "media/small.txt": "small",
  "media/middle.bin": Buffer.alloc(300 * KB, "m"),
  "media/large.bin": Buffer.alloc(9 * KB * KB, "l"),
};

/** Storage that sometimes throws errors of a faulty driver. */
function failing(storage: Storage, random: Random): Storage {
  return new Proxy(storage, {
    get(inner, name) {
      const value: unknown = Reflect.get(inner, name);
      if (typeof value !== "function" || ["close", "getCached", "isAvailable"].includes(String(name))) return value;
      return (...parameters: readonly unknown[]) => {
        const luck = random(40);
        if (luck === 0) throw new TypeError("a fault of the driver");
        if (luck === 1) return Promise.reject(new TypeError("a fault of the driver, later"));
        return Reflect.apply(value, inner, parameters);
      };
    },
  });
}

/** Returns the bytes of a random request. */
function requestOf(gateway: TestGateway, random: Random): Buffer {
  const host = `127.0.0.1:${gateway.port}`;
  const at = (method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE", key: string, options: object = {}): string =>
    s3For(gateway)
      .sign({ method, bucket: "media", key, expiresIn: 60, ...options })
      .url.slice(gateway.url.length);
  const all = (query: Record<string, string>): string =>
    s3For(gateway)
      .sign({ bucket: "media", resource: "bucket", expiresIn: 60, bind: { query } })
      .url.slice(gateway.url.length);
  const key = ["small.txt", "middle.bin", "large.bin", "none"][random(4)] as string;
  const target = `made-${random(20)}`;
  const message = (method: string, path: string, fields: readonly string[] = [], body: Buffer = Buffer.alloc(0)) =>
    Buffer.concat([Buffer.from([`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...fields, "", ""].join("\r\n")), body]);
  const body = Buffer.alloc([10, 5 * KB, 300 * KB][random(3)] as number, "b");
  const length = `Content-Length: ${body.length}`;
  const chunks = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
  const copy = { "x-amz-copy-source": `/media/${key}` };
  const kinds: readonly (() => Buffer)[] = [
    () => message("GET", at("GET", key)),
    () => message("GET", at("GET", key)),
    () => message("GET", at("GET", "large.bin")),
    () => message("GET", at("GET", key), [`Range: bytes=${random(4)}-${random(400 * KB)}`]),
    () => message("GET", at("GET", key), ["If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"]),
    () => message("GET", `${at("GET", key)}0`),
    () => message("GET", at("GET", key), ["Origin: https://app.example.com"]),
    () => message("HEAD", at("HEAD", key)),
    () => message("GET", all({ "list-type": "2" })),
    () => message("GET", "/-/healthz"),
    () => message("HEAD", "/-/readyz"),
    () =>
      message("OPTIONS", `/media/${key}`, ["Origin: https://app.example.com", "Access-Control-Request-Method: GET"]),
    () => message("OPTIONS", "*"),
    () => message("PUT", at("PUT", target), [length], body),
    () => message("PUT", at("PUT", target), [length, "Expect: 100-continue"], body),
    () => message("PUT", at("PUT", target), ["Transfer-Encoding: chunked"], chunks),
    () => message("PUT", `${at("PUT", target)}0`, [length], body),
    () =>
      message("PUT", at("PUT", target, { bind: { headers: copy } }), [
        `x-amz-copy-source: /media/${key}`,
        "Content-Length: 0",
      ]),
    () => message("DELETE", at("DELETE", target)),
    () => message("POST", "/media", [length, "Content-Type: multipart/form-data; boundary=edge"], body),
    () => message("POST", "/", [length, "Content-Type: application/x-www-form-urlencoded"], body),
    () => message("GET", "no target at all"),
  ];
  return (kinds[random(kinds.length)] as () => Buffer)();
}

async function taken(socket: Socket, bytes: number): Promise<void> {
  let left = bytes;
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      left -= chunk.length;
      if (left <= 0) resolve();
    });
  });
}

/** A client that sends random requests, and disconnects at a random time. */
async function visit(gateway: TestGateway, open: () => Socket, random: Random): Promise<void> {
  const socket = open();
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    // Node emits no close if the reset fails because the server was faster.
    socket.on("error", (error) => "syscall" in error && error.syscall === "reset" && resolve());
  });
  const connected = new Promise<void>((resolve) => {
    socket.once("encrypted" in socket ? "secureConnect" : "connect", () => resolve());
  });
  const requests = Array.from({ length: [1, 1, 2, 4, 12][random(5)] as number }, () => requestOf(gateway, random));
  const bytes = Buffer.concat(requests);
  const whole = random(3) > 0;
  const sent = whole ? bytes : bytes.subarray(0, random(bytes.length));
  if (random(5) === 0) socket.pause();
  const cut = random(sent.length);
  socket.write(sent.subarray(0, cut));
  if (random(2) === 0) await setTimeout(random(5));
  socket.write(sent.subarray(cut));
  // Some disconnect at once, most during the response, some after it.
  const enough = [0, 1, 1, 20 * KB, 500 * KB, Number.POSITIVE_INFINITY][random(6)] as number;
  if (enough > 0) {
    const satisfied = Promise.race([closed, taken(socket, enough)]);
    // On a busy machine, most would disconnect during the handshake.
    await Promise.race([closed, connected]);
    await Promise.race([satisfied, setTimeout(500)]);
  }
  const leave = random(4);
  if (leave === 0 && !("encrypted" in socket)) socket.resetAndDestroy();
  else if (leave === 1) {
    socket.resume().end();
    await Promise.race([closed, setTimeout(100)]);
  }
  socket.destroy();
  await closed;
}

const isStorm = ({ events }: TestGateway): boolean => events.length > CONNECTIONS / 2;

async function storm(gateway: TestGateway, open: () => Socket, seed: number): Promise<void> {
  const random = randomFrom(seed);
  let begun = 0;
  // On a busy machine, more clients disconnect before their response, so more are started.
  const visitor = async (): Promise<void> => {
    while (begun < CONNECTIONS || (begun < MOST_CONNECTIONS && !isStorm(gateway))) {
      begun += 1;
      await visit(gateway, open, random);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visitor));
}

async function expectAtRest(gateway: TestGateway, counts: Tally): Promise<void> {
  expect(isStorm(gateway)).toBe(true);
  const state = () => ({
    inFlight: counts.inFlight,
    unverified: counts.unverified.total,
    taken: [...counts.unverified.taken],
    connections: gateway.server.connections,
    files: openFiles(`${gateway.root}/media`),
  });
  // A busy machine accepts connections long after their clients have disconnected.
  await expect
    .poll(state, { timeout: 40_000 })
    .toEqual({ inFlight: 0, unverified: 0, taken: [], connections: 0, files: [] });
}

/** A gateway with a count of its requests. */
async function counted(options: TestGatewayOptions = {}) {
  const counts = tally();
  const gateway = await testGateway({
    files: FILES,
    listen: { minimumRate: { bytesPerSecond: 10_000, windowMs: 500 }, ...options.listen },
    gateway: (port) => ({
      tally: counts,
      limits: { inFlight: 50 },
      keepAliveMs: 20,
      cors: { origins: ["https://app.example.com"] },
      ...options.gateway?.(port),
    }),
    ...(options.storage === undefined ? {} : { storage: options.storage }),
  });
  onTestFinished(() => gateway.close());
  return { gateway, counts };
}

async function expectServing(gateway: TestGateway): Promise<void> {
  // The storage may fail again.
  await expect.poll(async () => (await sendS3(gateway, { key: "small.txt" })).text, { timeout: 5000 }).toBe("small");
}

describe(`${CONNECTIONS} clients that disconnect at random`, () => {
  it("leave nothing in progress over a disk", async () => {
    const { gateway, counts } = await counted({ storage: (disk) => failing(disk, randomFrom(SEED + 1)) });
    await storm(gateway, () => connect(gateway.port, "127.0.0.1"), SEED);
    await expectAtRest(gateway, counts);
    await expectServing(gateway);
  }, 120_000);

  it("leave nothing in progress over TLS", async () => {
    const { gateway, counts } = await counted({
      listen: { tls },
      gateway: (port) => ({ origins: [`https://127.0.0.1:${port}`] }),
    });
    await storm(gateway, () => connectTls({ port: gateway.port, host: "127.0.0.1", ca: tls.cert }), SEED);
    await expectAtRest(gateway, counts);
  }, 120_000);

  it("leave nothing in progress over an upstream, nor in the upstream", async () => {
    const upstream = await counted();
    const storage = s3({ ...upstream.gateway.clients.daypass, bucket: "media" });
    const { gateway, counts } = await counted({
      storage: (disk) => {
        void disk.close();
        return failing(storage, randomFrom(SEED + 1));
      },
    });
    await storm(gateway, () => connect(gateway.port, "127.0.0.1"), SEED);
    await expectAtRest(gateway, counts);
    await expectServing(gateway);
    // Idle connections to the upstream close with the gateway.
    await expect.poll(() => upstream.counts.inFlight, { timeout: 10_000 }).toBe(0);
    expect([upstream.counts.unverified.total, openFiles(`${upstream.gateway.root}/media`)]).toEqual([0, []]);
  }, 120_000);
});
