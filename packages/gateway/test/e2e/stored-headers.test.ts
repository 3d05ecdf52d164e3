import { s3V2Signer } from "daypass/s3/v2";
import { beforeAll, describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, type Reply, rawConnection, readAll, s3For, send, useGateway } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

const gateway = useGateway({ files: { "media/foreign.html": "<b>foreign" } });
beforeAll(async () => {
  for (const [key, headers] of Object.entries(STORED)) {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key, expiresIn: 60 });
    expect((await fetch(url, { method: "PUT", body: "<b>stored", headers })).status).toBe(200);
  }
});

const STORED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "page.html": {
    "content-type": "text/html; charset=utf-8",
    "content-disposition": 'inline; filename="page.html"',
    "cache-control": "no-cache",
    "content-language": "en",
    expires: "Wed, 21 Oct 2026 07:28:00 GMT",
  },
  "long.png": { "content-type": "image/png", "cache-control": "public, max-age=31536000, immutable" },
  "plain.html": { "content-type": "text/html" },
};
const FIELDS = ["content-type", "content-disposition", "cache-control", "content-language", "expires"];

function byHeader(method: string, key: string, query: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const path = `/media/${key}`;
  const host = `127.0.0.1:${gateway.port}`;
  const headers = headerSignature({ method, path, query, host, key: gateway.accessKey });
  const search = new URLSearchParams(query).toString();
  return send(gateway, { method, target: search === "" ? path : `${path}?${search}`, headers });
}

const fieldsOf = (headers: Reply["headers"]): Record<string, unknown> =>
  Object.fromEntries(FIELDS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));

describe("an answer to a request that is signed in its header", () => {
  it.each(Object.keys(STORED))(
    "the answer to a request signed in its header has the stored fields of %s unchanged",
    async (key) => {
      for (const method of ["GET", "HEAD"]) {
        const { status, headers } = await byHeader(method, key);
        expect([status, fieldsOf(headers)]).toEqual([200, STORED[key]]);
        expect(String(headers["vary"]).toLowerCase()).toContain("authorization");
      }
    },
  );

  it("sandboxes answers to header signatures", async () => {
    for (const key of ["page.html", "plain.html", "foreign.html"]) {
      const { headers } = await byHeader("GET", key);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "sandbox; default-src 'none'",
      });
    }
  });

  it("applies signed overrides to header signatures", async () => {
    const { headers } = await byHeader("GET", "page.html", { "response-cache-control": "no-store" });
    expect(fieldsOf(headers)).toEqual({ ...STORED["page.html"], "cache-control": "no-store" });
  });
});

describe("an answer to a URL", () => {
  it("makes answers to URLs of all schemes safe for a browser", async () => {
    const { accessKey: credentials, url: endpoint } = gateway;
    const v2 = s3V2Signer({ region: "us-east-1", endpoint, credentials });
    for (const { url } of [
      s3For(gateway).sign({ bucket: "media", key: "page.html", expiresIn: 60 }),
      v2.sign({ bucket: "media", key: "page.html", expiresIn: 60 }),
      { url: daypassUrl(gateway, "/media/page.html") },
    ]) {
      const { headers } = await fetch(url);
      expect(headers.get("content-disposition")).toBe('attachment; filename="page.html"');
      expect(headers.get("cache-control")).toMatch(/^private, max-age=\d+, no-cache$/);
      expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
    }
  });
});

it("limits max-age to the whole seconds left of a URL", async () => {
  const begin = Date.UTC(2026, 0, 2, 3, 4, 5);
  const clock = () => new Date(begin);
  let now = begin;
  await using late = await testGateway({
    files: { "media/a.png": "a" },
    gateway: () => ({ clock: () => new Date(now) }),
  });
  for (const [since, left] of [
    [0, 60],
    [58_001, 1],
    [59_500, 0],
  ] as const) {
    now = begin + since;
    for (const url of [
      s3For(late, { clock }).sign({ bucket: "media", key: "a.png", expiresIn: 60 }).url,
      daypassUrl(late, "/media/a.png", {}, clock),
      daypassUrl(late, "/media/a.png", { response: { cacheControl: "max-age=60" } }, clock),
    ]) {
      expect((await fetch(url)).headers.get("cache-control")).toBe(`private, max-age=${left}`);
    }
  }
});

// Written by hand: Node's own client makes other bytes of them.
it.each(["S3", "a Daypass URL"])("stores a raw UTF-8 file name unchanged, by %s", async (dialect) => {
  const target = (method: "PUT" | "GET"): string => {
    const url =
      dialect === "S3"
        ? s3For(gateway).sign({ method, bucket: "media", key: "utf8.png", expiresIn: 60 }).url
        : daypassUrl(gateway, "/media/utf8.png", { methods: [method] });
    return url.slice(gateway.url.length);
  };
  const ask = async (method: "PUT" | "GET", fields: string) => {
    const socket = await rawConnection(gateway);
    socket.write(
      `${method} ${target(method)} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nconnection: close\r\n${fields}\r\n`,
    );
    return Buffer.from(await readAll(socket), "latin1").toString();
  };
  const field = 'content-disposition: inline; filename="\u00c4\u2013\u65e5.png"\r\n';
  expect(await ask("PUT", `${field}content-length: 0\r\n`)).toMatch(/^HTTP\/1\.1 200/);
  expect((await ask("GET", "")).toLowerCase()).toContain(field.toLowerCase());
});

it("stores the known headers of an upload, joins repeated ones, and refuses control characters", async () => {
  const put = async (...fields: readonly string[]) => {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "apart.png", expiresIn: 60 });
    const socket = await rawConnection(gateway);
    const head = [`PUT ${url.slice(gateway.url.length)} HTTP/1.1`, `host: 127.0.0.1:${gateway.port}`, ...fields];
    socket.write(Buffer.from([...head, "connection: close", "content-length: 0", "", ""].join("\r\n"), "latin1"));
    return (await readAll(socket)).slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
  };
  expect(await put("cache-control: no-cache\x85")).toBe("400");
  expect(await put("Cache-Control: no-cache", "cache-control: no-store", "constructor: a", "__proto__: a")).toBe("200");
  const info = await gateway.storage.head({ bucket: "media", key: "apart.png" });
  expect(info?.headers).toEqual({ cacheControl: "no-cache, no-store" });
});
