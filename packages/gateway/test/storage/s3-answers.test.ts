/** What an upstream may answer, by mistake or on purpose. It may fail its clients, and can neither mislead nor hold them. */
import { setMaxListeners } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Storage } from "../../src/storage/contract/storage.ts";
import type { S3Options } from "../../src/storage/s3/index.ts";
import { chunks, codeOf } from "../../src/testing/contract-tools.ts";
import type { TestGateway } from "../../src/testing/test-gateway.ts";
import { rawConnection, readAll, s3Code } from "../e2e/clients.ts";
import { errorOf } from "./gateway-upstream.ts";
import {
  at,
  buckets,
  contents,
  driver,
  front,
  list,
  MB,
  MORE,
  object,
  opened,
  part,
  portOf,
  ref,
  says,
  scripted,
  signed,
  uploadOf,
} from "./scripted-upstream.ts";

type Call = (storage: Storage) => Promise<unknown>;

const upload = { ...ref, uploadId: "u" };
const page = { prefix: "", limit: 10 };
const mine = { prefix: "mine/", limit: 10 };
const lists: Call = (storage) => storage.list("bucket", page);
const completes: Call = (storage) => storage.completeUpload(upload, [{ number: 1, etag: "e" }], { minPartSize: 0 });
const copies: Call = (storage) => storage.copy(ref, { ...ref, key: "b" }, { sourceEtag: "e" });

describe("an answer that S3 would not give is UNAVAILABLE: no success, and no fault of the client's document", () => {
  it.each<[string, string, Call]>([
    ["a page of HTML for a list", "<html>", lists],
    ["a document with a DOCTYPE", "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>", lists],
    ["nothing at all", "", lists],
    ["an error without a code", "<Error/>", lists],
    ["another document", "<Other/>", lists],
    ["a key in another encoding", list(`<EncodingType>url</EncodingType>${contents("%zz")}`), lists],
    ["a size that is no number", list(contents("a").replace("<Size>1", "<Size>many")), lists],
    ["a key outside the prefix", list(contents("mine/a") + contents("theirs/b")), (s) => s.list("bucket", mine)],
    [
      "a prefix outside the prefix",
      list("<CommonPrefixes><Prefix>theirs/</Prefix></CommonPrefixes>"),
      (storage) => storage.list("bucket", { ...mine, delimiter: "/" }),
    ],
    [
      "an upload outside the prefix",
      `<ListMultipartUploadsResult>${uploadOf("theirs/b")}</ListMultipartUploadsResult>`,
      (storage) => storage.listUploads("bucket", mine),
    ],
    [
      "a list that begins anew each time",
      list(contents("a") + contents("b") + MORE),
      (storage) => storage.list("bucket", { prefix: "", limit: 2, after: { key: "b" } }),
    ],
    [
      "a list of parts that begins anew each time",
      `<ListPartsResult>${part}${MORE}</ListPartsResult>`,
      (storage) => storage.completeUpload(upload, [{ number: 2, etag: "f" }], { minPartSize: 1 }),
    ],
    [
      "a part of no number",
      "<ListPartsResult><Part><PartNumber>-1</PartNumber></Part></ListPartsResult>",
      (storage) => storage.listParts(upload, { after: 0, limit: 1 }),
    ],
    ["an upload without an id", "<InitiateMultipartUploadResult/>", (storage) => storage.createUpload(ref)],
    ["a completion without an ETag", "<CompleteMultipartUploadResult/>", completes],
    [
      "a completion whose ETag is empty",
      "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>",
      completes,
    ],
    ["an error inside a 200 for a copy", '\n <?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>', copies],
    [
      "a copied part whose ETag is empty",
      "<CopyPartResult><ETag></ETag></CopyPartResult>",
      (storage) => storage.copyPart(upload, 1, ref, { sourceEtag: "e" }),
    ],
    // A page of a proxy says yes to everything.
    ["a stored object without an ETag", "<html>", (storage) => storage.put(ref, chunks("x"))],
    [
      "a long object without an ETag",
      "<html>",
      (storage) => storage.put(ref, chunks(Buffer.alloc(MB)), { contentLength: MB }),
    ],
    ["a part without an ETag", "<html>", (storage) => storage.putPart(upload, 1, chunks("x"))],
    [
      "rules with two of an element",
      "<CORSConfiguration><CORSRule><ID/><ID/></CORSRule></CORSConfiguration>",
      (storage) => storage.corsRules("bucket"),
    ],
  ])("%s", async (_, body, call) => {
    const storage = await driver((request, response) => {
      if (request.method === "HEAD") return void object(response).end();
      // What is looked for before a completion, a part or a copy.
      const isLook = request.method === "GET" && request.url?.includes("uploadId=") && !body.startsWith("<ListParts");
      return says(isLook ? "<ListPartsResult/>" : body)(request, response);
    });
    expect(await codeOf(call(storage))).toBe("UNAVAILABLE");
  });

  it("a success before the end of the body", async () => {
    const storage = await driver((request, response) => void object(response, request.method === "PUT" ? 0 : MB).end());
    const pieces = chunks(...Array.from({ length: 16 }, () => Buffer.alloc(MB / 16)));
    expect(await codeOf(storage.put(ref, pieces, { contentLength: MB }))).toBe("UNAVAILABLE");
  });

  it("a list of buckets that never ends", { timeout: 60_000 }, async () => {
    let pages = 0;
    const more = () => `<ContinuationToken>${++pages}</ContinuationToken></ListAllMyBucketsResult>`;
    const listener = says(() => buckets(`bucket-${pages}`).replace("</ListAllMyBucketsResult>", more()));
    expect(await codeOf((await driver(listener, { bucket: undefined })).buckets())).toBe("UNAVAILABLE");
    expect(pages).toBeLessThanOrEqual(1000);
  });
});

