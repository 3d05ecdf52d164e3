import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Storage } from "../../src/storage/storage.ts";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { rawConnection, readAll, type S3Sent, s3Code, s3Field, s3For, send, sendS3 } from "./clients.ts";
import { headerSignature } from "./header-signature.ts";

let gateway: TestGateway;
/** Runs just before the storage stores, as another client's request would. */
let meanwhile: (() => Promise<unknown>) | undefined;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/foreign.txt": "foreign", "other/.keep": "" },
    storage: (disk) => interrupted(disk),
  });
});
afterAll(() => gateway.close());

/** The storage, with another writer in the gap between the look and the commit. */
function interrupted(disk: Storage): Storage {
  return {
    ...disk,
    async put(ref, body, options) {
      await meanwhile?.();
      return disk.put(ref, body, options);
    },
    async copy(source, target, options) {
      await meanwhile?.();
      return disk.copy(source, target, options);
    },
  };
}

const s3 = (sent: S3Sent) => sendS3(gateway, sent);
const put = (key: string, body: string, headers: Record<string, string> = {}) =>
  s3({ method: "PUT", key, body, headers });
const md5 = (bytes: string | Buffer) => createHash("md5").update(bytes).digest("hex");
const copy = (key: string, source: string, headers: Record<string, string> = {}) =>
  s3({ method: "PUT", key, headers: { "x-amz-copy-source": source, ...headers } });

describe("a checksum in the query of an upload", () => {
  const upload = (name: string, value: string) =>
    s3({ method: "PUT", key: "sum-in-query.txt", body: "hello", query: { [`x-amz-checksum-${name}`]: value } });

  it("is held to the body, of whatever algorithm and also where it is that of no bytes", async () => {
    expect((await upload("crc32", "NhCmhg==")).status).toBe(200);
    expect((await upload("crc32", "NhCmhA==")).code).toBe("BadDigest");
    expect((await upload("crc32c", "AAAAAA==")).code).toBe("BadDigest");
  });

  it("is not what AWS's presigner writes when it has no body", async () => {
    expect((await upload("crc32", "AAAAAA==")).status).toBe(200);
  });
});

it.each(["GET", "HEAD"] as const)(
  "tells no checksum with a 304 to %s, which boto3 would hold no body against",
  async (method) => {
    const key = "unchanged.txt";
    await put(key, "hello", { "x-amz-checksum-crc32": "NhCmhg==" });
    const asked = { "x-amz-checksum-mode": "ENABLED" };
    const first = await s3({ method, key, headers: asked });
    expect(first.headers["x-amz-checksum-crc32"]).toBe("NhCmhg==");
    const reply = await s3({ method, key, headers: { ...asked, "if-none-match": String(first.headers["etag"]) } });
    expect([reply.status, Object.keys(reply.headers).filter((name) => name.includes("checksum"))]).toEqual([304, []]);
  },
);

it("is told by the AWS SDK for C++ with each request which API it speaks, as by ClickHouse and Arrow", async () => {
  const api = { "x-amz-api-version": "2006-03-01" };
  const begun = await s3({ method: "POST", key: "api.txt", query: { uploads: "" }, headers: api });
  const replies = [
    begun,
    await put("api.txt", "x", api),
    await s3({ method: "HEAD", key: "api.txt", headers: api }),
    await s3({ key: "api.txt", headers: api }),
    await s3({ query: { "list-type": "2" }, headers: api }),
    await copy("api-copy.txt", "/media/api.txt", api),
  ];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect((await put("api.txt", "x", { "x-amz-api-version": "2099-01-01" })).code).toBe("NotImplemented");
});

it("takes back the x-amz-* of an answer with what is stored anew, as fog for Ruby sends them", async () => {
  const key = "saved-again.txt";
  await put(key, "one", { "x-amz-meta-a": "1", "x-amz-tagging": "t=1" });
  const { headers } = await s3({ key });
  const own = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-"));
  expect(own.map(([name]) => name).sort()).toEqual([
    "x-amz-id-2",
    "x-amz-meta-a",
    "x-amz-request-id",
    "x-amz-tagging-count",
  ]);
  const again = Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
  expect((await put(key, "two", again)).status).toBe(200);
  const got = await s3({ key });
  expect([got.text, got.headers["x-amz-meta-a"], got.headers["x-amz-tagging-count"]]).toEqual(["two", "1", undefined]);
  expect(got.headers["x-amz-request-id"]).not.toBe(headers["x-amz-request-id"]);
});

