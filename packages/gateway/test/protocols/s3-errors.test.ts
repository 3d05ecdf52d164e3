/** The errors of calls: status, code, message and fields. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { type ChangedHeader, sendHeaderSigned } from "../e2e/changed-header.ts";
import { errorOf, type Reply, type S3Sent, s3For, send, sendS3, useCountedGateway } from "../e2e/clients.ts";

const { gateway, calls } = useCountedGateway({ files: { "media/hello.txt": "hello", "full/a.txt": "a" } });

const host = (): string => `127.0.0.1:${gateway.port}`;
const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
const header = (sent: ChangedHeader): Promise<Reply> => sendHeaderSigned(gateway, sent);
const presigned = (sent: S3Sent) => sendS3(gateway, sent);

const base64Of = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("base64");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("a function that the gateway does not have", () => {
  // The last two are unsupported parameters of a supported operation.
  it.each(
    "uploads torrent retention legal-hold restore select renameObject append encryption website max-parts prefix".split(
      " ",
    ),
  )("is NotImplemented for GET with ?%s, before storage", async (name) => {
    const before = calls().length;
    const reply = await presigned({ key: "hello.txt", query: { [name]: name === "prefix" ? "a" : "" } });
    expect([reply.status, reply.code, calls().length]).toEqual([501, "NotImplemented", before]);
  });

  it.each([
    ...["GET session", "GET metadataConfiguration", "HEAD acl", "POST restore"],
    ...["PUT policy", "PUT versioning", "PUT lifecycle", "PUT encryption", "PUT object-lock"],
    ...["PUT publicAccessBlock", "PUT tagging", "PUT website", "DELETE policy", "DELETE lifecycle", "DELETE website"],
  ])("is refused on a bucket before storage: %s", async (call) => {
    const [method, name = ""] = call.split(" ") as [NonNullable<S3Sent["method"]>, string];
    const before = calls().length;
    expect((await presigned({ method, query: { [name]: "" } })).status).toBe(501);
    expect(calls().length).toBe(before);
  });

  it("is NotImplemented for POST on an object, and MethodNotAllowed for PATCH", async () => {
    for (const [method, Code] of [
      ["POST", "NotImplemented"],
      ["PATCH", "MethodNotAllowed"],
    ] as const) {
      const { url } = s3For(gateway).sign({ ...object, method });
      const reply = await send(gateway, { method, target: url.slice(gateway.url.length), headers: { host: host() } });
      expect(errorOf(reply)).toMatchObject({ Code });
    }
  });

  it("does not include headers and parameters that SDKs add without effect", async () => {
    const query = { "x-id": "GetObject", "x-amz-checksum-mode": "ENABLED", "x-amz-user-agent": "sdk", "my-label": "7" };
    expect((await presigned({ key: "hello.txt", query })).status).toBe(200);
  });
});

describe("an upload", () => {
  const put = (headers: Record<string, string>, key = "upload") =>
    presigned({ method: "PUT", key, body: "body", headers });
  const TOO_BIG = "a".repeat(2100);

  it.each<[Record<string, string>, object]>([
    [
      { "x-amz-checksum-sha1": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "x-amz-checksum-crc32": "AAAAAA==" },
      {
        Code: "InvalidRequest",
        Message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
      },
    ],
    [
      { "x-amz-sdk-checksum-algorithm": "CRC32" },
      {
        Code: "InvalidRequest",
        Message:
          "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      },
    ],
    [
      { "x-amz-sdk-checksum-algorithm": "MD4" },
      { Code: "InvalidRequest", Message: "Value for x-amz-sdk-checksum-algorithm header is invalid." },
    ],
    [
      { "x-amz-sdk-checksum-algorithm": "CRC32C", "x-amz-checksum-crc32": "AAAAAA==" },
      { Code: "InvalidRequest", Message: "Value for x-amz-sdk-checksum-algorithm header is invalid." },
    ],
    [
      { "x-amz-checksum-crc64nvme": "AAAAAA==" },
      { Code: "InvalidRequest", Message: "Value for x-amz-checksum-crc64nvme header is invalid." },
    ],
    [{ "x-amz-meta-big": TOO_BIG }, { Code: "MetadataTooLarge" }],
    [{ "content-md5": "x" }, { Code: "InvalidDigest", "Content-MD5": "x" }],
    [{ "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg" }, { Code: "InvalidDigest" }],
    [{ "content-md5": "1B2M2Y8AsgTpgAmY7PhCfh==" }, { Code: "InvalidDigest" }],
    [
      { "content-md5": base64Of("md5", "other") },
      { Code: "BadDigest", ExpectedDigest: base64Of("md5", "other"), CalculatedDigest: base64Of("md5", "body") },
    ],
    [
      { "x-amz-checksum-crc32": "AAAAAA==" },
      { Code: "BadDigest", ExpectedDigest: "AAAAAA==", CalculatedDigest: "26gLsg==" },
    ],
    [
      { "x-amz-content-sha256": sha256("other") },
      {
        Code: "XAmzContentSHA256Mismatch",
        ClientComputedContentSHA256: sha256("other"),
        S3ComputedContentSHA256: sha256("body"),
      },
    ],
  ])("is refused with %j", async (headers, expected) => {
    expect(errorOf(await put(headers))).toMatchObject({ status: 400, ...expected });
  });

  it("is refused for a key over 1024 bytes", async () => {
    const reply = await put({}, "ü".repeat(513));
    expect(errorOf(reply)).toMatchObject({ status: 400, Code: "KeyTooLongError", Size: "1026" });
  });

  it("stores metadata that an SDK moved into the query, and returns it encoded", async () => {
    await presigned({ method: "PUT", key: "meta.txt", body: "x", query: { "x-amz-meta-title": "日本" } });
    const { headers } = await presigned({ key: "meta.txt" });
    expect(headers["x-amz-meta-title"]).toBe(`=?UTF-8?B?${Buffer.from("日本").toString("base64")}?=`);
  });
});

describe("a body in chunks", () => {
  const [plain, trailer] = ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"];
  const length = { "x-amz-decoded-content-length": "5" };

  it.each<[string, string, Record<string, string>, object]>([
    ["without its length", plain, {}, { status: 411, Code: "MissingContentLength" }],
    [
      "with a length that is no number",
      plain,
      { "x-amz-decoded-content-length": "five" },
      { Code: "InvalidArgument", ArgumentName: "x-amz-decoded-content-length", ArgumentValue: "five" },
    ],
    [
      "without the names of its trailer",
      trailer,
      length,
      {
        Code: "MalformedTrailerError",
        Message:
          "The request contained trailing data that was not well-formed or did not conform to our published schema.",
      },
    ],
    [
      "with a trailer that is no checksum",
      trailer,
      { ...length, "x-amz-trailer": "x-amz-meta-a" },
      { Code: "InvalidRequest", Message: "The value specified in the x-amz-trailer header is not supported" },
    ],
  ])("is refused %s", async (_, payload, headers, expected) => {
    const sent = { payload, headers: { "content-encoding": "aws-chunked", ...headers }, body: "0\r\n\r\n" };
    expect(errorOf(await header(sent))).toMatchObject(expected);
  });
});

describe("a payload hash", () => {
  it.each(["abc", "STREAMING-FOO", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"])(
    "is refused if it is malformed: %s",
    async (payload) => {
      expect(errorOf(await header({ payload, body: "x" }))).toMatchObject({
        status: 400,
        Code: "InvalidArgument",
        Message:
          "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        ArgumentName: "x-amz-content-sha256",
        ArgumentValue: payload,
      });
    },
  );

  it("is NotImplemented for a payload mode that only Amazon has", async () => {
    const reply = await header({ payload: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", body: "x" });
    expect(errorOf(reply)).toMatchObject({ status: 501, Code: "NotImplemented" });
  });

  it("of a body is refused on a copy, which reads none", async () => {
    const headers = { "x-amz-copy-source": "/media/hello.txt" };
    expect((await header({ headers, payload: sha256("") })).status).toBe(200);
    expect(errorOf(await header({ headers, payload: sha256("body"), body: "body" }))).toMatchObject({
      Code: "XAmzContentSHA256Mismatch",
      ClientComputedContentSHA256: sha256("body"),
      S3ComputedContentSHA256: sha256(""),
    });
  });
});

describe("an error", () => {
  const body = "<Delete><Object><Key>a</Key></Object></Delete>";
  it.each<[S3Sent, object]>([
    [
      { bucket: "no-such-bucket", key: "a" },
      { Code: "NoSuchBucket", BucketName: "no-such-bucket" },
    ],
    [
      { bucket: "full", method: "DELETE" },
      { Code: "BucketNotEmpty", BucketName: "full" },
    ],
    [
      { method: "PUT", key: "copy", headers: { "x-amz-copy-source": "/no-such-bucket/a" } },
      { Code: "NoSuchBucket", BucketName: "no-such-bucket" },
    ],
    [
      { method: "DELETE", key: "parts", query: { uploadId: "nothing" } },
      { Code: "NoSuchUpload", UploadId: "nothing" },
    ],
    [
      { method: "POST", query: { delete: "" }, body, headers: { "content-md5": base64Of("md5", "other") } },
      { Code: "BadDigest", ExpectedDigest: base64Of("md5", "other"), CalculatedDigest: base64Of("md5", body) },
    ],
    [
      {
        method: "POST",
        query: { delete: "" },
        body,
        headers: { "content-md5": base64Of("md5", body), "x-amz-content-sha256": sha256("other") },
      },
      {
        Code: "XAmzContentSHA256Mismatch",
        ClientComputedContentSHA256: sha256("other"),
        S3ComputedContentSHA256: sha256(body),
      },
    ],
  ])("repeats what was asked: %j", async (sent, expected) => {
    expect(errorOf(await presigned(sent))).toMatchObject(expected);
  });

  it("repeats the upload and the part of a completion", async () => {
    const started = await presigned({ method: "POST", key: "parts", query: { uploads: "" } });
    const UploadId = String(errorOf(started)["UploadId"]);
    const list =
      "<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>abc</ETag></Part></CompleteMultipartUpload>";
    const reply = await presigned({ method: "POST", key: "parts", query: { uploadId: UploadId }, body: list });
    expect(errorOf(reply)).toMatchObject({ Code: "InvalidPart", UploadId, PartNumber: "3", ETag: "abc" });
  });
});

it("sends a different x-amz-id-2 with every answer, and repeats it in an error", async () => {
  const calls: readonly S3Sent[] = [
    { key: "hello.txt" },
    { key: "hello.txt", method: "HEAD" },
    { key: "put", method: "PUT", body: "x" },
    { key: "put", method: "DELETE" },
    { query: { "list-type": "2" } },
    { query: { uploads: "" } },
    { method: "HEAD" },
    { key: "none" },
    { key: "hello.txt", query: { torrent: "" } },
  ];
  const seen = new Set<unknown>();
  for (const sent of calls) {
    const reply = await presigned(sent);
    const id = reply.headers["x-amz-id-2"];
    expect([sent, id]).toEqual([sent, expect.stringMatching(/^[A-Za-z0-9+/=]{16,}$/)]);
    if (reply.code !== undefined) expect(errorOf(reply)["HostId"]).toBe(id);
    seen.add(id);
  }
  expect(seen.size).toBe(calls.length);
});

it("accepts CreateBucket for an existing bucket in us-east-1, and refuses it elsewhere", async () => {
  const again = await presigned({ method: "PUT", bucket: "full" });
  expect([again.status, again.headers["location"]]).toEqual([200, "/full"]);
  expect((await presigned({ bucket: "full", key: "a.txt" })).text).toBe("a");
  await using other = await testGateway({
    files: { "full/a.txt": "a" },
    gateway: () => ({ region: "eu-west-1", regions: ["us-east-1", "eu-west-1"] }),
  });
  const reply = await sendS3(other, { method: "PUT", bucket: "full" });
  expect(errorOf(reply)).toMatchObject({ status: 409, Code: "BucketAlreadyOwnedByYou", BucketName: "full" });
});

it("lists the algorithm and the type of an object's checksum", async () => {
  const headers = { "x-amz-checksum-sha256": base64Of("sha256", "sum") };
  await presigned({ method: "PUT", key: "sums/a", body: "sum", headers });
  await presigned({ method: "PUT", key: "sums/b", body: "none" });
  for (const query of [{}, { "list-type": "2" }, { versions: "" }]) {
    const { text } = await presigned({ query: { ...query, prefix: "sums/" } });
    const [, a = "", b = ""] = text.split("<Key>");
    expect(a).toContain("<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>");
    expect(b).not.toContain("Checksum");
  }
});
