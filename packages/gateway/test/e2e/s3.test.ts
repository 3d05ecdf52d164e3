/** Presigned reads, writes and deletes of single objects. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, md5, s3Calls, s3For, send, sendS3, useGateway } from "./clients.ts";
import { interrupted } from "./interrupted-storage.ts";

const HELLO = "hello, world\n";
/** Another client's action just before the storage stores. */
let meanwhile: (() => Promise<unknown>) | undefined;
const gateway = useGateway({
  files: { "media/hello.txt": HELLO, "media/page.html": "<script>1</script>", "loose.txt": "loose" },
  storage: (disk) => interrupted(disk, () => meanwhile?.()),
});
const { s3, put } = s3Calls(() => gateway);
const base64Of = (algorithm: string, text = "body") => createHash(algorithm).update(text).digest("base64");

describe("a presigned GET", () => {
  it("serves a file that existed before, with the headers that S3 clients read", async () => {
    const reply = await s3({ key: "hello.txt" });
    expect([reply.status, reply.text]).toEqual([200, HELLO]);
    expect(reply.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(HELLO.length),
      "accept-ranges": "bytes",
      // Not an MD5, so that no client compares it with one.
      etag: expect.stringMatching(/^"[^"]*-[^"]*"$/),
      "last-modified": expect.stringMatching(/ GMT$/),
      "x-amz-request-id": expect.stringMatching(/^[0-9A-F]{16}$/),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": expect.stringMatching(/^private, max-age=(?:5\d|60)$/),
    });
  });

  it("serves loose files of the folder from the bucket `files`", async () => {
    expect((await s3({ bucket: "files", key: "loose.txt" })).text).toBe("loose");
  });

  it("is refused with SignatureDoesNotMatch if one character of the key changed", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const reply = await fetch(url.replace("hello.txt", "hellp.txt"));
    const body = await reply.text();
    expect(body).toContain("<Code>SignatureDoesNotMatch</Code>");
    expect([reply.status, body.includes(gateway.accessKey.secretAccessKey)]).toEqual([403, false]);
  });

  it("is refused with AccessDenied after it expired", async () => {
    const reply = await sendS3(gateway, { key: "hello.txt" }, { clock: () => new Date(Date.now() - 120_000) });
    const expected = { Code: "AccessDenied", Message: "Request has expired", "X-Amz-Expires": "60" };
    expect(errorOf(reply)).toMatchObject({ status: 403, ...expected, ServerTime: expect.any(String) });
  });

  it("answers NoSuchKey and NoSuchBucket by name", async () => {
    const [key, bucket] = ["no <such> & key", "nowhere"];
    expect(errorOf(await s3({ key }))).toMatchObject({ status: 404, Code: "NoSuchKey", Key: key });
    expect(errorOf(await s3({ bucket, key }))).toMatchObject({ status: 404, Code: "NoSuchBucket", BucketName: bucket });
  });

  it("sends active content as an attachment in a sandbox", async () => {
    expect((await s3({ key: "page.html" })).headers).toMatchObject({
      "content-disposition": "attachment",
      "content-security-policy": expect.stringContaining("sandbox"),
    });
  });

  it("applies signed response overrides and refuses unsigned ones", async () => {
    const query = {
      "response-content-disposition": 'attachment; filename="x.txt"',
      "response-content-type": "text/csv",
    };
    expect((await s3({ key: "hello.txt", query })).headers).toMatchObject({
      "content-disposition": 'attachment; filename="x.txt"',
      "content-type": "text/csv",
    });
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    expect((await fetch(`${url}&response-content-type=text%2Fhtml`)).status).toBe(403);
  });

  it("answers conditions, ranges and part numbers in AWS's combinations", async () => {
    await put("read.txt", "0123456789");
    await put("empty.txt", "");
    const etag = `"${md5("0123456789")}"`;
    const get = (query: Record<string, string>, unsigned: Record<string, string> = {}) =>
      s3({ key: "read.txt", query, unsigned });
    const one = await get({ partNumber: "1" });
    expect([one.status, one.text, one.headers["content-range"]]).toEqual([206, "0123456789", "bytes 0-9/10"]);
    expect(one.headers["x-amz-mp-parts-count"]).toBe(undefined);
    expect((await get({ partNumber: "2" })).code).toBe("InvalidPartNumber");
    expect((await get({ partNumber: "1" }, { "if-none-match": etag })).status).toBe(304);
    expect((await get({ partNumber: "1" }, { "if-match": '"other"' })).status).toBe(412);
    expect((await get({}, { range: "bytes=2-3", "if-none-match": '"other"' })).text).toBe("23");
    expect((await get({}, { range: "bytes=2-3", "if-match": etag })).status).toBe(206);
    expect((await get({}, { range: "bytes=20-" })).code).toBe("InvalidRange");
    const overridden = await get({ partNumber: "1", "response-content-type": "x/part" });
    expect([overridden.status, overridden.headers["content-type"]]).toEqual([206, "x/part"]);
    expect((await s3({ key: "empty.txt", query: { partNumber: "1" } })).status).toBe(200);
  });
});

