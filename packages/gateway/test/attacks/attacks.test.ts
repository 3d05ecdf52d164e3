import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { S3AccessKey } from "../../src/index.ts";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { daypassUrl, type Reply, s3Code, s3Field, s3For, send, until } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";

const SECRET = "the secret of another tenant";
let gateway: TestGateway;
let storage: RecordingStorage;
/** May be changed by a test: the operator's side. */
let scoped: S3AccessKey | undefined;

beforeAll(async () => {
  gateway = await testGateway({
    files: {
      "media/hello.txt": "hello",
      "media/merchants/123/a.txt": "123",
      "media/merchants/1234/a.txt": "1234",
      "media/page.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
      "private/secret.txt": SECRET,
    },
    storage: (disk) => {
      storage = recordingStorage(disk);
      return storage;
    },
    gateway: (port) => ({
      keys: {
        s3: (id) =>
          id === "AKIDSCOPED" ? scoped : id === gateway.accessKey.accessKeyId ? gateway.accessKey : undefined,
        url: (kid) => (kid === gateway.urlKey.kid ? gateway.urlKey : undefined),
      },
      origins: [`http://127.0.0.1:${port}`, `http://other.localhost:${port}`],
    }),
  });
});
afterAll(() => gateway.close());
afterEach(() => {
  scoped = undefined;
});

const host = () => `127.0.0.1:${gateway.port}`;
const targetOf = (url: string) => url.slice(gateway.url.length);
const sign = (request: Parameters<ReturnType<typeof s3Signer>["sign"]>[0]) =>
  targetOf(s3For(gateway).sign(request).url);
const get = (key = "hello.txt", bucket = "media") => sign({ bucket, key, expiresIn: 60 });
const put = (key: string, bucket = "media") => sign({ method: "PUT", bucket, key, expiresIn: 60 });

/** Sends and tells how often the storage was called meanwhile. */
async function attack(sent: Parameters<typeof send>[1]): Promise<Reply & { readonly calls: number }> {
  const before = storage.calls.length;
  const length = sent.body === undefined ? {} : { "content-length": String(Buffer.byteLength(sent.body)) };
  const reply = await send(gateway, { ...sent, headers: { host: host(), ...length, ...sent.headers } });
  return { ...reply, calls: storage.calls.length - before };
}

