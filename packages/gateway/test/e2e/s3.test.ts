import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { s3Code, s3Field, s3For, send, useGateway } from "./clients.ts";

const HELLO = "hello, world\n";
const gateway = useGateway({
  files: { "media/hello.txt": HELLO, "media/page.html": "<script>1</script>", "loose.txt": "loose" },
});

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

describe("a presigned S3 GET", () => {
  it("serves a file that was there before, with the headers S3 clients look for", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const reply = await fetch(url);
    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe(HELLO);
    expect(reply.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(reply.headers.get("content-length")).toBe(String(HELLO.length));
    expect(reply.headers.get("accept-ranges")).toBe("bytes");
    // Not an MD5, so that no client compares it with one.
    expect(reply.headers.get("etag")).toMatch(/^"[^"]*-[^"]*"$/);
    expect(Date.parse(reply.headers.get("last-modified") ?? "")).not.toBeNaN();
    expect(reply.headers.get("x-amz-request-id")).toMatch(/^[0-9A-F]{16}$/);
    expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
    expect(reply.headers.get("referrer-policy")).toBe("no-referrer");
    expect(reply.headers.get("cache-control")).toMatch(/^private, max-age=(?:5\d|60)$/);
  });

  it("serves what lies loose in the folder from the bucket `files`", async () => {
    const { url } = s3For(gateway).sign({ bucket: "files", key: "loose.txt", expiresIn: 60 });
    expect(await (await fetch(url)).text()).toBe("loose");
  });

  it("is refused with SignatureDoesNotMatch when one character of the key changed", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const reply = await fetch(url.replace("hello.txt", "hellp.txt"));
    expect(reply.status).toBe(403);
    const body = await reply.text();
    expect(s3Code(body)).toBe("SignatureDoesNotMatch");
    expect(s3Field(body, "AWSAccessKeyId")).toBe("AKIDEXAMPLE");
    expect(body).not.toContain(gateway.accessKey.secretAccessKey);
  });

  it("is refused with AccessDenied when its time is over", async () => {
    const clock = () => new Date(Date.now() - 120_000);
    const { url } = s3For(gateway, { clock }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const reply = await fetch(url);
    const body = await reply.text();
    expect(reply.status).toBe(403);
    expect(s3Code(body)).toBe("AccessDenied");
    expect(s3Field(body, "Message")).toBe("Request has expired");
    expect(s3Field(body, "X-Amz-Expires")).toBe("60");
    expect(s3Field(body, "ServerTime")).toBeDefined();
  });

  it("answers NoSuchKey and NoSuchBucket by name", async () => {
    const missing = await fetch(s3For(gateway).sign({ bucket: "media", key: "no <such> & key", expiresIn: 60 }).url);
    const body = await missing.text();
    expect([missing.status, s3Code(body), s3Field(body, "Key")]).toEqual([404, "NoSuchKey", "no <such> & key"]);
    const bucket = await fetch(s3For(gateway).sign({ bucket: "nowhere", key: "k", expiresIn: 60 }).url);
    const text = await bucket.text();
    expect([bucket.status, s3Code(text), s3Field(text, "BucketName")]).toEqual([404, "NoSuchBucket", "nowhere"]);
  });

  it("sends active content as an attachment in a sandbox", async () => {
    const reply = await fetch(s3For(gateway).sign({ bucket: "media", key: "page.html", expiresIn: 60 }).url);
    expect(reply.headers.get("content-disposition")).toBe("attachment");
    expect(reply.headers.get("content-security-policy")).toContain("sandbox");
  });

  it("answers signed response overrides and no others", async () => {
    const { url } = s3For(gateway).sign({
      bucket: "media",
      key: "hello.txt",
      expiresIn: 60,
      response: { contentDisposition: 'attachment; filename="x.txt"', contentType: "text/csv" },
    });
    const reply = await fetch(url);
    expect(reply.headers.get("content-disposition")).toBe('attachment; filename="x.txt"');
    expect(reply.headers.get("content-type")).toBe("text/csv");
    const plain = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url;
    const forged = await fetch(`${plain}&response-content-type=text%2Fhtml`);
    expect(forged.status).toBe(403);
  });
});