describe("a presigned HEAD", () => {
  it("returns the headers of GET and no body", async () => {
    const get = await s3({ key: "hello.txt" });
    const head = await s3({ method: "HEAD", key: "hello.txt" });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const name of ["date", "x-amz-request-id", "x-amz-id-2", "cache-control"]) {
      for (const { headers } of [get, head]) delete headers[name];
    }
    expect(head.headers).toEqual(get.headers);
  });

  it("answers a missing key with 404 and no body", async () => {
    const head = await s3({ method: "HEAD", key: "none" });
    expect([head.status, head.text]).toEqual([404, ""]);
  });
});

describe("a presigned PUT", () => {
  it("stores an object with its MD5 as ETag, its type, headers and metadata", async () => {
    const headers = { "content-type": "text/csv", "cache-control": "max-age=5", "x-amz-meta-author": "Ada" };
    const stored = await put("up/new file.csv", "a,b\n", headers);
    expect([stored.status, stored.headers.etag]).toEqual([200, `"${md5("a,b\n")}"`]);
    expect(readFileSync(join(gateway.root, "media/up/new file.csv"), "utf8")).toBe("a,b\n");
    const got = await s3({ key: "up/new file.csv" });
    expect(got.text).toBe("a,b\n");
    const cached = { "cache-control": "private, max-age=5", etag: stored.headers.etag };
    expect(got.headers).toMatchObject({ ...headers, ...cached });
  });

  it("answers failed conditions with 412, 404 and 409 like AWS", async () => {
    const key = "conditional.txt";
    const write = async (body: string, condition: Record<string, string>, change?: () => Promise<unknown>) => {
      meanwhile =
        change &&
        (() => {
          meanwhile = undefined;
          return change();
        });
      const { status, code, text } = await s3({ method: "PUT", key, body, unsigned: condition });
      return [status, code, /<Condition>(.*?)</.exec(text)?.[1]];
    };
    const [createOnly, other] = [{ "if-none-match": "*" }, { "if-match": `"${md5("other")}"` }];
    const matching = (body: string) => ({ "if-match": `"${md5(body)}"` });
    expect(await write("x", other)).toEqual([404, "NoSuchKey", undefined]);
    expect(await write("x", { "if-match": "*" })).toEqual([404, "NoSuchKey", undefined]);
    expect(await write("1", createOnly)).toEqual([200, undefined, undefined]);
    expect(await write("2", createOnly)).toEqual([412, "PreconditionFailed", "If-None-Match"]);
    expect(await write("2", other)).toEqual([412, "PreconditionFailed", "If-Match"]);
    expect(await write("3", matching("1"))).toEqual([200, undefined, undefined]);
    const remove = () => gateway.storage.delete({ bucket: "media", key });
    expect(await write("4", matching("3"), remove)).toEqual([409, "ConditionalRequestConflict", "If-Match"]);
    const replace = (body: string) => () => put(key, body);
    expect(await write("ours", createOnly, replace("theirs"))).toEqual([412, "PreconditionFailed", "If-None-Match"]);
    expect(await write("ours", matching("theirs"), replace("again"))).toEqual([412, "PreconditionFailed", "If-Match"]);
    expect((await s3({ key })).text).toBe("again");
  });

  it.each([
    ["content-md5", base64Of("md5"), "BadDigest"],
    ["x-amz-checksum-sha256", base64Of("sha256"), "BadDigest"],
    ["x-amz-checksum-crc32", "26gLsg==", "BadDigest"],
    ["x-amz-checksum-crc32c", "Jj/JUA==", "BadDigest"],
    ["x-amz-checksum-crc64nvme", "mI+Ji1NHP80=", "BadDigest"],
    ["x-amz-checksum-md5", base64Of("md5"), "BadDigest"],
    ["x-amz-checksum-sha512", base64Of("sha512"), "BadDigest"],
    ["x-amz-checksum-sha1", base64Of("sha1"), "BadDigest"],
    ["x-amz-content-sha256", createHash("sha256").update("body").digest("hex"), "XAmzContentSHA256Mismatch"],
  ] as const)("compares %s with the body", async (name, value, code) => {
    const key = `sum-${name}.txt`;
    const isChecksum = name.startsWith("x-amz-checksum");
    const upload = (body: string) =>
      s3({ method: "PUT", key, body, [isChecksum ? "headers" : "unsigned"]: { [name]: value } });
    const bad = await upload("tampered");
    expect([bad.status, bad.code, (await s3({ key })).status]).toEqual([400, code, 404]);
    const good = await upload("body");
    expect([good.status, good.text]).toEqual([200, ""]);
    if (!isChecksum) return;
    expect(good.headers[name]).toBe(value);
    const head = await s3({ method: "HEAD", key, headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect([head.headers[name], head.headers["x-amz-checksum-type"]]).toEqual([value, "FULL_OBJECT"]);
  });

  it("stores a Content-MD5 that an SDK announces as the checksum", async () => {
    const headers = { "x-amz-sdk-checksum-algorithm": "MD5", "content-md5": base64Of("md5") };
    const good = await put("sdk-md5.txt", "body", headers);
    expect([good.status, good.headers["x-amz-checksum-md5"]]).toEqual([200, base64Of("md5")]);
    expect((await put("sdk-md5.txt", "other", headers)).code).toBe("BadDigest");
  });

  it.each([
    [{ "x-amz-checksum-xxhash3": "AAAAAAAAAAA=" }, 501, "NotImplemented"],
    [{ "x-amz-sdk-checksum-algorithm": "XXHASH3" }, 400, "InvalidRequest"],
  ] as const)("refuses an unsupported checksum: %j", async (headers, status, code) => {
    const reply = await put("xxhash.txt", "body", headers as Record<string, string>);
    expect([reply.status, reply.code, (await s3({ key: "xxhash.txt" })).status]).toEqual([status, code, 404]);
  });

  // Current AWS SDKs sign the CRC of an empty body into upload URLs.
  it.each<[string, { query?: Record<string, string>; headers?: Record<string, string> }, string | undefined]>([
    ["ignores the CRC32 of an empty body", { query: { "x-amz-checksum-crc32": "AAAAAA==" } }, undefined],
    ["compares another CRC32", { query: { "x-amz-checksum-crc32": "AAAAAQ==" } }, "BadDigest"],
    ["compares a CRC32C of an empty body", { query: { "x-amz-checksum-crc32c": "AAAAAA==" } }, "BadDigest"],
    ["accepts the matching CRC32", { query: { "x-amz-checksum-crc32": "NhCmhg==" } }, undefined],
    ["compares the header", { headers: { "x-amz-checksum-crc32": "AAAAAA==" } }, "BadDigest"],
  ])("%s in a presigned upload", async (_, sent, code) => {
    const announced = { ...sent.query, "x-amz-sdk-checksum-algorithm": "CRC32" };
    const query = sent.query?.["x-amz-checksum-crc32"] === "AAAAAA==" ? announced : sent.query;
    const reply = await s3({ method: "PUT", key: "baked.txt", body: "hello", ...sent, ...(query && { query }) });
    expect(reply.code).toBe(code);
  });

  it.each([
    ["gzip, aws-chunked", "gzip"],
    ["AWS-Chunked", undefined],
  ])("stores %s of a body without frames as the coding %j", async (coding, stored) => {
    const headers = { "content-encoding": coding };
    expect((await s3({ method: "PUT", key: "coded.txt", body: "hello", headers })).status).toBe(200);
    const reply = await s3({ key: "coded.txt" });
    expect([reply.headers["content-encoding"], reply.body.toString()]).toEqual([stored, "hello"]);
  });

  it("refuses frames in a body that is signed as a whole", async () => {
    const headers = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5" };
    expect((await s3({ method: "PUT", key: "framed.txt", body: "5\r\nhello\r\n0\r\n\r\n", headers })).status).toBe(501);
  });

  it("requires Content-Length like S3", async () => {
    const { url } = s3For(gateway).sign({ method: "PUT", bucket: "media", key: "chunked.txt", expiresIn: 60 });
    const headers = { host: `127.0.0.1:${gateway.port}`, "transfer-encoding": "chunked" };
    const reply = await send(gateway, { method: "PUT", target: url.slice(gateway.url.length), headers, body: "abc" });
    expect(errorOf(reply)).toMatchObject({ status: 411, Code: "MissingContentLength" });
  });
});

describe("a presigned DELETE", () => {
  it("deletes an object, and treats a missing one as deleted", async () => {
    await put("gone.txt", "x");
    for (let i = 0; i < 2; i++) expect((await s3({ method: "DELETE", key: "gone.txt" })).status).toBe(204);
    expect((await s3({ key: "gone.txt" })).status).toBe(404);
  });

  it("deletes only the object that If-Match names", async () => {
    await put("matched.txt", "1");
    const remove = async (etag: string) => {
      const { status, code } = await s3({ method: "DELETE", key: "matched.txt", headers: { "if-match": etag } });
      return [status, code];
    };
    expect(await remove('"other"')).toEqual([412, "PreconditionFailed"]);
    expect(await remove(`"${md5("1")}"`)).toEqual([204, undefined]);
    expect(await remove(`"${md5("1")}"`)).toEqual([404, "NoSuchKey"]);
    expect(await remove("*")).toEqual([404, "NoSuchKey"]);
  });
});