describe("payload modes never choose whether a signature is checked", () => {
  const modes = [
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "UNSIGNED-PAYLOAD",
  ];
  it.each(modes)("CVE-2025-31489: an upload in mode %s with a wrong secret is refused", async (payload) => {
    const key = { ...gateway.accessKey, secretAccessKey: "not the secret" };
    const headers = headerSignature({ method: "PUT", path: "/media/x.txt", host: host(), key, payload });
    const reply = await attack({ method: "PUT", target: "/media/x.txt", headers, body: "x" });
    expect([reply.status, reply.calls]).toEqual([403, 0]);
    expect(existsSync(join(gateway.root, "media/x.txt"))).toBe(false);
  });

  it("CVE-2026-41145: credentials in the query without a signature are nothing, in any payload mode", async () => {
    for (const mode of modes) {
      const target = put("x.txt").replace(/&X-Amz-Signature=[^&]*/, "");
      const reply = await attack({ method: "PUT", target, headers: { "x-amz-content-sha256": mode }, body: "x" });
      expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([400, "AuthorizationQueryParametersError", 0]);
    }
  });

  it("CVE-2026-41145: an Authorization header beside signed query credentials is refused, not preferred", async () => {
    for (const authorization of ["AWS4-HMAC-SHA256 Credential=x", "Bearer x", ""]) {
      const reply = await attack({ method: "PUT", target: put("x.txt"), headers: { authorization }, body: "x" });
      expect([reply.status, reply.calls]).toEqual([400, 0]);
    }
  });

  it("CVE-2025-31489: a presigned upload in a streaming mode is not stored with its framing", async () => {
    const reply = await attack({
      method: "PUT",
      target: put("framed.txt"),
      headers: { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked" },
      body: "5\r\nhello\r\n0\r\n\r\n",
    });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([501, "NotImplemented", 0]);
  });

  it("CVE-2026-40344: a header that asks to unpack an archive is refused and unpacks nothing", async () => {
    const headers = { "x-amz-meta-snowball-auto-extract": "true" };
    const unsigned = await attack({ method: "PUT", target: put("a.tar"), headers, body: "x" });
    expect([unsigned.status, unsigned.calls]).toEqual([403, 0]);
    const reply = await attack({
      method: "PUT",
      target: sign({ method: "PUT", bucket: "media", key: "b.tar", expiresIn: 60, bind: { headers } }),
      headers,
      body: "x",
    });
    // Signed it is user metadata like any other.
    expect(reply.status).toBe(200);
    expect(readFileSync(join(gateway.root, "media/b.tar"), "utf8")).toBe("x");
  });
});

describe("nothing unsigned acts", () => {
  const headers = {
    "x-amz-copy-source": "/private/secret.txt",
    "x-amz-acl": "public-read",
    "x-amz-tagging": "a=b",
    "x-amz-storage-class": "GLACIER",
    "x-amz-website-redirect-location": "https://evil.example.com/",
    "x-amz-meta-role": "admin",
    "x-amz-object-lock-mode": "COMPLIANCE",
  };
  it.each(Object.entries(headers))(
    "CVE-2026-54330: an unsigned %s on a presigned PUT is refused",
    async (name, value) => {
      const reply = await attack({ method: "PUT", target: put("copy.txt"), headers: { [name]: value }, body: "x" });
      expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([403, "AccessDenied", 0]);
      expect(s3Field(reply.body, "HeadersNotSigned")).toBe(name);
    },
  );

  const refused = [
    ["x-amz-acl", "public-read", 400, "AccessControlListNotSupported"],
    ["x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/global/AllUsers", 400, "AccessControlListNotSupported"],
    ["x-amz-storage-class", "GLACIER", 501, "NotImplemented"],
    ["x-amz-website-redirect-location", "https://evil.example.com/", 501, "NotImplemented"],
    ["x-amz-object-lock-mode", "COMPLIANCE", 501, "NotImplemented"],
    ["x-amz-object-lock-legal-hold", "ON", 501, "NotImplemented"],
    ["x-amz-server-side-encryption", "AES256", 501, "NotImplemented"],
    ["x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"],
    ["x-amz-server-side-encryption-customer-algorithm", "AES256", 501, "NotImplemented"],
    ["x-amz-expected-bucket-owner", "111122223333", 501, "NotImplemented"],
    ["x-amz-write-offset-bytes", "0", 501, "NotImplemented"],
  ] as const;
  it.each(refused)(
    "CVE-2026-54330: a signed %s: %s is refused by name instead of ignored",
    async (name, value, status, code) => {
      const bound = { [name]: value };
      const target = sign({ method: "PUT", bucket: "media", key: "copy.txt", expiresIn: 60, bind: { headers: bound } });
      const reply = await attack({ method: "PUT", target, headers: bound, body: "x" });
      expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([status, code, 0]);
    },
  );

  const unsigned = {
    "x-amz-copy-source": "/private/secret.txt",
    "x-amz-copy-source-range": "bytes=0-0",
    "x-amz-metadata-directive": "REPLACE",
    "x-amz-tagging": "a=b",
    "x-amz-tagging-directive": "REPLACE",
    "x-amz-meta-a": "1",
    "x-amz-acl": "private",
    "x-amz-grant-full-control": "id=1",
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-sdk-checksum-algorithm": "CRC32",
  };
  const urls = {
    "an upload": { method: "PUT" as const, query: {}, headers: {} },
    "a copy": { method: "PUT" as const, query: {}, headers: { "x-amz-copy-source": "/media/hello.txt" } },
    "a part": { method: "PUT" as const, query: { uploadId: "1", partNumber: "1" }, headers: {} },
    "the beginning of an upload": { method: "POST" as const, query: { uploads: "" }, headers: {} },
    tags: { method: "PUT" as const, query: { tagging: "" }, headers: {} },
  };
  it.each(Object.keys(urls))("CVE-2026-54330: nothing unsigned is added to a URL for %s", async (name) => {
    const { method, query, headers } = urls[name as keyof typeof urls];
    const target = sign({ method, bucket: "media", key: "copy.txt", expiresIn: 60, bind: { query, headers } });
    for (const [header, value] of Object.entries(unsigned)) {
      if (Object.hasOwn(headers, header)) continue;
      const reply = await attack({ method, target, headers: { ...headers, [header]: value }, body: "" });
      expect([header, reply.status, s3Code(reply.body), reply.calls]).toEqual([header, 403, "AccessDenied", 0]);
    }
  });

  // In the canonical request a run of blanks, and a tab, is one blank: the signature fits all of these.
  it.each(["/media/my  file.txt", "/media/my\tfile.txt", "/media/my file.txt\t", "\t/media/my file.txt"])(
    "a signed copy source with a blank copies no other object in the hands of its holder (%j)",
    async (source) => {
      const bound = { "x-amz-copy-source": "/media/my file.txt" };
      const target = sign({ method: "PUT", bucket: "media", key: "copy.txt", expiresIn: 60, bind: { headers: bound } });
      const reply = await attack({ method: "PUT", target, headers: { "x-amz-copy-source": source }, body: "" });
      const isTrimmed = source.trim() === "/media/my file.txt";
      expect([reply.status, s3Code(reply.body)]).toEqual(isTrimmed ? [404, "NoSuchKey"] : [400, "InvalidArgument"]);
    },
  );

  const narrow = {
    "another bucket": { scope: { buckets: ["media"] }, source: "/private/secret.txt" },
    "another prefix": { scope: { prefix: "merchants/123" }, source: "/media/merchants/1234/a.txt" },
    "the same bucket, without the right to read": { scope: { methods: ["PUT"] }, source: "/media/hello.txt" },
  };
  it.each(Object.entries(narrow))(
    "CVE-2026-54330: the right to write is none to copy from %s",
    async (_, { scope, source }) => {
      scoped = { accessKeyId: "AKIDSCOPED", secretAccessKey: "scoped secret", scope };
      const request = { bucket: "media", key: "merchants/123/copy.txt", expiresIn: 60 };
      const headers = { "x-amz-copy-source": source };
      const queries = [{}, { uploadId: "0123456789abcdef0123456789abcdef", partNumber: "1" }];
      for (const query of queries) {
        const { url } = s3For(gateway, { credentials: scoped }).sign({
          ...request,
          method: "PUT",
          bind: { headers, query },
        });
        const reply = await attack({ method: "PUT", target: targetOf(url), headers, body: "" });
        expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([403, "AccessDenied", 0]);
        expect(reply.body.toString()).not.toContain(SECRET);
      }
      expect(existsSync(join(gateway.root, "media/merchants/123/copy.txt"))).toBe(false);
    },
  );

  it("SSRF: a copy source is a name, and no address is ever called", async () => {
    let connections = 0;
    const server = createServer(() => {
      connections += 1;
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const source of [
      `http://127.0.0.1:${port}/media/a`,
      `//127.0.0.1:${port}/a`,
      `http:%2F%2F127.0.0.1:${port}%2Fa/b`,
      `127.0.0.1:${port}/a`,
      "arn:aws:s3:::media/hello.txt",
      "file:///etc/passwd",
      "../private/secret.txt",
      "media/../private/secret.txt",
      "media%2F..%2Fprivate/secret.txt",
    ]) {
      const headers = { "x-amz-copy-source": source };
      const target = sign({ method: "PUT", bucket: "media", key: "ssrf.txt", expiresIn: 60, bind: { headers } });
      const reply = await attack({ method: "PUT", target, headers, body: "" });
      expect([source, reply.status >= 400 && reply.status < 500]).toEqual([source, true]);
      expect(existsSync(join(gateway.root, "media/ssrf.txt"))).toBe(false);
    }
    expect(connections).toBe(0);
    server.close();
  });

  it("GHSA-xm99-m3gq-83g8: the same through header authentication", async () => {
    const signed = headerSignature({ method: "PUT", path: "/media/copy.txt", host: host(), key: gateway.accessKey });
    const reply = await attack({
      method: "PUT",
      target: "/media/copy.txt",
      headers: { ...signed, "x-amz-copy-source": "/private/secret.txt" },
      body: "x",
    });
    expect([reply.status, reply.calls]).toEqual([403, 0]);
  });

  it("CVE-2015-5223: an upload cannot become a reference to another object", async () => {
    for (const name of ["x-object-manifest", "x-symlink-target", "x-copy-from", "x-amz-website-redirect-location"]) {
      const reply = await attack({
        method: "PUT",
        target: put("pointer.txt"),
        headers: { [name]: "private/secret.txt" },
        body: "mine",
      });
      if (reply.status === 200) expect((await attack({ target: get("pointer.txt") })).body.toString()).toBe("mine");
      else expect(reply.status).toBe(403);
    }
  });

  it("CVE-2018-16477: the content type and disposition of a download cannot be set by its holder", async () => {
    for (const extra of ["response-content-type=text%2Fhtml", "response-content-disposition=inline"]) {
      expect((await attack({ target: `${get()}&${extra}` })).status).toBe(403);
      expect((await attack({ target: `${targetOf(daypassUrl(gateway, "/media/hello.txt"))}&${extra}` })).status).toBe(
        403,
      );
    }
  });

  it("a signed range is the part that was granted: no If-Range of the holder's own opens the rest", async () => {
    const range = "bytes=0-1";
    const bind = { headers: { range } };
    const urls = [
      sign({ bucket: "media", key: "hello.txt", expiresIn: 60, bind }),
      targetOf(daypassUrl(gateway, "/media/hello.txt", { bind })),
    ];
    for (const target of urls) {
      const granted = await attack({ target, headers: { range } });
      expect([granted.status, granted.body.toString()]).toEqual([206, "he"]);
      for (const own of ['"another"', granted.headers.etag ?? "", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
        const reply = await attack({ target, headers: { range, "if-range": own } });
        expect([own, reply.status, reply.calls]).toEqual([own, 403, 0]);
      }
    }
    // Who signs both, or neither, has it as HTTP has it.
    const both = { range, "if-range": '"another"' };
    const signed = sign({ bucket: "media", key: "hello.txt", expiresIn: 60, bind: { headers: both } });
    for (const target of [signed, get()]) {
      expect((await attack({ target, headers: both })).body.toString()).toBe("hello");
    }
  });

  it("SigV2 leaves the query unsigned, so a parameter that it does not sign is refused", async () => {
    const s3 = s3V2Signer({
      region: "us-east-1",
      endpoint: gateway.url,
      addressing: "path",
      credentials: gateway.accessKey,
    });
    const target = targetOf(s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
    expect((await attack({ target })).status).toBe(200);
    for (const extra of ["prefix=", "list-type=2", "x-amz-acl=public-read", "foo=bar"]) {
      const reply = await attack({ target: `${target}&${extra}` });
      expect([extra, reply.status, reply.calls]).toEqual([extra, 403, 0]);
    }
  });
});

describe("a URL opens what it was signed for", () => {
  it("supabase 1135: a download URL is no upload URL, and the other way round", async () => {
    expect((await attack({ method: "PUT", target: get(), body: "x" })).status).toBe(403);
    expect((await attack({ target: put("hello.txt") })).status).toBe(403);
    const download = targetOf(daypassUrl(gateway, "/media/hello.txt"));
    expect((await attack({ method: "PUT", target: download, body: "x" })).status).toBe(403);
  });

  it("Appwrite 13744: HEAD and method overrides do not change the method that is verified", async () => {
    for (const name of ["x-http-method-override", "x-method-override", "x-http-method"]) {
      const reply = await attack({ target: get(), headers: { [name]: "DELETE" } });
      expect(reply.body.toString()).toBe("hello");
    }
    expect((await attack({ method: "HEAD", target: get() })).status).toBe(403);
  });

  it("minio 5411: a URL for the data opens nothing under /-/", async () => {
    const query = get().slice(get().indexOf("?"));
    for (const path of ["/-/metrics", "/-/admin/keys", "/-/config"]) {
      const reply = await attack({ target: path + query });
      expect([reply.status, reply.calls]).toEqual([403, 0]);
    }
  });

  it("host confusion: forwarded hosts are not read, and a URL for one origin does not open another", async () => {
    const forwarded = {
      "x-forwarded-host": "evil.example.com",
      forwarded: "host=evil.example.com",
      "x-original-url": "/private/secret.txt",
    };
    expect((await attack({ target: get(), headers: forwarded })).body.toString()).toBe("hello");
    const other = { host: `other.localhost:${gateway.port}` };
    expect((await attack({ target: get(), headers: other })).status).toBe(403);
    expect((await attack({ target: targetOf(daypassUrl(gateway, "/media/hello.txt")), headers: other })).status).toBe(
      403,
    );
    expect((await attack({ target: get(), headers: { host: "evil.example.com" } })).status).toBe(400);
  });

  it("laravel 59860: security parameters cannot be repeated, arrays or in another case", async () => {
    for (const extra of [
      "X-Amz-Expires=9999",
      "X-Amz-Signature=0",
      "x-amz-expires=9999",
      "X-Amz-Expires[]=1",
      "X%2DAmz-Expires=9999",
    ]) {
      const reply = await attack({ target: `${get()}&${extra}` });
      expect([extra, reply.status < 500 && reply.status >= 400, reply.calls]).toEqual([extra, true, 0]);
    }
  });

  it("s3rver: a URL without an expiry, or with one that is no number, is refused", async () => {
    const target = get();
    for (const expires of ["", "NaN", "-1", "1e9", "0x10", "604801", "99999999999999999999", "60%00"]) {
      const reply = await attack({ target: target.replace(/X-Amz-Expires=[^&]*/, `X-Amz-Expires=${expires}`) });
      expect([expires, reply.status, reply.calls]).toEqual([expires, 400, 0]);
    }
    expect((await attack({ target: target.replace(/&X-Amz-Expires=[^&]*/, "") })).status).toBe(400);
    for (const date of ["", "20260230T000000Z", "now", "20261124"]) {
      const reply = await attack({ target: target.replace(/X-Amz-Date=[^&]*/, `X-Amz-Date=${date}`) });
      expect([date, reply.status]).toEqual([date, 400]);
    }
  });

  it("clock: a URL dated further ahead than the skew is not valid yet", async () => {
    const clock = () => new Date(Date.now() + 3_600_000);
    const reply = await attack({
      target: targetOf(s3For(gateway, { clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url),
    });
    expect([reply.status, s3Field(reply.body, "Message")]).toEqual([403, "Request is not valid yet"]);
  });
});

describe("paths do not leave their bucket", () => {
  it("path traversal in a signed key reaches no file outside the bucket", async () => {
    for (const key of [
      "../private/secret.txt",
      "a/../../private/secret.txt",
      "..%2fprivate%2fsecret.txt",
      "/etc/passwd",
      "..\\private\\secret.txt",
    ]) {
      const target = targetOf(s3For(gateway).sign({ bucket: "media", key, expiresIn: 60, dotSegments: "sign" }).url);
      const reply = await attack({ target });
      expect([key, reply.status]).toEqual([key, 404]);
      expect(reply.body.toString()).not.toContain(SECRET);
    }
  });

  it("the target is verified as it stood on the wire, not as a URL parser rewrites it", async () => {
    const query = get("hello.txt").slice(get("hello.txt").indexOf("?"));
    for (const path of [
      "/media/%2e%2e/media/hello.txt",
      "/media/./hello.txt",
      "//media/hello.txt",
      "/media//hello.txt",
      "/x/../media/hello.txt",
    ]) {
      const reply = await attack({ target: path + query });
      expect([path, reply.status, reply.calls]).toEqual([path, 403, 0]);
    }
  });

  it("CVE-2026-54097: a symbolic link in a bucket does not lead out of it", async () => {
    symlinkSync(join(gateway.root, "private"), join(gateway.root, "media/link"));
    symlinkSync("/etc/passwd", join(gateway.root, "media/passwd"));
    expect((await attack({ target: get("link/secret.txt") })).status).toBe(404);
    expect((await attack({ target: get("passwd") })).status).toBe(404);
    mkdirSync(join(gateway.root, "media/real"), { recursive: true });
    writeFileSync(join(gateway.root, "media/real/a.txt"), "a");
    await attack({ method: "PUT", target: put("link/new.txt"), body: "x" });
    expect(existsSync(join(gateway.root, "private/new.txt"))).toBe(false);
  });

  it("the gateway's own folder is not addressable", async () => {
    for (const target of [
      get("index.db", ".daypass"),
      get(".daypass/index.db"),
      targetOf(daypassUrl(gateway, "/.daypass/index.db")),
    ]) {
      expect((await attack({ target })).status).toBe(404);
    }
  });

  it("sloppy prefix: a key's scope ends on a whole segment", async () => {
    scoped = {
      accessKeyId: "AKIDSCOPED",
      secretAccessKey: "s3cret",
      scope: { buckets: ["media"], prefix: "merchants/123" },
    };
    const s3 = s3For(gateway, { credentials: scoped });
    const status = async (key: string, bucket = "media") =>
      (await attack({ target: targetOf(s3.sign({ bucket, key, expiresIn: 60, dotSegments: "sign" }).url) })).status;
    expect(await status("merchants/123/a.txt")).toBe(200);
    expect(await status("merchants/1234/a.txt")).toBe(403);
    expect(await status("merchants/123/../1234/a.txt")).toBe(403);
    expect(await status("secret.txt", "private")).toBe(403);
  });
});

describe("the operator's last word", () => {
  const cases = [
    ["methods", { methods: ["PUT"] }, 403],
    ["longest life", { maxLife: 30 }, 403],
    ["end", { until: new Date(Date.now() - 1000) }, 403],
    ["nothing", {}, 200],
  ] as const;
  it.each(cases)("CVE-2026-35604: the scope's %s is applied when the URL is used", async (_, scope, status) => {
    scoped = { accessKeyId: "AKIDSCOPED", secretAccessKey: "s3cret" };
    const target = targetOf(
      s3For(gateway, { credentials: scoped }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    );
    expect((await attack({ target })).status).toBe(200);
    scoped = { ...scoped, scope };
    const reply = await attack({ target });
    expect([reply.status, reply.status === 403 ? reply.calls : 0]).toEqual([status, 0]);
  });

  it("CVE-2026-35604: a key that was taken back opens nothing more", async () => {
    scoped = { accessKeyId: "AKIDSCOPED", secretAccessKey: "s3cret" };
    const target = targetOf(
      s3For(gateway, { credentials: scoped }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    );
    expect((await attack({ target })).status).toBe(200);
    scoped = undefined;
    const reply = await attack({ target });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([403, "InvalidAccessKeyId", 0]);
  });

  it("algorithm confusion: a key of one dialect verifies nothing in another", async () => {
    const key = { ...gateway.urlKey, kid: gateway.accessKey.accessKeyId };
    const url = urlSigner({ key }).sign({ url: `${gateway.url}/media/hello.txt`, expiresIn: 60 }).url;
    expect((await attack({ target: targetOf(url) })).status).toBe(403);
    const s3 = s3For(gateway, { credentials: { accessKeyId: gateway.urlKey.kid, secretAccessKey: gateway.urlKey.k } });
    const reply = await attack({ target: targetOf(s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url) });
    expect(s3Code(reply.body)).toBe("InvalidAccessKeyId");
  });

  it("two dialects' marks in one request are refused", async () => {
    const both = `${get()}&${targetOf(daypassUrl(gateway, "/media/hello.txt")).split("?")[1]}`;
    const reply = await attack({ target: both });
    expect([reply.status, reply.calls]).toEqual([400, 0]);
    const v2 = await attack({ target: `${get()}&AWSAccessKeyId=x&Signature=y&Expires=9999999999` });
    expect([v2.status, v2.calls]).toEqual([400, 0]);
  });

  // A proxy in front, or the storage behind, may know the dialect that this gateway does not.
  it("the marks of a dialect that nobody here speaks are refused beside a good signature", async () => {
    const [path, query] = targetOf(daypassUrl(gateway, "/media/hello.txt")).split("?");
    const good = `${path}?${query}`;
    expect((await attack({ target: good })).status).toBe(200);
    for (const marked of [`${path}?sig=x&sv=2022-11-02&${query}`, `${good}&sv=2022-11-02&sig=x`]) {
      const reply = await attack({ target: marked });
      expect([marked, reply.status, reply.calls]).toEqual([marked, 400, 0]);
    }
    for (const authorization of [
      "SharedKey myaccount:c2ln",
      "sharedkeylite a:b",
      "GOOG4-HMAC-SHA256 Credential=a",
      "GOOG1 a:b",
    ]) {
      const reply = await attack({ target: good, headers: { authorization } });
      expect([authorization, reply.status, reply.calls]).toEqual([authorization, 400, 0]);
    }
  });
});

describe("what leaves the gateway", () => {
  it("CVE-2026-28683: an SVG is never shown inline", async () => {
    const reply = await attack({ target: get("page.svg") });
    expect(reply.headers["content-disposition"]).toMatch(/^attachment/);
    expect(reply.headers["content-security-policy"]).toContain("sandbox");
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("CVE-2018-16477: a stored or signed `inline` does not make HTML a page", async () => {
    const target = sign({
      bucket: "media",
      key: "page.svg",
      expiresIn: 60,
      response: { contentType: "text/html", contentDisposition: "inline" },
    });
    const reply = await attack({ target });
    expect(reply.headers["content-disposition"]).toMatch(/^attachment/);
    expect(reply.headers["content-security-policy"]).toContain("sandbox");
  });

  it("header injection: a signed response header cannot bring a line of its own", async () => {
    const target = sign({
      bucket: "media",
      key: "hello.txt",
      expiresIn: 60,
      response: { contentType: "text/plain\r\nset-cookie: a=b" },
    });
    const reply = await attack({ target });
    expect([reply.status, reply.headers["set-cookie"], reply.calls]).toEqual([400, undefined, 0]);
  });

  it("CVE-2017-8761: no log line holds a signature, a token or a credential", async () => {
    const token = "FwoGZXIvYXdzEXAMPLETOKEN";
    const s3 = s3For(gateway, { credentials: { ...gateway.accessKey, sessionToken: token } });
    const targets = [
      get(),
      targetOf(s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url),
      targetOf(daypassUrl(gateway, "/media/hello.txt")),
      "/media/x?secretalone",
    ];
    const before = gateway.events.length;
    for (const target of targets) await attack({ target });
    await until(() => gateway.events.length >= before + targets.length);
    const log = JSON.stringify(gateway.events.slice(before));
    for (const target of targets) {
      for (const value of target.matchAll(/(?:[Ss]ignature|X-Amz-Credential)=([^&]+)/g))
        expect(log).not.toContain(value[1]);
    }
    expect(log).not.toContain(token);
    expect(log).not.toContain("secretalone");
    expect(log).not.toContain(gateway.accessKey.secretAccessKey);
  });

  it("oracle: no answer shows the expected signature", async () => {
    const target = get();
    const right = /X-Amz-Signature=([0-9a-f]+)/.exec(target)?.[1] ?? "";
    const reply = await attack({ target: target.replace(right, "0".repeat(64)) });
    expect(s3Code(reply.body)).toBe("SignatureDoesNotMatch");
    expect(reply.body.toString()).not.toContain(right);
  });

  it("reflected markup in an error is text", async () => {
    const reply = await attack({ target: get("<script>alert(1)</script>\u0001") });
    expect(reply.body.toString()).not.toContain("<script>");
    expect(reply.headers["content-type"]).toBe("application/xml");
  });
});

describe("what comes in", () => {
  it("CVE-2026-30961: the size limit counts bytes and not what a header says", async () => {
    const small = await testGateway({ gateway: () => ({ limits: { body: 10 } }) });
    const url = daypassUrl(small, "/files/big.txt", { methods: ["PUT"] });
    const chunked = await send(small, {
      method: "PUT",
      target: url.slice(small.url.length),
      headers: { host: `127.0.0.1:${small.port}`, "transfer-encoding": "chunked" },
      body: "eleven bytes",
    });
    expect(chunked.status).toBe(413);
    expect(existsSync(join(small.root, "files/big.txt"))).toBe(false);
    const { url: s3Url } = s3For(small).sign({ method: "PUT", bucket: "files", key: "big.txt", expiresIn: 60 });
    const announced = await fetch(s3Url, { method: "PUT", body: "eleven bytes" });
    const body = await announced.text();
    expect([announced.status, s3Code(body), s3Field(body, "MaxSizeAllowed")]).toEqual([400, "EntityTooLarge", "10"]);
    await small.close();
  });

  it("CVE-2026-30961: parts that are small make no object beyond the limit", async () => {
    const small = await testGateway({ gateway: () => ({ limits: { body: 10, object: 15, minPart: 0 } }) });
    const call = (method: string, query: Record<string, string>, body?: string) =>
      fetch(s3For(small).sign({ method, bucket: "files", key: "parts.txt", expiresIn: 60, query }).url, {
        method,
        ...(body === undefined ? {} : { body }),
      });
    const started = await (await call("POST", { uploads: "" })).text();
    const uploadId = s3Field(started, "UploadId") ?? "";
    const etags: (string | null)[] = [];
    for (const partNumber of ["1", "2"]) {
      etags.push((await call("PUT", { uploadId, partNumber }, "ten bytes!")).headers.get("etag"));
    }
    const complete = (parts: readonly (string | null)[]) =>
      call(
        "POST",
        { uploadId },
        `<CompleteMultipartUpload>${parts.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join("")}</CompleteMultipartUpload>`,
      );
    const refused = await complete(etags);
    expect([refused.status, s3Code(await refused.text())]).toEqual([400, "EntityTooLarge"]);
    expect(existsSync(join(small.root, "files/parts.txt"))).toBe(false);
    expect((await complete(etags.slice(0, 1))).status).toBe(200);
    await small.close();
  });

  it("CVE-2022-3854: odd targets are answered, and the process lives on", async () => {
    const odd = [
      "*",
      "/%",
      "/%zz",
      "/%ff%fe",
      "/media/%00",
      "/?%",
      "/?&&&=&",
      "/media/hello.txt?X-Amz-Signature",
      "/a?X-Amz-Algorithm=%E0%A4%A",
      `/?${"a&".repeat(4000)}`,
    ];
    for (const target of odd) {
      const reply = await attack({ target: target });
      expect([target, reply.status >= 400 && reply.status < 500]).toEqual([target, true]);
    }
    expect((await attack({ target: get() })).status).toBe(200);
  });

  it("an unexpected error is a 500 with a request id, logged with its stack, and the next request is served", async () => {
    const failing = await testGateway({
      files: { "media/a.txt": "a" },
      storage: (disk) => ({
        ...disk,
        getCached: () => undefined,
        get: async (ref, options) => {
          if (ref.key === "boom") throw new Error("the disk is on fire at /secret/place");
          return disk.get(ref, options);
        },
      }),
    });
    const reply = await fetch(s3For(failing).sign({ bucket: "media", key: "boom", expiresIn: 60 }).url);
    const body = await reply.text();
    expect([reply.status, s3Code(body)]).toEqual([500, "InternalError"]);
    expect(body).not.toContain("fire");
    const event = await until(() => failing.events.find(({ status }) => status === 500));
    expect((event.error as Error).stack).toContain("the disk is on fire");
    expect(s3Field(body, "RequestId")).toBe(event.requestId);
    expect((await fetch(s3For(failing).sign({ bucket: "media", key: "a.txt", expiresIn: 60 }).url)).status).toBe(200);
    await failing.close();
  });

  it("a digest of another body is refused, whatever declares it", async () => {
    const wrong = createHash("sha256").update("other").digest("hex");
    const headers = headerSignature({
      method: "PUT",
      path: "/media/d.txt",
      host: host(),
      key: gateway.accessKey,
      payload: wrong,
    });
    const reply = await attack({ method: "PUT", target: "/media/d.txt", headers, body: "mine" });
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "XAmzContentSHA256Mismatch"]);
    expect(existsSync(join(gateway.root, "media/d.txt"))).toBe(false);
  });
});
