/** The errors of S3: status, code, message and fields, for signatures and for calls. */
import { createHash, createHmac } from "node:crypto";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { type RecordingStorage, recordingStorage, testGateway } from "../../src/testing/index.ts";
import { type ChangedHeader, sendHeaderSigned } from "../e2e/changed-header.ts";
import { errorOf, type Reply, type S3Sent, s3For, send, sendS3, useGateway } from "../e2e/clients.ts";

let storage: RecordingStorage;
const gateway = useGateway({
  files: { "media/hello.txt": "hello", "full/a.txt": "a" },
  storage: (disk) => {
    storage = recordingStorage(disk);
    return storage;
  },
  gateway: () => ({ regions: ["us-east-1", "eu-west-1"] }),
});

const host = (): string => `127.0.0.1:${gateway.port}`;
const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
const target = (options: Parameters<typeof s3For>[1] = {}): string =>
  s3For(gateway, options).sign(object).url.slice(gateway.url.length);
const sendTarget = (raw: string, headers: Record<string, string> = {}): Promise<Reply> =>
  send(gateway, { target: raw, headers: { host: host(), ...headers } });
const header = (sent: ChangedHeader): Promise<Reply> => sendHeaderSigned(gateway, sent);
const presigned = (sent: S3Sent) => sendS3(gateway, sent);

const base64Of = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("base64");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const CREDENTIAL = "Error parsing the X-Amz-Credential parameter; ";
const HEADER = "The authorization header is malformed; ";
const MALFORMED_CREDENTIAL =
  'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
const MALFORMED_TERMINAL = 'incorrect terminal "aws5_request". This endpoint uses "aws4_request".';
const SIX =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

describe("a presigned query", () => {
  it.each<[string, (target: string) => string, string]>([
    ["a missing parameter", (t) => t.replace(/&X-Amz-Date=[^&]*/, ""), SIX],
    [
      "another algorithm",
      (t) => t.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
      'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
    ],
    [
      "a malformed credential",
      (t) => t.replace(/X-Amz-Credential=[^&]*/, "X-Amz-Credential=AKID"),
      CREDENTIAL + MALFORMED_CREDENTIAL,
    ],
    ["another terminal", (t) => t.replace("aws4_request", "aws5_request"), CREDENTIAL + MALFORMED_TERMINAL],
    [
      "another service",
      (t) => t.replace("%2Fs3%2F", "%2Fsqs%2F"),
      `${CREDENTIAL}incorrect service "sqs". This endpoint belongs to "s3".`,
    ],
    [
      "another region",
      (t) => t.replace("us-east-1", "mars-1"),
      `${CREDENTIAL}the region 'mars-1' is wrong; expecting 'us-east-1'`,
    ],
    [
      "another form of date",
      (t) => t.replace(/X-Amz-Date=[^&]*/, "X-Amz-Date=2026-11-24T00:00:00Z"),
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    ],
    [
      "a lifetime that is no number",
      (t) => t.replace("Expires=60", "Expires=soon"),
      "X-Amz-Expires should be a number",
    ],
    ["a negative lifetime", (t) => t.replace("Expires=60", "Expires=-60"), "X-Amz-Expires must be non-negative"],
    [
      "a lifetime over a week",
      (t) => t.replace("Expires=60", "Expires=604801"),
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    ],
    ["another spelling", (t) => `${t}&x-amz-expires=1`, "x-amz-expires is not spelled as documented."],
  ])("is refused for %s", async (_, change, Message) => {
    const reply = await sendTarget(change(target()));
    expect(errorOf(reply)).toMatchObject({ status: 400, Code: "AuthorizationQueryParametersError", Message });
  });

  it("is refused for an unknown access key", async () => {
    const Message = "The AWS Access Key Id you provided does not exist in our records.";
    const reply = await sendTarget(target().replace("AKIDEXAMPLE", "AKIDNOBODY"));
    expect(errorOf(reply)).toMatchObject({ status: 403, Code: "InvalidAccessKeyId", Message });
  });

  it("is refused for a session token that the key does not have", async () => {
    const Message = "The provided token is malformed or otherwise invalid.";
    const reply = await sendTarget(target({ credentials: { ...gateway.accessKey, sessionToken: "token" } }));
    expect(errorOf(reply)).toMatchObject({ status: 400, Code: "InvalidToken", Message });
  });

  it.each([
    { "X-Goog-Signature": "ab", "X-Goog-Algorithm": "GOOG4-RSA-SHA256" },
    { GoogleAccessId: "a@b.example", Signature: "ab" },
    { sig: "ab", sv: "2026-04-06" },
  ])("is ambiguous with parameters of another scheme: %j", async (query) => {
    const ambiguous = { status: 400, Code: "InvalidArgument" };
    expect(errorOf(await presigned({ key: "hello.txt", query }))).toMatchObject(ambiguous);
    expect(errorOf(await header({ method: "GET", path: "/media/hello.txt", query }))).toMatchObject(ambiguous);
  });

  it("accepts a single parameter that another scheme uses too", async () => {
    expect((await presigned({ key: "hello.txt", query: { sig: "ab" } })).status).toBe(200);
  });

  it.each(["x-goog-meta-a", "x-goog-copy-source", "X-Ms-Blob-Type"])("rejects the unsigned header %s", async (name) => {
    const unsigned = { [name]: "/media/hello.txt" };
    const reply = await presigned({ method: "PUT", key: "foreign", body: "x", unsigned });
    const HeadersNotSigned = name.toLowerCase();
    expect(errorOf(reply)).toMatchObject({ status: 403, Code: "AccessDenied", HeadersNotSigned });
    expect((await presigned({ key: "foreign" })).status).toBe(404);
  });

  it("accepts a signed header of Cloud Storage", async () => {
    const signed = await presigned({ method: "PUT", key: "signed", body: "x", headers: { "x-goog-meta-a": "1" } });
    expect(signed.status).toBe(200);
  });

  it("reports the times of an expired URL in whole seconds, and no lifetime for SigV2", async () => {
    const old = await sendTarget(target({ clock: () => new Date(Date.now() - 7_200_000) }));
    expect(errorOf(old)).toMatchObject({ Code: "AccessDenied", "X-Amz-Expires": "60" });
    const expires = Math.floor(Date.now() / 1000) - 60;
    const signature = createHmac("sha1", gateway.accessKey.secretAccessKey)
      .update(`GET\n\n\n${expires}\n/media/hello.txt`)
      .digest("base64");
    const v2 = await sendTarget(
      `/media/hello.txt?AWSAccessKeyId=${gateway.accessKey.accessKeyId}&Expires=${expires}&Signature=${encodeURIComponent(signature)}`,
    );
    const Expires = new Date(expires * 1000).toISOString().replace(".000", "");
    expect(errorOf(v2)).toMatchObject({ status: 403, Message: "Request has expired", Expires });
    expect(errorOf(v2)["X-Amz-Expires"]).toBeUndefined();
    const seconds = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    for (const reply of [old, v2]) expect(errorOf(reply)).toMatchObject({ Expires: seconds, ServerTime: seconds });
  });
});

