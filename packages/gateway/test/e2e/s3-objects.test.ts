import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { md5, rawConnection, readAll, s3Calls, s3Code, s3Field, s3For, sendS3, useGateway } from "./clients.ts";
import { interrupted } from "./interrupted-storage.ts";

/** What another client does just before the storage stores. */
let meanwhile: (() => Promise<unknown>) | undefined;

const gateway = useGateway({
  files: { "media/foreign.txt": "foreign", "other/.keep": "" },
  storage: (disk) => interrupted(disk, () => meanwhile?.()),
});

const { s3, put } = s3Calls(() => gateway);
const copy = (key: string, source: string, headers: Record<string, string> = {}) =>
  s3({ method: "PUT", key, headers: { "x-amz-copy-source": source, ...headers } });

it.each(["GET", "HEAD"] as const)(
  "sends no checksum with a 304 to %s, because boto3 would compare it with the empty body",
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

describe("a function of S3 that is not here", () => {
  const here = async () => (await s3({ key: "annotated.txt" })).text;

  it.each([
    ["PUT", { annotation: "", annotationName: "n" }],
    ["DELETE", { annotation: "", annotationName: "n" }],
    ["PUT", { functionOfTomorrow: "" }],
    ["DELETE", { functionOfTomorrow: "" }],
  ] as const)(
    "a %s with %j asks for a function that is not here: it is refused and the object stays as it is",
    async (method, query) => {
      await put("annotated.txt", "the object");
      const reply = await s3({ method, key: "annotated.txt", query, ...(method === "PUT" ? { body: "a note" } : {}) });
      expect([reply.status, reply.code, await here()]).toEqual([501, "NotImplemented", "the object"]);
    },
  );

  it("refuses unknown functions on objects and buckets", async () => {
    await put("annotated.txt", "the object");
    expect((await s3({ key: "annotated.txt", query: { annotation: "", annotationName: "n" } })).code).toBe(
      "NotImplemented",
    );
    for (const name of ["metadataAnnotationTable", "metadataInventoryTable", "metadataJournalTable"])
      expect((await s3({ method: "PUT", query: { [name]: "" }, body: "<x/>" })).code).toBe("NotImplemented");
    expect((await s3({ method: "DELETE", query: { functionOfTomorrow: "" } })).code).toBe("NotImplemented");
  });

  it.each(
    `abac accelerate analytics annotation append cors delete encryption intelligent-tiering inventory legal-hold lifecycle
    location logging metadataAnnotationTable metadataConfiguration metadataInventoryTable metadataJournalTable
    metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject
    replication requestPayment restore retention select select-type session storageClass torrent uploads versioning
    versions website list-type prefix delimiter marker start-after`.split(/\s+/),
  )("answers NotImplemented to GET of an object with ?%s", async (name) => {
    expect((await s3({ key: "annotated.txt", query: { [name]: "1" } })).code).toBe("NotImplemented");
  });

  it.each(["attributes", "acl", "tagging"])("answers 501 to HEAD with ?%s", async (name) => {
    expect((await s3({ method: "HEAD", key: "annotated.txt", query: { [name]: "" } })).status).toBe(501);
  });

  it("ignores an unknown parameter with a value", async () => {
    expect((await s3({ method: "PUT", key: "labelled.txt", query: { "my-label": "7" }, body: "x" })).status).toBe(200);
  });
});

it("accepts the API version that the AWS SDK for C++ sends with each request, as ClickHouse and Arrow do", async () => {
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

it("accepts the x-amz-* of an answer on a new upload, as fog for Ruby sends them", async () => {
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
  it("spells ETag, Content-Length and Last-Modified like Amazon", async () => {
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
  it("copies bytes, type and metadata of the source", async () => {
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
  ])("finds a source that is encoded as %s", async (source) => {
    await put("dir/a b+c.txt", "a space and a plus");
    expect((await copy("found.txt", source)).status).toBe(200);
    expect((await s3({ key: "found.txt" })).text).toBe("a space and a plus");
  });

  it("computes the MD5 of a copied file that was not uploaded", async () => {
    const reply = await copy("from-foreign.txt", "media/foreign.txt");
    expect(s3Field(reply.text, "ETag")).toBe(`"${md5("foreign")}"`);
  });

  it("replaces metadata and tags of a copy only with the directives", async () => {
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

  it("refuses a copy onto itself that changes nothing", async () => {
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

  it("decodes the name of a copy source once", async () => {
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

  it("refuses invalid copy sources", async () => {
    await put("from.txt", "copied");
    const refusals = [
      ["", "InvalidArgument"],
      ["/", "InvalidArgument"],
      ["media", "InvalidArgument"],
      ["/media/", "InvalidArgument"],
      ["//media/from.txt", "InvalidArgument"],
      ["media/%zz", "InvalidArgument"],
      ["media/from  here.txt", "InvalidArgument"],
      ["media/from\there.txt", "InvalidArgument"],
      ["media/%ff", "InvalidArgument"],
      ["media/from.txt?version=1", "InvalidArgument"],
      // A source signed as `media/…` must not select what follows a question mark.
      ["media/none.txt?media/from.txt", "InvalidArgument"],
      ["media/none.txt?media/from.txt?versionId=null", "InvalidArgument"],
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

  it("enforces conditions on a copy source", async () => {
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

  it("enforces conditions on a copy target", async () => {
    await put("from.txt", "copied");
    await put("there.txt", "there");
    expect((await copy("there.txt", "media/from.txt", { "if-none-match": "*" })).status).toBe(412);
    expect((await copy("there.txt", "media/from.txt", { "if-match": '"other"' })).status).toBe(412);
    expect((await copy("not-there.txt", "media/from.txt", { "if-match": "*" })).status).toBe(404);
    expect((await copy("there.txt", "media/from.txt", { "if-match": `"${md5("there")}"` })).status).toBe(200);
  });

  it("reads the source again if it changes during a copy", async () => {
    await put("moving.txt", "first");
    let changes = 1;
    meanwhile = async () => {
      meanwhile = undefined;
      await put("moving.txt", `change ${changes++}`);
    };
    const reply = await copy("moved.txt", "media/moving.txt", { "if-none-match": "*" });
    expect([reply.status, (await s3({ key: "moved.txt" })).text]).toEqual([200, "change 1"]);
  });

  it("refuses a copy source over the limit in AWS's words", async () => {
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

  it("computes a requested checksum of a copy", async () => {
    await put("from.txt", "copied");
    const reply = await copy("sum.txt", "media/from.txt", { "x-amz-checksum-algorithm": "SHA256" });
    expect(s3Field(reply.text, "ChecksumSHA256")).toBe(createHash("sha256").update("copied").digest("base64"));
    expect(s3Field(reply.text, "ChecksumType")).toBe("FULL_OBJECT");
    expect((await copy("sum.txt", "media/from.txt", { "x-amz-checksum-algorithm": "MD4" })).code).toBe(
      "InvalidRequest",
    );
  });
});

describe("a parameter that was signed twice", () => {
  it.each(["partNumber", "versionId"])("refuses a parameter that was signed twice: %s", async (name) => {
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