describe("the header ETag", () => {
  // Names of headers have no case, but htslib (samtools) looks for these letters when it has uploaded a part.
  it("is spelled as at Amazon on what was stored and on what is read", async () => {
    const answers = async (method: "PUT" | "GET", query: Record<string, string> = {}) => {
      const url = s3For(gateway).sign({
        method,
        bucket: "media",
        key: "spelled.txt",
        expiresIn: 60,
        bind: { query },
      }).url;
      const socket = await rawConnection(gateway);
      const body = method === "PUT" ? "content-length: 5\r\n\r\nhello" : "\r\n";
      const target = url.slice(gateway.url.length);
      socket.write(`${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1:${gateway.port}\r\nconnection: close\r\n${body}`);
      return readAll(socket);
    };
    const begun = await s3({ method: "POST", key: "spelled.txt", query: { uploads: "" } });
    const uploadId = s3Field(begun.text, "UploadId") ?? "";
    for (const answer of [
      await answers("PUT", { uploadId, partNumber: "1" }),
      await answers("PUT"),
      await answers("GET"),
    ]) {
      expect(answer).toContain(`\r\nETag: "${md5("hello")}"\r\n`);
    }
    // JetS3t looks for these on what it reads.
    const read = await answers("GET");
    expect(read).toContain("\r\nContent-Length: 5\r\n");
    expect(read).toMatch(/\r\nLast-Modified: [^\r]+ GMT\r\n/);
    expect(read).toContain("\r\nContent-Type: ");
  });
});