describe("what an upstream says", () => {
  it("is read although a refusal repeats a key with characters that XML does not have", async () => {
    const refusal = "<Error><Code>NoSuchUpload</Code><Key>a&#x1;b</Key><Resource>/bucket/a&#x1;b</Resource></Error>";
    const storage = await driver((_, response) => void response.writeHead(404).end(refusal));
    expect(await codeOf(storage.abortUpload(upload))).toBe("NO_SUCH_UPLOAD");
  });

  it("has the beginning of time for an invalid date", async () => {
    const uploads = uploadOf("a").replace("<Initiated/>", "<Initiated>never</Initiated>");
    const dated = buckets("bucket").replace("</Name>", "</Name><CreationDate>?</CreationDate>");
    const storage = await driver(
      says((request) =>
        request.url?.startsWith("/bucket")
          ? `<ListMultipartUploadsResult>${uploads}</ListMultipartUploadsResult>`
          : dated,
      ),
    );
    const [entry] = (await storage.listUploads("bucket", page)).entries;
    expect(entry).toMatchObject({ upload: { created: new Date(0) } });
    expect(await storage.buckets()).toEqual([{ name: "bucket", created: new Date(0) }]);
  });

  it("is a list that continues inside of what it rolls up", async () => {
    const storage = await driver(says(list(`<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>${MORE}`)));
    const found = await storage.list("bucket", { prefix: "", delimiter: "/", limit: 1, after: { key: "a/b" } });
    expect(found).toEqual({ entries: [{ kind: "prefix", prefix: "a/" }], truncated: true });
  });

  it("is a list cut to what was asked for, and said to continue", async () => {
    const storage = await driver(says(list(contents("a") + contents("b") + contents("c"))));
    const { entries, truncated } = await storage.list("bucket", { prefix: "", limit: 2 });
    expect([entries.length, truncated]).toEqual([2, true]);
  });

  it("is not asked again about the parts of an object where its pages have none", async () => {
    let pages = 0;
    const storage = await driver((request, response) => {
      if (request.url?.includes("attributes")) {
        pages += 1;
        const next = `${MORE}<NextPartNumberMarker>${pages}</NextPartNumberMarker>`;
        response.statusCode = pages > 100 ? 403 : 200;
        response.end(`<GetObjectAttributesResponse><ObjectParts>${next}</ObjectParts></GetObjectAttributesResponse>`);
      } else object(response).setHeader("etag", '"e-2"').setHeader("x-amz-checksum-crc32", "AAAAAA==-2").end();
    });
    const found = await storage.head(ref, { parts: true });
    expect([found?.parts, pages]).toEqual([[{ size: 1 }, { size: 1 }], 1]);
  });

  it("is not asked for a further part of an object once its client has left", async () => {
    let looks = 0;
    const leave = new AbortController();
    setMaxListeners(0, leave.signal);
    const storage = await driver((request, response) => {
      if (request.url?.includes("partNumber")) looks += 1;
      if (looks === 16) leave.abort();
      object(response).setHeader("etag", '"e-9999"').end();
    });
    await codeOf(storage.get(ref, { parts: true, signal: leave.signal }));
    await codeOf(storage.head(ref));
    expect(looks).toBeLessThan(64);
  });

  it.each([
    [301, "PermanentRedirect", ": correct its region or endpoint"],
    [307, "TemporaryRedirect", ""],
    [403, "SignatureDoesNotMatch", ""],
    [403, "AccessDenied", ": check what its credentials may do", "STORAGE_DENIED"],
    [403, "InvalidAccessKeyId", ": check what its credentials may do"],
    [403, "RequestTimeTooSkewed", ": compare the clocks of both"],
    [500, "InternalError", ""],
    [503, "SlowDown", ""],
  ])(
    "is told to the operator for %i %s, with advice and without a secret, and no redirect is followed",
    async (...row) => {
      const [status, code, advice, expected = "UNAVAILABLE"] = row;
      let calls = 0;
      const storage = await driver((request, response) => {
        calls += 1;
        const text = `<StringToSign>${request.url?.replaceAll("&", "&amp;")}</StringToSign>`;
        response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" });
        response.end(`<Error><Code>${code}</Code>${text}</Error>`);
      });
      const error = await errorOf(storage.get({ bucket: "bucket", key: "a-private-key" }));
      expect([error.code, calls]).toEqual([expected, 1]);
      expect(error.message).toContain(`the upstream answered ${status} ${code}${advice}`);
      expect(error.message).not.toMatch(/Signature=|AKID|secret|private/);
    },
  );
});

