import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { daypassUrl, s3Code, s3Field, s3For } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { attack, gateway, get, host, openSite, put, SECRET, scopedKey, sign, targetOf } from "./site.ts";

openSite();

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
    ["x-amz-grant-full-control", "id=1", 400, "AccessControlListNotSupported"],
    ["x-amz-server-side-encryption-customer-key", "a", 501, "NotImplemented"],
    ["x-amz-bypass-governance-retention", "true", 501, "NotImplemented"],
    ["x-amz-rename-source", "/private/secret.txt", 501, "NotImplemented"],
    ["x-amz-mfa", "1 2", 501, "NotImplemented"],
    ["x-amz-metadata-directive", "COPY", 501, "NotImplemented"],
    ["x-amz-function-of-tomorrow", "1", 501, "NotImplemented"],
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
    "x-goog-copy-source": "/private/secret.txt",
    "x-ms-copy-source": "/private/secret.txt",
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

  it("CVE-2026-54330: a Daypass URL has no operation that a header of a store could ask for", async () => {
    const put = targetOf(daypassUrl(gateway, "/media/own.txt", { methods: ["PUT"] }));
    for (const header of Object.keys(unsigned)) {
      const reply = await attack({
        method: "PUT",
        target: put,
        headers: { [header]: "/private/secret.txt" },
        body: header,
      });
      expect([header, reply.status]).toEqual([header, 200]);
      const stored = await attack({ target: get("own.txt") });
      expect(stored.body.toString()).toBe(header);
      expect(
        Object.keys(stored.headers).filter((name) => /^x-amz-(?!id-2|request-id)|^x-(?:goog|ms)-/.test(name)),
      ).toEqual([]);
    }
    const read = targetOf(daypassUrl(gateway, "/media/hello.txt"));
    for (const extra of ["tagging", "acl", "uploads", "list-type=2", "versionId=1"]) {
      expect((await attack({ target: `${read}&${extra}` })).status).toBe(403);
    }
  });

  // In the canonical request the values of a repeated header are joined by commas: the signature fits both.
  it("a signed copy source with a comma copies no other object when its holder sends it in two headers", async () => {
    const bound = { "x-amz-copy-source": "/media/hello.txt,/private/secret.txt" };
    const target = sign({ method: "PUT", bucket: "media", key: "copy.txt", expiresIn: 60, bind: { headers: bound } });
    const headers = { "x-amz-copy-source": ["/media/hello.txt", "/private/secret.txt"] };
    const reply = await attack({ method: "PUT", target, headers, body: "" });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([400, "InvalidRequest", 0]);
    expect((await attack({ method: "PUT", target, headers: bound, body: "" })).status).toBe(404);
  });

  const narrow = {
    "another bucket": { scope: { buckets: ["media"] }, source: "/private/secret.txt" },
    "another prefix": { scope: { prefix: "merchants/123" }, source: "/media/merchants/1234/a.txt" },
    "the same bucket, without the right to read": { scope: { methods: ["PUT"] }, source: "/media/hello.txt" },
  };
  it.each(Object.entries(narrow))(
    "CVE-2026-54330: the right to write is none to copy from %s",
    async (_, { scope, source }) => {
      const scoped = scopedKey(scope);
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
    // If both are signed, or neither, HTTP's rules apply.
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