describe("a copy", () => {
  it("has the bytes, the type and the metadata of its source", async () => {
    const headers = {
      "content-type": "x/y",
      "cache-control": "max-age=9",
      "x-amz-meta-a": "1",
      "x-amz-tagging": "t=1",
    };
    await put("from.txt", "copied", headers);
    const reply = await copy("to.txt", "/media/from.txt");
    expect([reply.status, reply.headers["content-type"]]).toEqual([200, "application/xml"]);
    expect(s3Field(reply.text, "ETag")).toBe(`"${md5("copied")}"`);
    expect(reply.text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<CopyObjectResult xmlns="[^"]+"><LastModified>\d{4}-\d\d-\d\dT[\d:.]+Z</,
    );
    const got = await s3({ key: "to.txt" });
    expect(got.text).toBe("copied");
    expect(got.headers).toMatchObject({ "content-type": "x/y", "x-amz-meta-a": "1", "x-amz-tagging-count": "1" });
  });

  // What encodeURIComponent of JavaScript, and url.PathEscape and url.QueryEscape of Go make of it.
  it.each([
    "media%2Fdir%2Fa%20b%2Bc.txt",
    "%2Fmedia%2Fdir%2Fa%20b%2Bc.txt",
    "media%2Fdir%2Fa+b%2Bc.txt",
    "/media/dir/a+b%2Bc.txt",
  ])("finds its source where everything was encoded alike, as in %s", async (source) => {
    await put("dir/a b+c.txt", "a space and a plus");
    expect((await copy("found.txt", source)).status).toBe(200);
    expect((await s3({ key: "found.txt" })).text).toBe("a space and a plus");
  });

  it("of a file that nobody uploaded has an MD5 of its own", async () => {
    const reply = await copy("from-foreign.txt", "media/foreign.txt");
    expect(s3Field(reply.text, "ETag")).toBe(`"${md5("foreign")}"`);
  });

  it("takes metadata and tags from the request where it says so", async () => {
    await put("from.txt", "copied", { "x-amz-meta-a": "1", "x-amz-tagging": "t=1", "content-type": "x/y" });
    await copy("replaced.txt", "/media/from.txt", {
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-tagging-directive": "REPLACE",
      "x-amz-tagging": "u=2&v=3",
      "x-amz-meta-b": "2",
      "content-type": "z/z",
    });
    const { headers } = await s3({ key: "replaced.txt" });
    expect([headers["content-type"], headers["x-amz-meta-a"], headers["x-amz-meta-b"]]).toEqual([
      "z/z",
      undefined,
      "2",
    ]);
    expect(headers["x-amz-tagging-count"]).toBe("2");
    await copy("untagged.txt", "/media/from.txt", { "x-amz-tagging-directive": "REPLACE" });
    expect((await s3({ key: "untagged.txt" })).headers["x-amz-tagging-count"]).toBe(undefined);
    // Without the directives what the request says of them does not count, as on AWS.
    await copy("kept.txt", "/media/from.txt", {
      "x-amz-meta-b": "2",
      "x-amz-tagging": "u=2&v=3",
      "content-type": "z/z",
    });
    const kept = (await s3({ key: "kept.txt" })).headers;
    expect([kept["content-type"], kept["x-amz-meta-a"], kept["x-amz-meta-b"], kept["x-amz-tagging-count"]]).toEqual([
      "x/y",
      "1",
      undefined,
      "1",
    ]);
    for (const name of ["x-amz-metadata-directive", "x-amz-tagging-directive"]) {
      const reply = await copy("c.txt", "/media/from.txt", { [name]: "KEEP" });
      expect([reply.code, s3Field(reply.text, "ArgumentName")]).toEqual(["InvalidArgument", name]);
    }
  });

  it("onto itself needs something new", async () => {
    await put("self.txt", "self", { "x-amz-meta-a": "1" });
    const same = await copy("self.txt", "/media/self.txt");
    expect([same.status, same.code]).toEqual([400, "InvalidRequest"]);
    expect(s3Field(same.text, "Message")).toMatch(
      /^This copy request is illegal because it is trying to copy an object to itself/,
    );
    const changed = await copy("self.txt", "/media/self.txt", {
      "x-amz-metadata-directive": "REPLACE",
      "x-amz-meta-a": "2",
    });
    expect(changed.status).toBe(200);
    const got = await s3({ key: "self.txt" });
    expect([got.text, got.headers["x-amz-meta-a"]]).toEqual(["self", "2"]);
  });

  it("reads the name of its source encoded, once", async () => {
    const keys = ["a b", "a+b", "a%20b", "a?versionId=null", "a?b", "ä/ö", "a//b", "/a", "a&b=c", "..", "a/../b"];
    for (const key of keys) {
      await put(key, `content of ${key}`);
      const encoded = encodeURIComponent(key).replaceAll("%2F", "/");
      for (const source of [`/media/${encoded}`, `media/${encoded}`, `media/${encoded}?versionId=null`]) {
        const reply = await copy("target", source);
        expect([source, reply.status]).toEqual([source, 200]);
        expect((await s3({ key: "target" })).text).toBe(`content of ${key}`);
      }
    }
    // Amazon reads a plus as a space: a key that has one is found by %2B only (aws-sdk-php #236, aws-sdk-js #1821).
    await copy("target", "media/a+b");
    expect((await s3({ key: "target" })).text).toBe("content of a b");
  });

  it("refuses a source that is no name of an object", async () => {
    await put("from.txt", "copied");
    const refusals = [
      ["", "InvalidArgument"],
      ["/", "InvalidArgument"],
      ["media", "InvalidArgument"],
      ["/media/", "InvalidArgument"],
      ["//media/from.txt", "InvalidArgument"],
      ["media/%zz", "InvalidArgument"],
      ["media/%ff", "InvalidArgument"],
      ["media/from.txt?version=1", "InvalidArgument"],
      ["media/from.txt?versionId=", "InvalidArgument"],
      ["media/from.txt?versionId=1", "InvalidArgument"],
      ["media/from.txt?versionId=0123456789abcdefghijklmnopqrstuv", "NoSuchVersion"],
      ["media/none", "NoSuchKey"],
      ["nowhere/from.txt", "NoSuchBucket"],
      [`media/${"x".repeat(1025)}`, "KeyTooLongError"],
    ] as const;
    for (const [source, code] of refusals) {
      const reply = await copy("target2", source);
      expect([source, reply.code]).toEqual([source, code]);
    }
    const missing = await copy("target2", "media/none%20such");
    expect([missing.status, s3Field(missing.text, "Key")]).toEqual([404, "none such"]);
    expect((await s3({ key: "target2" })).code).toBe("NoSuchKey");
    expect(
      (await s3({ method: "PUT", bucket: "nowhere", key: "a", headers: { "x-amz-copy-source": "media/from.txt" } }))
        .code,
    ).toBe("NoSuchBucket");
  });

  it("keeps the conditions on its source", async () => {
    await put("from.txt", "copied");
    const past = "Mon, 01 Jan 2024 00:00:00 GMT";
    const future = new Date(Date.now() + 60_000).toUTCString();
    const etag = `"${md5("copied")}"`;
    const cases = [
      [{ "if-match": etag }, 200],
      [{ "if-match": "*" }, 200],
      [{ "if-match": '"other"' }, 412],
      [{ "if-none-match": '"other"' }, 200],
      [{ "if-none-match": etag }, 412],
      [{ "if-unmodified-since": future }, 200],
      [{ "if-unmodified-since": past }, 412],
      [{ "if-modified-since": past }, 200],
      [{ "if-modified-since": future }, 412],
      // "If both … are present and evaluate as follows, S3 returns 200 OK" and "412 Precondition Failed".
      [{ "if-match": etag, "if-unmodified-since": past }, 200],
      [{ "if-none-match": etag, "if-modified-since": past }, 412],
    ] as const;
    for (const [conditions, status] of cases) {
      const headers = Object.fromEntries(
        Object.entries(conditions).map(([name, value]) => [`x-amz-copy-source-${name}`, value]),
      );
      const reply = await copy("conditional.txt", "media/from.txt", headers);
      expect([conditions, reply.status]).toEqual([conditions, status]);
      if (status === 412) expect(reply.code).toBe("PreconditionFailed");
    }
  });

  it("keeps the conditions on its target", async () => {
    await put("from.txt", "copied");
    await put("there.txt", "there");
    expect((await copy("there.txt", "media/from.txt", { "if-none-match": "*" })).status).toBe(412);
    expect((await copy("there.txt", "media/from.txt", { "if-match": '"other"' })).status).toBe(412);
    expect((await copy("not-there.txt", "media/from.txt", { "if-match": "*" })).status).toBe(404);
    expect((await copy("there.txt", "media/from.txt", { "if-match": `"${md5("there")}"` })).status).toBe(200);
  });

  it("looks again when its source changes between the look and the copy", async () => {
    await put("moving.txt", "first");
    let changes = 1;
    meanwhile = async () => {
      meanwhile = undefined;
      await put("moving.txt", `change ${changes++}`);
    };
    const reply = await copy("moved.txt", "media/moving.txt", { "if-none-match": "*" });
    expect([reply.status, (await s3({ key: "moved.txt" })).text]).toEqual([200, "change 1"]);
  });

  it("of more than a limit is refused as AWS does", async () => {
    const small = await testGateway({
      files: { "media/large.bin": "x".repeat(101) },
      gateway: () => ({ limits: { body: 100 } }),
    });
    const reply = await sendS3(small, { method: "PUT", key: "b", headers: { "x-amz-copy-source": "media/large.bin" } });
    expect([reply.status, reply.code, s3Field(reply.text, "Message")]).toEqual([
      400,
      "InvalidRequest",
      "The specified copy source is larger than the maximum allowable size for a copy source: 100",
    ]);
    await small.close();
  });

  it("has a checksum when asked for one, and refuses a body", async () => {
    await put("from.txt", "copied");
    const reply = await copy("sum.txt", "media/from.txt", { "x-amz-checksum-algorithm": "SHA256" });
    expect(s3Field(reply.text, "ChecksumSHA256")).toBe(createHash("sha256").update("copied").digest("base64"));
    expect(s3Field(reply.text, "ChecksumType")).toBe("FULL_OBJECT");
    expect((await copy("sum.txt", "media/from.txt", { "x-amz-checksum-algorithm": "MD4" })).code).toBe(
      "InvalidRequest",
    );
  });
});

