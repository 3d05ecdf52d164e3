import { isDaypassError } from "daypass";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGateway, type GatewayOptions } from "../../src/index.ts";
import { listen, openLog, toNodeHandler } from "../../src/node/index.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { s3 } from "../../src/storage/s3/index.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl, rawConnection, readAll } from "../e2e/clients.ts";

let gateway: TestGateway;
let base: GatewayOptions;
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
beforeAll(async () => {
  gateway = await testGateway();
  base = { storage: gateway.storage, origins: ["http://127.0.0.1:8080"], keys: { s3: () => key } };
});
afterAll(() => gateway.close());

/** Returns code and text of the error of a call. */
async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "none";
  } catch (error) {
    return isDaypassError(error) ? `${error.code} ${error.message}` : String(error);
  }
}

const host = "127.0.0.1:8080";
const page = { origins: ["https://app.example"] };

describe("createGateway", () => {
  it.each<[string, unknown]>([
    ["storage", { storage: undefined }],
    ["storage", { storage: {} }],
    ["origins", { origins: [] }],
    ["origins", { origins: "http://127.0.0.1:8080" }],
    ["orgins", { orgins: [] }],
    ["keys", { keys: undefined }],
    ["keys", { keys: {} }],
    ["keys.gcs", { keys: { s3: () => key, gcs: () => key } }],
    ["keys.s3", { keys: { s3: [key] } }],
    ["keys.url", { keys: { url: {} } }],
    ["sessionSecret", { sessionSecret: "x".repeat(40) }],
    ["limits.bodyy", { limits: { bodyy: 1 } }],
    ["limits.body", { limits: { body: "5" } }],
    ["limits.inFlight", { limits: { inFlight: Number.NaN } }],
    ["limits.path", { limits: { path: -1 } }],
    ["hosts", { hosts: { "http://127.0.0.1:8080": ["s3"] } }],
    ["hosts", { hosts: { "localhost:8080": ["s3"] } }],
    ["hosts", { hosts: { "127.0.0.1:8080": ["s4"] } }],
    ["hosts", { hosts: { "127.0.0.1:8080": [] } }],
    ["hosts", { hosts: { [host]: ["url"] } }],
    ["cors.origin", { cors: { origin: ["https://app.example"] } }],
    ["cors.origins", { cors: { origins: ["https://app.example/"] } }],
    ["cors.origins", { cors: { origins: "*" } }],
    ["cors.methods", { cors: { ...page, methods: ["get"] } }],
    ["cors.headers", { cors: { ...page, headers: ["x-*-*"] } }],
    ["cors.maxAge", { cors: { ...page, maxAge: -1 } }],
    ["keepAliveMs", { keepAliveMs: 0 }],
    ["keepAliveMs", { keepAliveMs: 2 ** 31 }],
    ["region", { region: "" }],
    ["regions", { regions: [] }],
    ["region", { region: "a", regions: ["b"] }],
    ["audience", { audience: "" }],
    ["accessLog", { accessLog: "x" }],
    ["clock", { clock: 5 }],
    ["clock", { clock: () => 5 }],
    ["redirectOrigins", { redirectOrigins: "https://app.example" }],
  ])("refuses an invalid %s (%j)", async (place, options) => {
    const refused = await refusalOf(() => createGateway({ ...base, ...(options as object) }));
    expect(refused).toMatch(/^INVALID_INPUT .* is .*\. (?:Pass|Did you mean|Correct) /s);
    expect(refused).toContain(place);
    expect(refused).not.toContain("xxx");
  });

  it.each<[string, unknown]>([
    ["keys is missing. Pass an object with s3, url or both", { keys: undefined }],
    ["origins is an empty list. Pass a list, each item a string that is not empty", { origins: [] }],
    ["limits.body is -1. Pass a whole number of at least 0", { limits: { body: -1 } }],
    ["limits.bodyy is not an option. Did you mean limits.body?", { limits: { bodyy: 1 } }],
    ["keepalivems is not an option. Did you mean keepAliveMs?", { keepalivems: 5 }],
    ["buckets is not an option. Correct its spelling, or leave it out", { buckets: [] }],
    ['region is "a". Pass one of regions (b)', { region: "a", regions: ["b"] }],
    ["sessionSecret is not valid. Pass bytes", { sessionSecret: "x".repeat(40) }],
    [
      'a name in hosts is "localhost:8080". Pass a host of origins (127.0.0.1:8080)',
      { hosts: { "localhost:8080": ["s3"] } },
    ],
    [
      'an item of redirectOrigins is "...app.example/". Pass "https://app.example"',
      { redirectOrigins: ["https://user:password@app.example/"] },
    ],
    [
      'cors.origins is "https://app.example/". Pass a list, each item an origin in the spelling of browsers, or *',
      { cors: { origins: ["https://app.example/"] } },
    ],
  ])("says %j", async (message, options) => {
    expect(await refusalOf(() => createGateway({ ...base, ...(options as object) }))).toBe(`INVALID_INPUT ${message}`);
  });

  it("refuses to start without options", async () => {
    expect(await refusalOf(() => createGateway(undefined as never))).toMatch(/^INVALID_INPUT/);
  });
});

