import { s3V2Signer } from "daypass/s3/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl, type Reply, s3For, send } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

// Every operation × every form of signature × every way to be wrong: 4xx, and the storage never hears of it.
const METHODS = ["GET", "HEAD", "PUT", "DELETE"] as const;
type Method = (typeof METHODS)[number];

interface Attempt {
  readonly target: string;
  readonly headers?: Record<string, string>;
}

const PATH = "/media/hello.txt";
const past = () => new Date(Date.now() - 3_600_000);

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

const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
const targetOf = (url: string) => url.slice(gateway.url.length);
const host = () => `127.0.0.1:${gateway.port}`;
const v2 = (clock?: () => Date) =>
  s3V2Signer({ region: "us-east-1", endpoint: gateway.url, addressing: "path", credentials: gateway.accessKey, clock });

/** How each form signs a method; `clock` dates it back. */
const FORMS: Record<string, (method: Method, clock?: () => Date) => Attempt> = {
  "SigV4 in the query": (method, clock) => ({
    target: targetOf(s3For(gateway, { clock }).sign({ ...object, method }).url),
  }),
  "SigV2 in the query": (method, clock) => ({ target: targetOf(v2(clock).sign({ ...object, method }).url) }),
  "SigV4 in the header": (method, clock) => ({
    target: PATH,
    headers: headerSignature({ method, path: PATH, host: host(), key: gateway.accessKey, at: clock?.() ?? new Date() }),
  }),
  "a Daypass URL": (method, clock) => ({
    target: targetOf(daypassUrl(gateway, PATH, { methods: [method] }, clock)),
  }),
};

function tampered({ target, headers }: Attempt): Attempt {
  const flip = (text: string) =>
    text.replace(/([Ss]ignature=)(.)/, (_, name, first) => `${name}${first === "a" ? "b" : "a"}`);
  return headers === undefined
    ? { target: flip(target) }
    : { target, headers: { ...headers, authorization: flip(headers["authorization"] ?? "") } };
}

async function attempt(method: Method, { target, headers }: Attempt): Promise<{ reply: Reply; calls: number }> {
  const before = storage.calls.length;
  const body = method === "PUT" ? "new" : undefined;
  const reply = await send(gateway, {
    method,
    target,
    headers: { host: host(), ...headers, ...(body === undefined ? {} : { "content-length": String(body.length) }) },
    body,
  });
  return { reply, calls: storage.calls.length - before };
}

describe.each(Object.keys(FORMS))("%s", (form) => {
  const sign = (method: Method, clock?: () => Date): Attempt => {
    const signed = FORMS[form]?.(method, clock);
    if (signed === undefined) throw new Error("no such form");
    return signed;
  };

  it.each(METHODS)("serves %s, so that the refusals below mean something", async (method) => {
    const { reply, calls } = await attempt(method, sign(method));
    expect(reply.status).toBeLessThan(300);
    expect(calls).toBeGreaterThan(0);
    await gateway.storage.put(
      { bucket: "media", key: "hello.txt" },
      (async function* () {
        yield Buffer.from("hello");
      })(),
    );
  });

  it.each(METHODS)("refuses %s with a changed signature", async (method) => {
    const { reply, calls } = await attempt(method, tampered(sign(method)));
    expect([reply.status, calls]).toEqual([403, 0]);
  });

  it.each(METHODS)("refuses %s after its end", async (method) => {
    const { reply, calls } = await attempt(method, sign(method, past));
    expect([reply.status, calls]).toEqual([403, 0]);
  });

  const others = METHODS.flatMap((signed) =>
    [...METHODS, "POST", "PATCH"].filter((sent) => sent !== signed).map((sent) => [signed, sent] as const),
  ).filter(([signed, sent]) => !(form === "a Daypass URL" && signed === "GET" && sent === "HEAD"));
  it.each(others)("that was signed for %s refuses %s", async (signed, sent) => {
    const { reply, calls } = await attempt(sent as Method, sign(signed));
    expect([reply.status, calls]).toEqual([403, 0]);
  });
});

describe("a request without a signature", () => {
  it.each([...METHODS, "POST", "PATCH"])("is refused for %s", async (method) => {
    for (const target of [
      PATH,
      "/media/",
      "/media",
      "/",
      "/media/hello.txt?acl",
      "/-/",
      "/-/admin",
      "/.daypass/index.db",
    ]) {
      const { reply, calls } = await attempt(method as Method, { target });
      expect([target, reply.status, calls]).toEqual([target, 403, 0]);
    }
  });
});