describe("tags", () => {
  const tagging = (...tags: readonly (readonly [string, string])[]) =>
    `<Tagging><TagSet>${tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("")}</TagSet></Tagging>`;
  const putTags = (key: string, body: string, headers: Record<string, string> = {}) =>
    s3({ method: "PUT", key, query: { tagging: "" }, body, headers });
  const tagsOf = async (key: string) =>
    (await s3({ key, query: { tagging: "" } })).text.replace(/^[^>]*>\n<Tagging[^>]*>/, "");

  it("are set with an object, replaced, listed, counted and removed", async () => {
    await put("tagged.txt", "x", { "x-amz-tagging": "colour=red&a%20b=c+d%2Be&empty=&bare" });
    expect(await tagsOf("tagged.txt")).toBe(
      "<TagSet><Tag><Key>colour</Key><Value>red</Value></Tag><Tag><Key>a b</Key><Value>c d+e</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag><Tag><Key>bare</Key><Value></Value></Tag></TagSet></Tagging>",
    );
    const before = await s3({ key: "tagged.txt" });
    expect(before.headers["x-amz-tagging-count"]).toBe("4");
    const stats = statSync(join(gateway.root, "media/tagged.txt"), { bigint: true });
    expect((await putTags("tagged.txt", tagging(["new", "größe"]))).status).toBe(200);
    const after = await s3({ method: "HEAD", key: "tagged.txt" });
    expect(after.headers["x-amz-tagging-count"]).toBe("1");
    expect([after.headers.etag, after.headers["last-modified"]]).toEqual([
      before.headers.etag,
      before.headers["last-modified"],
    ]);
    expect(statSync(join(gateway.root, "media/tagged.txt"), { bigint: true }).mtimeNs).toBe(stats.mtimeNs);
    expect(await tagsOf("tagged.txt")).toContain("<Key>new</Key><Value>größe</Value>");
    expect((await s3({ method: "DELETE", key: "tagged.txt", query: { tagging: "" } })).status).toBe(204);
    expect(await tagsOf("tagged.txt")).toBe("<TagSet></TagSet></Tagging>");
    expect((await s3({ key: "tagged.txt" })).headers["x-amz-tagging-count"]).toBe(undefined);
  });

  it("are refused where S3 refuses them", async () => {
    await put("tagged.txt", "x");
    const eleven = Array.from({ length: 11 }, (_, i) => [`k${i}`, "v"] as const);
    const refusals = [
      [tagging(...eleven), "BadRequest"],
      [tagging(["", "v"]), "InvalidTag"],
      [tagging(["k".repeat(129), "v"]), "InvalidTag"],
      [tagging(["k", "v".repeat(257)]), "InvalidTag"],
      [tagging(["k", "a;b"]), "InvalidTag"],
      [tagging(["aws:k", "v"]), "InvalidTag"],
      [tagging(["k", "1"], ["k", "2"]), "InvalidTag"],
      ["<Tagging/>", "MalformedXML"],
      ["<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"],
      ["<TagSet/>", "MalformedXML"],
      ["", "MalformedXML"],
    ] as const;
    for (const [body, code] of refusals) {
      const reply = await putTags("tagged.txt", body);
      expect([body, reply.status, reply.code]).toEqual([body, 400, code]);
    }
    const headers = [
      [eleven.map(([key, value]) => `${key}=${value}`).join("&"), "BadRequest"],
      ["a=1&a=2", "InvalidArgument"],
      ["a=%zz", "InvalidArgument"],
      ["a=b=c", "InvalidArgument"],
      ["=b", "InvalidTag"],
      ["a=%3B", "InvalidTag"],
    ] as const;
    for (const [value, code] of headers) {
      const reply = await put("tagged2.txt", "x", { "x-amz-tagging": value });
      expect([value, reply.code]).toEqual([value, code]);
    }
    expect((await s3({ key: "tagged2.txt" })).code).toBe("NoSuchKey");
    for (const method of ["GET", "DELETE"] as const) {
      expect((await s3({ method, key: "none", query: { tagging: "" } })).code).toBe("NoSuchKey");
    }
    expect((await putTags("none", tagging(["a", "1"]))).code).toBe("NoSuchKey");
    const digest = { "content-md5": createHash("md5").update("other").digest("base64") };
    expect((await putTags("tagged.txt", tagging(["a", "1"]), digest)).code).toBe("BadDigest");
    expect((await putTags("tagged.txt", tagging(["a", "1"]), { "x-amz-checksum-crc32": "AAAAAA==" })).code).toBe(
      "BadDigest",
    );
    expect((await putTags("tagged.txt", `${tagging()}${" ".repeat(1024 * 1024)}`)).code).toBe(
      "MaxMessageLengthExceeded",
    );
    expect(await tagsOf("tagged.txt")).toBe("<TagSet></TagSet></Tagging>");
  });
});