it("uses the default of an undefined option", () => {
  const { limits } = createGateway({ ...base, limits: { body: undefined, path: 10 } as never, cors: {} });
  expect([limits.body, limits.path]).toEqual([5 * 1024 ** 3, 10]);
});

it("uses the default minimum rate when the option is undefined", async () => {
  const left = { timeouts: { headersMs: undefined }, minimumRate: { bytesPerSecond: undefined, windowMs: 100 } };
  await using own = await testGateway({ listen: left as never });
  const path = daypassUrl(own, "/files/never.txt", { methods: ["PUT"] }).slice(own.url.length);
  const socket = await rawConnection(own);
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1:${own.port}\r\nContent-Length: 9\r\n\r\n`);
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 40[08] /);
});

it.each<[string, unknown]>([
  ["port", { port: 70_000 }],
  ["prot", { prot: 1 }],
  ["timeouts.headerMs", { timeouts: { headerMs: 5 } }],
  ["timeouts.idleMs", { timeouts: { idleMs: Number.NaN } }],
  ["timeouts.idleMs", { timeouts: { idleMs: 2 ** 31 } }],
  ["minimumRate.windowMs", { minimumRate: { windowMs: 0, bytesPerSecond: 1 } }],
  ["maxConnections", { maxConnections: 0 }],
])("listen refuses an invalid %s (%j)", async (place, options) => {
  expect(await refusalOf(() => listen(createGateway(base), options as object))).toContain(`INVALID_INPUT ${place} is `);
});

it.each<[string, unknown]>([
  ["options", undefined],
  ["root", {}],
  ["root", { root: 5 }],
  ["cachebytes", { root: ".", cachebytes: 1 }],
  ["cacheBytes", { root: ".", cacheBytes: -1 }],
])("disk refuses an invalid %s (%j)", async (place, options) => {
  expect(await refusalOf(() => disk(options as never))).toContain(`INVALID_INPUT ${place} is `);
});

it.each<[string, object | undefined]>([
  ["options", undefined],
  ["region", { region: undefined }],
  ["credentials", { credentials: undefined }],
  ["bucket", { bucket: 5 }],
  ["bucket", { bucket: {} }],
  ["bucket", { bucket: { media: ".." } }],
  ["bucket", { bucket: { media: "../x" } }],
  ["bucket", { bucket: { "a/b": "media" } }],
  ["redirects", { redirects: true }],
  ["holdBytes", { holdBytes: -1 }],
  ["timeouts.connectMs", { timeouts: { connectMs: "5s" } }],
  ["timeouts.connectMs", { timeouts: { connectMs: 2 ** 31 } }],
])("s3 refuses an invalid %s (%j)", async (place, options) => {
  const whole = { region: "us-east-1", endpoint: "http://127.0.0.1:1", credentials: key, ...options };
  expect(await refusalOf(() => s3((options === undefined ? undefined : whole) as never))).toContain(
    `INVALID_INPUT ${place} is `,
  );
});

it("answers 500 and logs the error when an adapter passes a value that is not a request", async () => {
  const errors: unknown[] = [];
  const own = createGateway({ ...base, accessLog: ({ error }) => errors.push(error) });
  const request = { method: "GET", target: "/", authority: host, headers: [] };
  const faulty = [undefined, null, { ...request, headers: undefined }, { ...request, headers: null }];
  const pairs = [
    { ...request, headers: { host } },
    { ...request, headers: [5] },
    { ...request, headers: [["a"]] },
  ];
  for (const given of [...faulty, ...pairs, { ...request, headers: [["origin", 5]] }]) {
    const outcome = await own.handle(given as never, (async function* () {})());
    expect([outcome.status, JSON.stringify(given)]).toEqual([expect.any(Number), JSON.stringify(given)]);
    expect(outcome.status).toBeGreaterThanOrEqual(400);
    outcome.delivered(0, true);
  }
  expect(errors.filter((error) => error instanceof TypeError).length).toBeGreaterThanOrEqual(5);
});

it("toNodeHandler refuses an invalid minimum rate", async () => {
  const rate = { minimumRate: { bytesPerSecond: 1, windowMs: 0 } };
  expect(await refusalOf(() => toNodeHandler(createGateway(base), rate))).toContain("minimumRate.windowMs");
});

it.each<[string, (options: never) => unknown, unknown]>([
  ["minimumRates", (options) => toNodeHandler(createGateway(base), options), { minimumRates: { bytesPerSecond: 1 } }],
  ["isDraining", (options) => toNodeHandler(createGateway(base), options), { isDraining: true }],
  ["lewel", openLog, { lewel: "error" }],
  ["level", openLog, { level: "loud" }],
  ["destination", openLog, { destination: "" }],
])("refuses unknown and malformed options of %s", async (place, call, options) => {
  expect(await refusalOf(() => call(options as never))).toContain(`INVALID_INPUT ${place} is `);
});
