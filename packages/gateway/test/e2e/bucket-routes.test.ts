import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Operations } from "../../src/protocols/s3/operations.ts";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3Code, s3For, send } from "./clients.ts";

// Every operation of the table × every way to be wrong: 4xx, and the storage never hears of it. A row that is added is tested.
let gateway: TestGateway;
let storage: RecordingStorage;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    storage: (disk) => {
      storage = recordingStorage(disk);
      return storage;
    },
  });
});
afterAll(() => gateway.close());

type Row = (typeof s3Operations)[number];
const rows = s3Operations.map((row) => [row.name, row] as const);

/** The call that selects a row; for the list of buckets the signer has no name for, see the header. */
function signed({ method, on, selectors = [], header }: Row, clock?: () => Date): { target: string; headers: object } {
  const query = Object.fromEntries(selectors.map((selector) => [selector, selector === "list-type" ? "2" : ""]));
  const headers = header === undefined ? {} : { [header]: "/media/hello.txt" };
  const request = {
    method,
    bucket: "media",
    ...(on === "object" ? { key: "hello.txt" } : {}),
    expiresIn: 60,
    bind: { query, headers },
  };
  const { url } = s3For(gateway, clock === undefined ? {} : { clock }).sign(request as never);
  return { target: url.slice(gateway.url.length), headers };
}

async function attempt(method: string, target: string, headers: object = {}) {
  const before = storage.calls.length;
  const body = method === "PUT" || method === "POST" ? "x" : undefined;
  const reply = await send(gateway, {
    method,
    target,
    headers: {
      host: `127.0.0.1:${gateway.port}`,
      ...headers,
      ...(body === undefined ? {} : { "content-length": "1" }),
    },
    body,
  });
  return { status: reply.status, code: s3Code(reply.body), calls: storage.calls.length - before };
}

describe.each(rows)("%s", (_, row) => {
  it("is refused without a signature, with a changed one, after its end and for another method", async () => {
    const { target, headers } = signed(row);
    const bare = target.replace(/[?&]X-Amz-[^&]*/g, "").replace(/^([^?&]*)&/, "$1?");
    const past = signed(row, () => new Date(Date.now() - 3_600_000));
    const flipped = target.replace(/(X-Amz-Signature=)(.)/, (__, name, first) => `${name}${first === "a" ? "b" : "a"}`);
    const other = ["GET", "HEAD", "PUT", "POST", "DELETE"].filter((method) => method !== row.method);
    for (const [sent, method] of [
      [bare, row.method],
      [flipped, row.method],
      [past.target, row.method],
      ...other.map((method) => [target, method] as const),
    ] as const) {
      const { status, calls } = await attempt(method, sent, headers);
      expect([sent, method, status, calls]).toEqual([sent, method, 403, 0]);
    }
  });

  it("is refused with a parameter more or less than was signed", async () => {
    const { target, headers } = signed(row);
    for (const sent of [
      `${target}&prefix=a`,
      `${target}&x-id=other`,
      target.replace(/X-Amz-Expires=60/, "X-Amz-Expires=61"),
    ]) {
      const { status, calls } = await attempt(row.method, sent, headers);
      expect([sent, status, calls]).toEqual([sent, 403, 0]);
    }
  });
});

describe("a call on the service", () => {
  it("is refused without a signature, for any method and parameter", async () => {
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
      for (const target of ["/", "/?prefix=", "/?list-type=2", "/?delete", "/?max-buckets=1"]) {
        const { status, calls } = await attempt(method, target);
        expect([method, target, status, calls]).toEqual([method, target, 403, 0]);
      }
    }
  });
});