describe("attributes and access control lists", () => {
  it("describe an object", async () => {
    await put("plain.txt", "plain", { "x-amz-checksum-sha1": createHash("sha1").update("plain").digest("base64") });
    const get = (names: string, headers: Record<string, string> = {}) =>
      s3({ key: "plain.txt", query: { attributes: "" }, headers: { "x-amz-object-attributes": names, ...headers } });
    const all = await get("ETag, Checksum,ObjectParts,ObjectSize,StorageClass");
    expect(all.text.replace(/^[\s\S]*?<ETag>/, "<ETag>")).toBe(
      `<ETag>${md5("plain")}</ETag><Checksum><ChecksumSHA1>${createHash("sha1").update("plain").digest("base64")}</ChecksumSHA1><ChecksumType>FULL_OBJECT</ChecksumType></Checksum><StorageClass>STANDARD</StorageClass><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>`,
    );
    expect(Date.parse(all.headers["last-modified"] ?? "")).not.toBeNaN();
    expect((await get("ObjectSize")).text).toContain('"><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>');
    expect((await get("Size")).code).toBe("InvalidArgument");
    expect((await get("etag")).code).toBe("InvalidArgument");
    expect((await get("__proto__")).code).toBe("InvalidArgument");
    const missing = await s3({ key: "plain.txt", query: { attributes: "" } });
    expect([missing.code, s3Field(missing.text, "Message")]).toEqual([
      "InvalidRequest",
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    ]);
    expect((await get("ObjectParts", { "x-amz-max-parts": "-1" })).code).toBe("InvalidArgument");
    const none = await s3({ key: "none", query: { attributes: "" }, headers: { "x-amz-object-attributes": "ETag" } });
    expect(none.code).toBe("NoSuchKey");
  });

  it("tell that the owner has full control, and cannot be changed", async () => {
    await put("plain.txt", "plain");
    const acl = await s3({ key: "plain.txt", query: { acl: "" } });
    expect(acl.status).toBe(200);
    expect(acl.text).toContain('xsi:type="CanonicalUser"');
    expect(s3Field(acl.text, "Permission")).toBe("FULL_CONTROL");
    expect((await s3({ key: "none", query: { acl: "" } })).code).toBe("NoSuchKey");
    for (const headers of [{ "x-amz-acl": "public-read" }, { "x-amz-acl": "private" }]) {
      const reply = await s3({ method: "PUT", key: "plain.txt", query: { acl: "" }, headers, body: "" });
      expect([reply.status, reply.code]).toEqual([400, "AccessControlListNotSupported"]);
    }
    expect((await put("acl.txt", "x", { "x-amz-acl": "bucket-owner-full-control" })).status).toBe(200);
    expect((await put("acl.txt", "x", { "x-amz-acl": "private" })).status).toBe(200);
    expect((await put("acl.txt", "x", { "x-amz-acl": "everybody" })).code).toBe("InvalidArgument");
    expect((await put("acl.txt", "x", { "x-amz-storage-class": "COLD" })).code).toBe("InvalidStorageClass");
    expect((await put("acl.txt", "x", { "x-amz-storage-class": "STANDARD" })).status).toBe(200);
  });
});