describe("a presigned S3 HEAD", () => {
  it("gives the headers of GET and no body", async () => {
    const get = await fetch(s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
    const { url } = s3For(gateway).sign({ method: "HEAD", bucket: "media", key: "hello.txt", expiresIn: 60 });
    const head = await send(gateway, {
      method: "HEAD",
      target: url.slice(gateway.url.length),
      headers: { host: `127.0.0.1:${gateway.port}` },
    });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    await get.text();
    const changing = new Set(["date", "connection", "keep-alive", "x-amz-request-id", "x-amz-id-2", "cache-control"]);
    for (const [name, value] of get.headers) {
      if (!changing.has(name)) expect([name, head.headers[name]]).toEqual([name, value]);
    }
  });

  it("answers a missing key with 404 and no body", async () => {
    const { url } = s3For(gateway).sign({ method: "HEAD", bucket: "media", key: "none", expiresIn: 60 });
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([404, ""]);
  });
});

describe("a presigned S3 PUT", () => {
  it("stores an object with its MD5 as ETag, its type, headers and metadata", async () => {
    const headers = { "content-type": "text/csv", "cache-control": "max-age=5", "x-amz-meta-author": "Ada" };
    const { url } = s3For(gateway).sign({
      method: "PUT",
      bucket: "media",
      key: "up/new file.csv",
      expiresIn: 60,
      bind: { headers },
    });
    const put = await fetch(url, { method: "PUT", headers, body: "a,b\n" });
    expect([put.status, put.headers.get("etag")]).toEqual([200, `"${md5("a,b\n")}"`]);
    expect(readFileSync(join(gateway.root, "media/up/new file.csv"), "utf8")).toBe("a,b\n");
    const get = await fetch(s3For(gateway).sign({ bucket: "media", key: "up/new file.csv", expiresIn: 60 }).url);
    expect(await get.text()).toBe("a,b\n");
    expect(get.headers.get("etag")).toBe(`"${md5("a,b\n")}"`);
    expect(get.headers.get("content-type")).toBe("text/csv");
    expect(get.headers.get("x-amz-meta-author")).toBe("Ada");
    expect(get.headers.get("cache-control")).toBe("private, max-age=5");
  });

  it("keeps If-None-Match: * a create-only upload", async () => {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "once.txt", expiresIn: 60 });
    const put = (body: string) => fetch(url, { method: "PUT", body, headers: { "if-none-match": "*" } });
    expect((await put("first")).status).toBe(200);
    const second = await put("second");
    expect([second.status, s3Code(await second.text())]).toEqual([412, "PreconditionFailed"]);
    expect(readFileSync(join(gateway.root, "media/once.txt"), "utf8")).toBe("first");
  });

  it("replaces only the object that If-Match names", async () => {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "match.txt", expiresIn: 60 });
    expect((await fetch(url, { method: "PUT", body: "1" })).status).toBe(200);
    const wrong = await fetch(url, { method: "PUT", body: "2", headers: { "if-match": `"${md5("other")}"` } });
    expect([wrong.status, s3Field(await wrong.text(), "Condition")]).toEqual([412, "If-Match"]);
    const right = await fetch(url, { method: "PUT", body: "3", headers: { "if-match": `"${md5("1")}"` } });
    expect(right.status).toBe(200);
    const missing = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "nobody.txt", expiresIn: 60 });
    const none = await fetch(missing.url, { method: "PUT", body: "x", headers: { "if-match": "*" } });
    expect([none.status, s3Code(await none.text())]).toEqual([404, "NoSuchKey"]);
  });

  const checksums = [
    ["content-md5", createHash("md5").update("body").digest("base64"), "BadDigest"],
    ["x-amz-checksum-sha256", createHash("sha256").update("body").digest("base64"), "BadDigest"],
    ["x-amz-checksum-crc32", "26gLsg==", "BadDigest"],
    ["x-amz-checksum-crc32c", "Jj/JUA==", "BadDigest"],
    ["x-amz-checksum-crc64nvme", "mI+Ji1NHP80=", "BadDigest"],
    ["x-amz-checksum-md5", createHash("md5").update("body").digest("base64"), "BadDigest"],
    ["x-amz-checksum-sha512", createHash("sha512").update("body").digest("base64"), "BadDigest"],
    ["x-amz-checksum-sha1", createHash("sha1").update("body").digest("base64"), "BadDigest"],
    ["x-amz-content-sha256", createHash("sha256").update("body").digest("hex"), "XAmzContentSHA256Mismatch"],
  ] as const;
  it.each(checksums)("compares %s with the body", async (name, value, code) => {
    const key = `sum-${name}.txt`;
    const { url } = s3For(gateway).sign({
      method: "PUT",
      bucket: "media",
      key,
      expiresIn: 60,
      bind: name.startsWith("x-amz-checksum") ? { headers: { [name]: value } } : {},
    });
    const bad = await fetch(url, { method: "PUT", body: "tampered", headers: { [name]: value } });
    expect([bad.status, s3Code(await bad.text())]).toEqual([400, code]);
    expect((await fetch(s3For(gateway).sign({ bucket: "media", key, expiresIn: 60 }).url)).status).toBe(404);
    const good = await fetch(url, { method: "PUT", body: "body", headers: { [name]: value } });
    expect([good.status, await good.text()]).toEqual([200, ""]);
    if (!name.startsWith("x-amz-checksum-")) return;
    expect(good.headers.get(name)).toBe(value);
    const bind = { headers: { "x-amz-checksum-mode": "ENABLED" } };
    const head = s3For(gateway).sign({ method: "HEAD", bucket: "media", key, expiresIn: 60, bind });
    const told = await fetch(head.url, { method: "HEAD", headers: bind.headers });
    expect([told.headers.get(name), told.headers.get("x-amz-checksum-type")]).toEqual([value, "FULL_OBJECT"]);
  });

  it("keeps a Content-MD5 that an SDK announces as the checksum", async () => {
    const value = createHash("md5").update("body").digest("base64");
    const headers = { "x-amz-sdk-checksum-algorithm": "MD5", "content-md5": value };
    const wish = { method: "PUT", bucket: "media", key: "sdk-md5.txt", expiresIn: 60, bind: { headers } } as const;
    const { url } = s3For(gateway).sign(wish);
    const good = await fetch(url, { method: "PUT", body: "body", headers });
    expect([good.status, good.headers.get("x-amz-checksum-md5")]).toEqual([200, value]);
    const bad = await fetch(url, { method: "PUT", body: "other", headers });
    expect([bad.status, s3Code(await bad.text())]).toEqual([400, "BadDigest"]);
  });

  it("refuses a checksum that it cannot compute, signed or in the SDK's announcement", async () => {
    for (const [headers, status, code] of [
      [{ "x-amz-checksum-xxhash3": "AAAAAAAAAAA=" }, 501, "NotImplemented"],
      [{ "x-amz-sdk-checksum-algorithm": "XXHASH3" }, 400, "InvalidRequest"],
    ] as const) {
      const wish = { method: "PUT", bucket: "media", key: "xxhash.txt", expiresIn: 60, bind: { headers } } as const;
      const reply = await fetch(s3For(gateway).sign(wish).url, { method: "PUT", body: "body", headers });
      expect([reply.status, s3Code(await reply.text())]).toEqual([status, code]);
    }
    const { url } = s3For(gateway).sign({ bucket: "media", key: "xxhash.txt", expiresIn: 60 });
    expect((await fetch(url)).status).toBe(404);
  });

  it("ignores the checksum of an empty body that an SDK has baked into the URL, and no other", async () => {
    const put = (query: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(
        s3For(gateway).sign({
          method: "PUT",
          bucket: "media",
          key: "baked.txt",
          expiresIn: 60,
          bind: { query, headers },
        }).url,
        { method: "PUT", body: "not empty", headers },
      );
    const baked = { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "CRC32" };
    expect((await put(baked)).status).toBe(200);
    for (const reply of [
      await put({ "x-amz-checksum-crc32": "AAAAAQ==" }),
      await put({}, { "x-amz-checksum-crc32": "AAAAAA==" }),
    ]) {
      expect([reply.status, s3Code(await reply.text())]).toEqual([400, "BadDigest"]);
    }
  });

  it("asks for Content-Length as S3 does", async () => {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "chunked.txt", expiresIn: 60 });
    const reply = await send(gateway, {
      method: "PUT",
      target: url.slice(gateway.url.length),
      headers: { host: `127.0.0.1:${gateway.port}`, "transfer-encoding": "chunked" },
      body: "abc",
    });
    expect([reply.status, s3Code(reply.body)]).toEqual([411, "MissingContentLength"]);
  });
});

describe("a presigned S3 DELETE", () => {
  it("deletes, and calls what is not there deleted", async () => {
    const put = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "gone.txt", expiresIn: 60 });
    await fetch(put.url, { method: "PUT", body: "x" });
    const { url } = s3For(gateway).sign({ method: "DELETE", bucket: "media", key: "gone.txt", expiresIn: 60 });
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(s3For(gateway).sign({ bucket: "media", key: "gone.txt", expiresIn: 60 }).url)).status).toBe(
      404,
    );
  });
});