/** An upstream that answers each head with these very bytes. */
async function raw(answer: string): Promise<S3Options> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      head += data.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      head = "";
      socket.write(answer, "latin1");
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return at(`http://127.0.0.1:${await portOf(server)}`);
}

const OBJECT = 'ETag: "e"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:01 GMT\r\n';

/** Everything that a client reads on its connection. */
async function download(gateway: TestGateway): Promise<string> {
  const socket = await rawConnection(gateway);
  const target = signed(gateway).slice(gateway.url.length);
  socket.write(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nconnection: close\r\n\r\n`);
  return readAll(socket);
}

describe("a client of the gateway", () => {
  it("gets 503 and no reason for a refusal of the upstream, which only the log says", async () => {
    const gateway = await front(
      await scripted((_, response) => {
        response.writeHead(403).end("<Error><Code>InvalidAccessKeyId</Code></Error>");
      }),
    );
    const answer = await fetch(signed(gateway));
    expect([answer.status, /InvalidAccessKeyId|upstream/.test(await answer.text())]).toEqual([503, false]);
    await expect
      .poll(() => gateway.events.map(({ error }) => String(error)))
      .toEqual([
        "StorageError: could not open the object: the upstream answered 403 InvalidAccessKeyId: check what its credentials may do",
      ]);
  });

  it("gets 503, not 400, if the upstream's document cannot be read", async () => {
    const gateway = await front(await scripted(says("<InitiateMultipartUploadResult/>")));
    const answer = await fetch(signed(gateway, { method: "POST", query: { uploads: "" } }), { method: "POST" });
    expect([answer.status, s3Code(await answer.text())]).toEqual([503, "ServiceUnavailable"]);
  });

  it("gets 503 for a part whose length the upstream does not send", async () => {
    const options = await scripted((request, response) => {
      const isPart = request.url?.includes("partNumber=") === true;
      response.writeHead(200, { etag: '"e-2"', ...(isPart ? {} : { "content-length": "10" }) });
      response.end(request.method === "HEAD" ? "" : "0123456789");
    });
    expect((await fetch(signed(await front(options), { query: { partNumber: "2" } }))).status).toBe(503);
  });

  it.each([
    ["a part that nobody asked for", "206 Partial Content", `${OBJECT}Content-Range: bytes 5-9/100\r\n`],
    ["what a proxy has changed", "203 Non-Authoritative Information", OBJECT],
    ["what has no content", "205 Reset Content", OBJECT],
    ["a page that has no ETag", "200 OK", ""],
  ])("never gets %s for a whole object", async (_, status, headers) => {
    const options = await raw(`HTTP/1.1 ${status}\r\n${headers}Content-Length: 5\r\n\r\nhello`);
    expect(await download(await front(options))).toMatch(/^HTTP\/1\.1 503 /);
    expect(await codeOf(opened(options).head(ref))).toBe("UNAVAILABLE");
  });

  it("gets 503 where the upstream changes to another protocol, which holds neither request nor place", async () => {
    const options = await raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    const storage = opened(options);
    const long = { contentLength: MB };
    const calls = [storage.get(ref), storage.put(ref, chunks("x")), storage.put(ref, chunks(Buffer.alloc(MB)), long)];
    expect(await Promise.all(calls.map(codeOf))).toEqual(Array(3).fill("UNAVAILABLE"));
    expect(await download(await front(options))).toMatch(/^HTTP\/1\.1 503 /);
  });

  it("may get as long a head as an upload can bring about, and no longer", async () => {
    const head = (bytes: number): string =>
      `HTTP/1.1 200 OK\r\n${OBJECT}Content-Disposition: ${"x".repeat(bytes)}\r\nContent-Length: 5\r\n\r\n`;
    const long = opened(await raw(head(30_000)));
    expect((await long.head(ref))?.headers.contentDisposition).toHaveLength(30_000);
    expect(await long.delete(ref)).toBe(true);
    expect(await codeOf(opened(await raw(head(100_000))).head(ref))).toBe("UNAVAILABLE");
  });

  it("loses its connection where an answer ends too early, and sees nothing of what follows a whole one", async () => {
    const options = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}Content-Length: 9\r\n\r\nhello`);
    const short = await download(await front({ ...options, timeouts: { idleMs: 100 } }));
    expect(short.toLowerCase()).toMatch(/content-length: 9\r\n.*\r\n\r\nhello$/s);
    const long = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}Content-Length: 3\r\n\r\nhello HTTP/1.1 200 OK\r\n\r\n`);
    expect(await download(await front(long))).toMatch(/\r\n\r\nhel$/);
  });

  it.each([
    ["fewer", 50],
    ["more", 150],
  ])("loses its connection where a part has %s bytes than were asked for", async (_, length) => {
    const gateway = await front(
      await scripted((request, response) => {
        if (request.method === "HEAD") object(response, 1000).end();
        else object(response, length).writeHead(206, { "content-range": "bytes 0-99/1000" }).end("x".repeat(length));
      }),
    );
    const socket = await rawConnection(gateway);
    const target = signed(gateway).slice(gateway.url.length);
    socket.write(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nrange: bytes=0-99\r\n\r\n`);
    // The client wants to keep the connection.
    expect(await readAll(socket)).not.toMatch(/x{100}/);
    await expect.poll(() => gateway.events).toMatchObject([{ complete: false, error: { code: "UNAVAILABLE" } }]);
  });

  it("gets only the headers of the object, made safe", async () => {
    const evil = [
      "Set-Cookie: session=1; Path=/",
      "Strict-Transport-Security: max-age=1",
      'Clear-Site-Data: "*"',
      "Link: <https://evil.example/>; rel=preload",
      "Refresh: 0; url=https://evil.example/",
      "Service-Worker-Allowed: /",
      "Access-Control-Allow-Origin: *",
      "Access-Control-Allow-Credentials: true",
      "Location: https://evil.example/",
      "X-Accel-Redirect: /etc/passwd",
      "Content-Security-Policy: default-src *",
      "Cache-Control: public, max-age=31536000, s-maxage=31536000",
      "Content-Type: text/html",
      "Content-Disposition: inline",
      // "\r\nSet-Cookie: x=y"
      "x-amz-meta-note: =?UTF-8?B?DQpTZXQtQ29va2llOiB4PXk=?=",
    ].join("\r\n");
    const options = await raw(`HTTP/1.1 200 OK\r\n${OBJECT}${evil}\r\nContent-Length: 5\r\n\r\nhello`);
    const [head = ""] = (await download(await front(options))).split("\r\n\r\n");
    expect(head).not.toMatch(
      /evil|session|default-src \*|public|s-maxage|X-Accel|Strict|Clear-Site|allow-origin|inline/i,
    );
    expect(head).toMatch(/^content-disposition: attachment$/im);
    expect(head).toMatch(/^content-security-policy: sandbox; default-src 'none'$/im);
    expect(head).not.toMatch(/^set-cookie/im);
  });

  it("gets of the upstream's cross-origin rules what a header can hold", async () => {
    const rule =
      "<CORSRule><AllowedOrigin>\n*\n</AllowedOrigin><AllowedMethod> GET </AllowedMethod><ExposeHeader>\n ETag\n</ExposeHeader><ExposeHeader>x\nSet-Cookie: a=b</ExposeHeader><MaxAgeSeconds>for ever</MaxAgeSeconds></CORSRule>";
    const gateway = await front(
      await scripted((request, response) => {
        if (request.url?.includes("cors")) response.end(`<CORSConfiguration>${rule}</CORSConfiguration>`);
        else object(response, 5).end("hello");
      }),
    );
    const answer = await fetch(signed(gateway), { headers: { origin: "https://page.example" } });
    const allowed = ["access-control-allow-origin", "access-control-expose-headers"];
    expect([answer.status, ...allowed.map((name) => answer.headers.get(name))]).toEqual([200, "*", "ETag"]);
  });

  it("cannot have the upstream asked again and again for what it has just failed to tell", async () => {
    let calls = 0;
    let now = Date.now();
    const options = await scripted((_, response) => {
      calls += 1;
      response.writeHead(503).end();
    });
    // The rules of a bucket, and the names of all.
    for (const bucket of ["bucket", undefined]) {
      calls = 0;
      const gateway = await front({ ...options, bucket, clock: () => new Date(now) });
      const preflight = async (path: string) => {
        const headers = { origin: "https://app.example.com", "access-control-request-method": "GET" };
        expect((await fetch(`${gateway.url}/${path}/a`, { method: "OPTIONS", headers })).status).toBe(403);
      };
      for (let i = 0; i < 5; i++) await preflight(bucket ?? `bucket-${i}`);
      expect(calls).toBe(1);
      now += 1000;
      await preflight("bucket");
      expect(calls).toBe(2);
    }
  });
});