describe("versions", () => {
  it("of an object there is one, called null", async () => {
    await put("versions.txt", "x");
    for (const query of [{}, { tagging: "" }, { acl: "" }]) {
      expect((await s3({ key: "versions.txt", query: { ...query, versionId: "null" } })).status).toBe(200);
    }
    // A bucket that never had versions names none, also not the one that was asked for.
    for (const method of ["GET", "HEAD"] as const) {
      const reply = await s3({ method, key: "versions.txt", query: { versionId: "null" } });
      expect([reply.status, reply.headers["x-amz-version-id"]]).toEqual([200, undefined]);
    }
    const other = "0123456789abcdefghijklmnopqrstuv";
    for (const method of ["GET", "DELETE"] as const) {
      for (const [versionId, status, code] of [
        [other, 404, "NoSuchVersion"],
        ["1", 400, "InvalidArgument"],
        ["", 400, "InvalidArgument"],
      ] as const) {
        const reply = await s3({ method, key: "versions.txt", query: { versionId } });
        expect([method, versionId, reply.status, reply.code]).toEqual([method, versionId, status, code]);
      }
    }
    expect((await s3({ key: "versions.txt" })).text).toBe("x");
    expect((await s3({ method: "DELETE", key: "versions.txt", query: { versionId: "null" } })).status).toBe(204);
    expect((await s3({ key: "versions.txt" })).code).toBe("NoSuchKey");
  });

  const tags = "<Tagging><TagSet></TagSet></Tagging>";
  const attributes = { "x-amz-object-attributes": "ETag" };
  it.each<readonly [string, Omit<S3Sent, "key">]>([
    ["GetObject", {}],
    ["DeleteObject", { method: "DELETE" }],
    ["GetObjectTagging", { query: { tagging: "" } }],
    ["PutObjectTagging", { method: "PUT", query: { tagging: "" }, body: tags }],
    ["DeleteObjectTagging", { method: "DELETE", query: { tagging: "" } }],
    ["GetObjectAcl", { query: { acl: "" } }],
    ["GetObjectAttributes", { query: { attributes: "" }, headers: attributes }],
  ])("that there are not are refused by %s with S3's code, text and fields, and touch nothing", async (_, sent) => {
    await put("versioned.txt", "x", { "x-amz-tagging": "a=1" });
    const ask = (versionId: string) => s3({ ...sent, key: "versioned.txt", query: { ...sent.query, versionId } });
    const fieldsOf = ({ text }: { readonly text: string }, ...names: readonly string[]) =>
      names.map((name) => s3Field(text, name));
    for (const versionId of [
      "1",
      "other version",
      "0123456789abcdefghijklmnopqrstu",
      "0123456789abcdefghijklmnopqrstu/",
    ]) {
      const reply = await ask(versionId);
      expect([reply.status, ...fieldsOf(reply, "Code", "Message", "ArgumentName", "ArgumentValue")]).toEqual([
        400,
        "InvalidArgument",
        "Invalid version id specified",
        "versionId",
        versionId,
      ]);
    }
    const empty = await ask("");
    expect([empty.status, ...fieldsOf(empty, "Code", "Message", "ArgumentName")]).toEqual([
      400,
      "InvalidArgument",
      "Version id cannot be the empty string",
      "versionId",
    ]);
    const absent = await ask("3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH");
    expect([absent.status, ...fieldsOf(absent, "Code", "Message", "Key", "VersionId")]).toEqual([
      404,
      "NoSuchVersion",
      "The specified version does not exist.",
      "versioned.txt",
      "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
    ]);
    const now = await s3({ key: "versioned.txt" });
    expect([now.text, now.headers["x-amz-tagging-count"]]).toEqual(["x", "1"]);
  });

  it("that there are not are refused by HEAD and as the source of a copy", async () => {
    await put("versioned.txt", "x");
    const absent = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH";
    const heads = [absent, "1", ""].map((versionId) =>
      s3({ method: "HEAD", key: "versioned.txt", query: { versionId } }),
    );
    expect((await Promise.all(heads)).map(({ status, text }) => [status, text])).toEqual([
      [404, ""],
      [400, ""],
      [400, ""],
    ]);
    const started = await s3({ method: "POST", key: "copied.txt", query: { uploads: "" } });
    const part = { partNumber: "1", uploadId: s3Field(started.text, "UploadId") ?? "" };
    for (const query of [{}, part]) {
      const copy = async (versionId: string) => {
        const headers = { "x-amz-copy-source": `media/versioned.txt?versionId=${versionId}` };
        const { status, code, text } = await s3({ method: "PUT", key: "copied.txt", query, headers });
        return [status, code, s3Field(text, "Message")];
      };
      expect(await copy(absent)).toEqual([404, "NoSuchVersion", "The specified version does not exist."]);
      expect(await copy("1")).toEqual([400, "InvalidArgument", "Invalid version id specified"]);
    }
    expect((await s3({ key: "copied.txt" })).code).toBe("NoSuchKey");
  });
});