describe("a signature in the header", () => {
  const authorization = (change: (text: string) => string) => (headers: Record<string, string>) => ({
    ...headers,
    authorization: change(headers["authorization"] ?? ""),
  });

  it.each<[string, (text: string) => string, string]>([
    ["a short credential", (text) => text.replace(/\/\d{8}\/us-east-1\//, "/"), MALFORMED_CREDENTIAL],
    [
      "a malformed date",
      (text) => text.replace(/\/\d{8}\//, "/2013/"),
      'incorrect date format "2013". This date in the credential must be in the format "yyyyMMdd".',
    ],
    ["another terminal", (text) => text.replace("aws4_request", "aws5_request"), MALFORMED_TERMINAL],
    [
      "a missing signature",
      (text) => text.replace(/, Signature=.*/, ""),
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ],
    ["an unsigned host", (text) => text.replace("=host;", "="), 'SignedHeaders must include "host".'],
  ])("is refused for %s", async (_, change, message) => {
    const Message = HEADER + message;
    const reply = await header({ change: authorization(change) });
    expect(errorOf(reply)).toMatchObject({ status: 400, Code: "AuthorizationHeaderMalformed", Message });
  });

  it("reports both days if the credential is of another day, in header and query", async () => {
    const at = new Date();
    const day = at.toISOString().slice(0, 10).replaceAll("-", "");
    const text = `Invalid credential date "20130524". This date is not the same as X-Amz-Date: "${day}".`;
    const reply = await header({ at, change: authorization((value) => value.replace(/\/\d{8}\//, "/20130524/")) });
    expect(errorOf(reply)).toMatchObject({ Code: "AuthorizationHeaderMalformed", Message: HEADER + text });
    const query = await sendTarget(target({ clock: () => at }).replace(/%2F\d{8}%2F/, "%2F20130524%2F"));
    expect(errorOf(query)).toMatchObject({ Code: "AuthorizationQueryParametersError", Message: text });
  });

  it("does not match if it is not hexadecimal, and names its key", async () => {
    const reply = await header({ change: authorization((text) => text.replace(/Signature=.*/, "Signature=xyz")) });
    const AWSAccessKeyId = gateway.accessKey.accessKeyId;
    expect(errorOf(reply)).toMatchObject({ status: 403, Code: "SignatureDoesNotMatch", AWSAccessKeyId });
  });

  it("is refused if the header is sent twice", async () => {
    const twice = ({ authorization = "", ...headers }: Record<string, string>) => ({
      ...headers,
      authorization: [authorization, authorization],
    });
    const Message = expect.stringMatching(/^Only one auth mechanism allowed/);
    expect(errorOf(await header({ change: twice }))).toMatchObject({ status: 400, Code: "InvalidArgument", Message });
  });

  it("reports the time of the request and the server if it is too old", async () => {
    const at = new Date(Date.now() - 3_600_000);
    expect(errorOf(await header({ at }))).toMatchObject({
      status: 403,
      Code: "RequestTimeTooSkewed",
      MaxAllowedSkewMilliseconds: "900000",
      RequestTime: at.toISOString().replace(/[-:]|\.\d{3}/g, ""),
      ServerTime: expect.stringMatching(/:\d\dZ$/),
    });
  });

  it.each(["FOO bar", "Bearer hidden", "Basic aGlkZGVu"])("refuses %s without repeating it", async (authorization) => {
    const reply = await sendTarget("/media/hello.txt", { authorization });
    const expected = { Message: "Unsupported Authorization Type", ArgumentName: "Authorization" };
    expect(errorOf(reply)).toMatchObject({ status: 400, Code: "InvalidArgument", ...expected });
    expect(reply.body.toString()).not.toMatch(/hidden|aGlkZGVu|bar/);
  });

  const date = new Date().toUTCString();
  it.each<[string, Record<string, string>, object]>([
    [
      "a malformed signature",
      { date, authorization: "AWS AKID:x" },
      { status: 403, Code: "SignatureDoesNotMatch", AWSAccessKeyId: "AKID" },
    ],
    [
      "a missing signature",
      { date, authorization: "AWS AKID" },
      { Code: "InvalidArgument", Message: "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature" },
    ],
    [
      "a missing date",
      { authorization: `AWS AKID:${Buffer.alloc(20).toString("base64")}` },
      { status: 403, Message: "AWS authentication requires a valid Date or x-amz-date header" },
    ],
  ])("of SigV2 is refused for %s", async (_, headers, expected) => {
    expect(errorOf(await sendTarget("/media/hello.txt", headers))).toMatchObject(expected);
  });
});

describe("SignatureDoesNotMatch", () => {
  it("shows the canonical request and the string to sign of a presigned URL", async () => {
    const error = errorOf(await sendTarget(target().replace("hello.txt", "h%C3%A9llo.txt")));
    const canonicalRequest = String(error["CanonicalRequest"]);
    expect(canonicalRequest.split("\n").slice(0, 2)).toEqual(["GET", "/media/h%C3%A9llo.txt"]);
    expect(String(error["StringToSign"]).split("\n").at(-1)).toBe(sha256(canonicalRequest));
    const signature = { SignatureProvided: expect.stringMatching(/^[0-9a-f]{64}$/), AWSAccessKeyId: "AKIDEXAMPLE" };
    expect(error).toMatchObject(signature);
    expect(Buffer.from(String(error["CanonicalRequestBytes"]).replaceAll(" ", ""), "hex").toString()).toBe(
      canonicalRequest,
    );
  });

  it("shows only the string to sign of SigV2", async () => {
    const { accessKey: credentials, url: endpoint } = gateway;
    const { url } = s3V2Signer({ region: "us-east-1", endpoint, addressing: "path", credentials }).sign(object);
    const error = errorOf(await sendTarget(url.slice(gateway.url.length).replace("hello", "other")));
    expect(error).toMatchObject({
      Code: "SignatureDoesNotMatch",
      StringToSign: expect.stringMatching(/\n\/media\/other.txt$/),
    });
    expect(error["CanonicalRequest"]).toBeUndefined();
  });

  it("shows the canonical request of a header signature", async () => {
    const reply = await header({ method: "GET", path: "/media/hello.txt", sentPath: "/media/other.txt" });
    expect(String(errorOf(reply)["CanonicalRequest"]).split("\n")[1]).toBe("/media/other.txt");
  });

  it("shows none of these if the operator switches them off", async () => {
    await using quiet = await testGateway({ gateway: () => ({ debugFields: false }) });
    const body = await (await fetch(s3For(quiet).sign(object).url.replace("hello", "other"))).text();
    expect(body).toContain("<Code>SignatureDoesNotMatch</Code>");
    expect(body).not.toContain("CanonicalRequest");
  });
});

describe("a function that the gateway does not have", () => {
  // The last two are unsupported parameters of a supported operation.
  it.each(
    "uploads torrent retention legal-hold restore select renameObject append encryption website max-parts prefix".split(
      " ",
    ),
  )("is NotImplemented for GET with ?%s, before storage", async (name) => {
    const before = storage.calls.length;
    const reply = await presigned({ key: "hello.txt", query: { [name]: name === "prefix" ? "a" : "" } });
    expect([reply.status, reply.code, storage.calls.length]).toEqual([501, "NotImplemented", before]);
  });

  it.each([
    ...["GET session", "GET metadataConfiguration", "HEAD acl", "POST restore"],
    ...["PUT acl", "PUT policy", "PUT versioning", "PUT lifecycle", "PUT encryption", "PUT object-lock"],
    ...["PUT publicAccessBlock", "PUT tagging", "PUT website", "DELETE policy", "DELETE lifecycle", "DELETE website"],
  ])("is refused on a bucket before storage: %s", async (call) => {
    const [method, name = ""] = call.split(" ") as [NonNullable<S3Sent["method"]>, string];
    const before = storage.calls.length;
    expect((await presigned({ method, query: { [name]: "" } })).status).toBe(501);
    expect(storage.calls.length).toBe(before);
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

  it("names the region of another region's signature", async () => {
    const reply = await sendTarget(target({ region: "mars-1" }));
    expect(errorOf(reply)).toMatchObject({ Region: "us-east-1" });
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
