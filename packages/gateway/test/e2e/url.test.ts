import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OpenObject, Storage } from "../../src/storage/contract/storage.ts";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, s3Code, s3For, send, useGateway } from "./clients.ts";

const HELLO = "hello, world\n";
const gateway = useGateway({
  files: {
    "media/hello.txt": HELLO,
    "media/a b & ü.txt": "odd",
    "media/talks/one.txt": "1",
    "media/private/two.txt": "2",
  },
});

async function problem(reply: Response): Promise<[number, string | null, string]> {
  const { code } = (await reply.json()) as { code: string };
  return [reply.status, reply.headers.get("content-type"), code];
}

const refused = (status: number, code: string) => [status, "application/problem+json", code];

describe("a Daypass URL", () => {
  it("serves GET and HEAD of a file under one grant", async () => {
    const url = daypassUrl(gateway, "/media/hello.txt");
    const get = await fetch(url);
    expect([get.status, await get.text()]).toEqual([200, HELLO]);
    expect(get.headers.get("cache-control")).toMatch(/^private, max-age=(?:5\d|60)$/);
    expect(get.headers.get("x-request-id")).toMatch(/^[0-9A-F]{16}$/);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(HELLO.length)]);
  });

  it("serves names with spaces, marks and letters beyond ASCII", async () => {
    const reply = await fetch(daypassUrl(gateway, "/media/a%20b%20&%20%C3%BC.txt"));
    expect([reply.status, await reply.text()]).toEqual([200, "odd"]);
  });

  it("answers NO_SUCH_KEY to the path of a bucket", async () => {
    for (const path of ["/media", "/media/"]) {
      for (const method of ["GET", "PUT", "DELETE"] as const) {
        const reply = await fetch(daypassUrl(gateway, path, { methods: [method] }), { method });
        expect(await problem(reply)).toEqual(refused(404, "NO_SUCH_KEY"));
      }
    }
  });

  it("serves files below a granted prefix, and refuses others", async () => {
    const url = daypassUrl(gateway, "/media/talks/one.txt", { prefix: "/media/talks/" });
    expect(await (await fetch(url)).text()).toBe("1");
    expect((await fetch(url.replace("talks/one", "private/two"))).status).toBe(403);
  });

  it("stores a PUT only with the granted length, type and digest", async () => {
    const body = "exactly this";
    const url = daypassUrl(gateway, "/media/up.bin", {
      methods: ["PUT"],
      bind: {
        contentType: "application/x-mine",
        contentLength: { min: 1, max: 20 },
        sha256: createHash("sha256").update(body).digest("hex"),
      },
    });
    const put = (content: string, type = "application/x-mine") =>
      fetch(url, { method: "PUT", body: content, headers: { "content-type": type } });
    expect(await problem(await put("exactly that"))).toEqual(refused(400, "BODY_DIGEST"));
    expect(await problem(await put("much longer than twenty bytes"))).toEqual(refused(400, "BODY_LENGTH"));
    expect(await problem(await put(body, "text/html"))).toEqual(refused(415, "BODY_TYPE"));
    expect(existsSync(join(gateway.root, "media/up.bin"))).toBe(false);
    const stored = await put(body);
    expect([stored.status, stored.headers.get("content-length")]).toEqual([200, "0"]);
    expect(readFileSync(join(gateway.root, "media/up.bin"), "utf8")).toBe(body);
    expect((await fetch(daypassUrl(gateway, "/media/up.bin"))).headers.get("etag")).toBe(stored.headers.get("etag"));
    expect(stored.headers.get("etag")).toMatch(/^".+"$/);
  });

  it("enforces the granted length on a body without an announced length", async () => {
    const url = daypassUrl(gateway, "/media/stream.bin", {
      methods: ["PUT"],
      bind: { contentLength: { min: 3, max: 5 } },
    });
    const put = (content: string) =>
      send(gateway, {
        method: "PUT",
        target: url.slice(gateway.url.length),
        headers: { host: `127.0.0.1:${gateway.port}`, "transfer-encoding": "chunked" },
        body: content,
      });
    for (const content of ["sixsix", "ab"]) {
      const { status, body } = await put(content);
      expect([status, JSON.parse(body.toString()).code]).toEqual([400, "BODY_LENGTH"]);
      expect(gateway.events.at(-1)?.code).toBe("BODY_LENGTH");
    }
    expect((await put("abcd")).status).toBe(200);
  });

  it("repeats nothing of earlier requests for a cached object", async () => {
    const info = { size: 1, etag: "e", lastModified: new Date(0), contentType: "text/plain" };
    const remembered: OpenObject = {
      info: { ...info, headers: {}, metadata: {}, checksums: {} },
      body: () => ({ kind: "bytes", bytes: Buffer.from("x") }),
      close() {},
    };
    const storage = (disk: Storage) => ({ ...disk, getCached: () => remembered });
    const other = await testGateway({ files: { "media/.keep": "" }, storage });
    const { url } = s3For(other).sign({ bucket: "media", key: "a.txt", expiresIn: 60 });
    for (const [name, asked] of [
      ["x-request-id", daypassUrl(other, "/media/a.txt")],
      ["x-amz-request-id", url],
    ] as const) {
      for (let i = 0; i < 3; i++) expect((await fetch(asked)).headers.get(name)).toMatch(/^[0-9A-F]{16}$/);
    }
    await other.close();
  });

  it("accepts the shortest and the longest granted body", async () => {
    const url = daypassUrl(gateway, "/media/bounds.bin", {
      methods: ["PUT"],
      bind: { contentLength: { min: 3, max: 5 } },
    });
    const put = async (body: string) => (await fetch(url, { method: "PUT", body })).status;
    expect([await put("ab"), await put("abc"), await put("abcde"), await put("abcdef")]).toEqual([400, 200, 200, 400]);
  });

  it("answers HEAD with the range of GET", async () => {
    const options = { method: "HEAD", headers: { range: "bytes=1-3" } };
    const reply = await fetch(daypassUrl(gateway, "/media/hello.txt"), options);
    const told = ["content-length", "content-range"].map((name) => reply.headers.get(name));
    expect([reply.status, ...told]).toEqual([206, "3", `bytes 1-3/${HELLO.length}`]);
  });

  it("reports limits of the server and limits of the grant by different codes", async () => {
    const small = await testGateway({ files: { "media/.keep": "" }, gateway: () => ({ limits: { body: 4 } }) });
    const url = daypassUrl(small, "/media/a.bin", { methods: ["PUT"], bind: { contentLength: { min: 1, max: 9 } } });
    const put = (body: string, headers = {}) => fetch(url, { method: "PUT", body, headers });
    expect(await problem(await put("five!"))).toEqual(refused(413, "TOO_LARGE"));
    const md5 = createHash("md5").update("other").digest("base64");
    expect(await problem(await put("four", { "content-md5": md5 }))).toEqual(refused(400, "DIGEST_MISMATCH"));
    const sha256 = createHash("sha256").update("four").digest("hex");
    const exact = daypassUrl(small, "/media/a.bin", { methods: ["PUT"], bind: { sha256 } });
    const both = await fetch(exact, { method: "PUT", body: "four", headers: { "content-md5": md5 } });
    expect(await problem(both)).toEqual(refused(400, "DIGEST_MISMATCH"));
    await small.close();
  });

  it("refuses to replace an object with a create-only URL", async () => {
    const url = daypassUrl(gateway, "/media/only-once.txt", { methods: ["PUT"], createOnly: true });
    expect((await fetch(url, { method: "PUT", body: "1" })).status).toBe(200);
    expect(await problem(await fetch(url, { method: "PUT", body: "2" }))).toEqual(refused(412, "PRECONDITION_FAILED"));
  });

  it("deletes a file", async () => {
    await fetch(daypassUrl(gateway, "/media/gone.txt", { methods: ["PUT"] }), { method: "PUT", body: "x" });
    const reply = await fetch(daypassUrl(gateway, "/media/gone.txt", { methods: ["DELETE"] }), { method: "DELETE" });
    expect(reply.status).toBe(204);
    expect(await problem(await fetch(daypassUrl(gateway, "/media/gone.txt")))).toEqual(refused(404, "NO_SUCH_KEY"));
  });

  it("refuses a URL with a limited number of uses", async () => {
    const url = daypassUrl(gateway, "/media/hello.txt", { uses: 1, nonce: "0123456789abcdef" });
    expect(await problem(await fetch(url))).toEqual(refused(403, "UNENFORCED_CONSTRAINT"));
  });

  it("sends the signed response headers", async () => {
    const url = daypassUrl(gateway, "/media/hello.txt", {
      response: { contentDisposition: 'attachment;filename="h.txt"', cacheControl: "no-store" },
    });
    const { headers } = await fetch(url);
    expect(headers.get("content-disposition")).toBe('attachment;filename="h.txt"');
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("answers an unknown key and a wrong signature alike", async () => {
    const url = daypassUrl(gateway, "/media/hello.txt");
    const answers = await Promise.all(
      [
        url.replace("dp-key=test-1", "dp-key=test-2"),
        url.replace(/dp-signature=.(?=.)/, (start) => `dp-signature=${start.endsWith("A") ? "B" : "A"}`),
      ].map(async (other) => {
        const reply = await fetch(other);
        return [reply.status, await reply.text()];
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(403);
  });

  it("answers an expired URL with a problem for programs and a page for browsers", async () => {
    const url = daypassUrl(gateway, "/media/hello.txt", {}, () => new Date(Date.now() - 120_000));
    expect(await problem(await fetch(url))).toEqual(refused(403, "EXPIRED"));
    const page = await fetch(url, {
      headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "user-agent": "Mozilla/5.0" },
    });
    expect([page.status, page.headers.get("content-type")]).toEqual([403, "text/html; charset=utf-8"]);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    const html = await page.text();
    expect(html).toContain("This link has expired");
    expect(html).not.toContain("hello.txt");
    for (const accept of [
      "text/html;q=0, */*",
      "application/json, text/html;q=0.1",
      "text/html;q=0.5, */*;q=0.8",
      "*/*",
    ]) {
      expect(await problem(await fetch(url, { headers: { accept, "user-agent": "Mozilla/5.0" } }))).toEqual(
        refused(403, "EXPIRED"),
      );
    }
  });
});

describe("a request without a signature", () => {
  it("answers a browser with a page that shows the request id of the log", async () => {
    const reply = await fetch(`${gateway.url}/media/hello.txt`, {
      headers: { accept: "text/html", "user-agent": "Mozilla/5.0" },
    });
    const id = reply.headers.get("x-request-id");
    expect([reply.status, id]).toEqual([403, gateway.events.at(-1)?.requestId]);
    expect(await reply.text()).toContain(`<bdi>${id}</bdi>`);
  });
});

describe("a host that speaks only some dialects", () => {
  it("answers each host in its configured dialect, and refuses the other dialect", async () => {
    const split = await testGateway({
      files: { "media/hello.txt": HELLO },
      gateway: (port) => ({
        origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`],
        hosts: { [`127.0.0.1:${port}`]: ["url"], [`localhost:${port}`]: ["s3"] },
      }),
    });
    expect(await problem(await fetch(`${split.url}/media/hello.txt`))).toEqual(refused(403, "NO_SIGNATURE"));
    expect(await (await fetch(daypassUrl(split, "/media/hello.txt"))).text()).toBe(HELLO);
    const s3 = await fetch(s3For(split).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
    expect([s3.status, s3Code(await s3.text())]).toEqual([403, "AccessDenied"]);
    const endpoint = `http://localhost:${split.port}`;
    const own = s3For(split, { endpoint }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url;
    const reply = await send(split, {
      target: own.slice(endpoint.length),
      headers: { host: `localhost:${split.port}` },
    });
    expect(reply.status).toBe(200);
    await split.close();
  });
});