describe("conditional writes", () => {
  it("say 412, 404 and 409 as AWS does", async () => {
    await put("cond.txt", "1");
    expect((await put("cond.txt", "2", { "if-none-match": "*" })).code).toBe("PreconditionFailed");
    expect((await put("cond.txt", "2", { "if-match": '"other"' })).code).toBe("PreconditionFailed");
    expect((await put("none.txt", "2", { "if-match": '"other"' })).code).toBe("NoSuchKey");
    meanwhile = async () => {
      meanwhile = undefined;
      await gateway.storage.delete({ bucket: "media", key: "cond.txt" });
    };
    const raced = await put("cond.txt", "2", { "if-match": `"${md5("1")}"` });
    expect([raced.status, raced.code]).toEqual([409, "ConditionalRequestConflict"]);
    meanwhile = async () => {
      meanwhile = undefined;
      await put("cond.txt", "theirs");
    };
    const lost = await put("cond.txt", "ours", { "if-none-match": "*" });
    expect([lost.status, s3Field(lost.text, "Condition")]).toEqual([412, "If-None-Match"]);
    meanwhile = async () => {
      meanwhile = undefined;
      await put("cond.txt", "theirs again");
    };
    const replaced = await put("cond.txt", "ours", { "if-match": `"${md5("theirs")}"` });
    expect([replaced.status, s3Field(replaced.text, "Condition")]).toEqual([412, "If-Match"]);
    expect((await s3({ key: "cond.txt" })).text).toBe("theirs again");
  });

  it("delete only what the condition names", async () => {
    await put("cond-delete.txt", "1");
    const remove = (etag: string) => s3({ method: "DELETE", key: "cond-delete.txt", headers: { "if-match": etag } });
    const other = await remove('"other"');
    expect([other.status, other.code]).toEqual([412, "PreconditionFailed"]);
    expect((await remove(`"${md5("1")}"`)).status).toBe(204);
    const gone = await remove(`"${md5("1")}"`);
    expect([gone.status, gone.code]).toEqual([404, "NoSuchKey"]);
    expect((await remove("*")).status).toBe(404);
  });

  it("reads state with conditions, ranges and part numbers in AWS's combinations", async () => {
    await put("read.txt", "0123456789");
    const etag = `"${md5("0123456789")}"`;
    const get = (query: Record<string, string>, headers: Record<string, string>) =>
      s3({ key: "read.txt", query, unsigned: headers });
    const one = await get({ partNumber: "1" }, {});
    expect([one.status, one.text, one.headers["content-range"], one.headers["x-amz-mp-parts-count"]]).toEqual([
      206,
      "0123456789",
      "bytes 0-9/10",
      undefined,
    ]);
    expect((await get({ partNumber: "2" }, {})).code).toBe("InvalidPartNumber");
    expect((await get({ partNumber: "1" }, { "if-none-match": etag })).status).toBe(304);
    expect((await get({ partNumber: "1" }, { "if-match": '"other"' })).status).toBe(412);
    expect((await get({}, { range: "bytes=2-3", "if-none-match": '"other"' })).text).toBe("23");
    expect((await get({}, { range: "bytes=2-3", "if-match": etag })).status).toBe(206);
    expect((await get({}, { range: "bytes=20-" })).code).toBe("InvalidRange");
    const overridden = await get({ partNumber: "1", "response-content-type": "x/part" }, {});
    expect([overridden.status, overridden.headers["content-type"]]).toEqual([206, "x/part"]);
    await put("empty.txt", "");
    expect((await s3({ key: "empty.txt", query: { partNumber: "1" } })).status).toBe(200);
  });
});

describe("a parameter that was signed twice", () => {
  it.each(["partNumber", "versionId"])("is an invalid argument: %s", async (name) => {
    await put("twice.txt", "x");
    const { url } = s3For(gateway).sign({
      bucket: "media",
      key: "twice.txt",
      expiresIn: 60,
      bind: { query: { [name]: ["1", "2"] } },
    });
    const reply = await fetch(url);
    const text = await reply.text();
    expect([reply.status, s3Code(text), s3Field(text, "ArgumentName")]).toEqual([400, "InvalidArgument", name]);
  });
});

describe("user metadata", () => {
  it("is UTF-8, by RFC 2047 in a header", async () => {
    const word = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
    const cases = [
      ["plain", "plain"],
      [word("größe 日本"), word("größe 日本")],
      ["=?utf-8?q?gr=C3=B6=C3=9Fe_1?=", word("größe 1")],
      [`${word("grö")} ${word("ße")} x`, word("größe x")],
      [word("abc"), "abc"],
      ["=?UTF-8?B?%%?=", "=?UTF-8?B?%%?="],
      ["=?iso-8859-1?q?=FC?=", "=?iso-8859-1?q?=FC?="],
      [word("a\r\nset-cookie: b"), word("a\r\nset-cookie: b")],
    ] as const;
    for (const [sent, returned] of cases) {
      await put("meta.txt", "x", { "x-amz-meta-name": sent });
      const { headers } = await s3({ method: "HEAD", key: "meta.txt" });
      expect([sent, headers["x-amz-meta-name"], headers["set-cookie"]]).toEqual([sent, returned, undefined]);
    }
  });

  it("may come as the bytes of its UTF-8, which are then what is signed", async () => {
    const bytes = (text: string) => Buffer.from(text).toString("latin1");
    const upload = (signed: string, sent: string) => {
      const [method, path, host] = ["PUT", "/media/bytes.txt", `127.0.0.1:${gateway.port}`];
      const all = headerSignature({
        method,
        path,
        host,
        key: gateway.accessKey,
        headers: { "x-amz-meta-name": signed },
      });
      // Node writes the head in UTF-8 where the body is text, and in Latin-1 where it is bytes.
      return send(gateway, {
        method,
        target: path,
        headers: { ...all, "x-amz-meta-name": sent },
        body: Buffer.from("x"),
      });
    };
    // The second byte of the last letter, read by itself, is a space that HTTP does not know.
    for (const text of ["größe 日本", "città", "\u{1f600}"]) {
      expect((await upload(text, bytes(text))).status).toBe(200);
      const { headers } = await s3({ method: "HEAD", key: "bytes.txt" });
      expect(headers["x-amz-meta-name"]).toBe(`=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`);
      expect((await upload(text, bytes(`${text}x`))).status).toBe(403);
      expect((await upload(text, bytes(bytes(text)))).status).toBe(403);
    }
    // A client that writes Latin-1 and signs UTF-8, as Node's does: the same text.
    expect((await upload("größe", "größe")).status).toBe(200);
    expect((await upload("größe", "grösse")).status).toBe(403);
  });

  it("may have 2 KB of UTF-8 in all", async () => {
    expect((await put("meta.txt", "x", { "x-amz-meta-a": "x".repeat(2047) })).status).toBe(200);
    expect((await put("meta.txt", "x", { "x-amz-meta-a": "x".repeat(2048) })).code).toBe("MetadataTooLarge");
    const encoded = `=?UTF-8?B?${Buffer.from("ä".repeat(1023)).toString("base64")}?=`;
    expect((await put("meta.txt", "x", { "x-amz-meta-a": encoded })).status).toBe(200);
    const longer = `=?UTF-8?B?${Buffer.from("ä".repeat(1024)).toString("base64")}?=`;
    expect((await put("meta.txt", "x", { "x-amz-meta-a": longer })).code).toBe("MetadataTooLarge");
  });
});
