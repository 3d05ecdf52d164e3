import { createHash, createHmac } from "node:crypto";
import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { type Reply, type S3Sent, s3Code, s3Field, s3For, send, sendS3 } from "../e2e/clients.ts";
import { type HeaderSigned, headerSignature } from "../e2e/header-signature.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway({ files: { "media/hello.txt": "hello", "full/a.txt": "a" } });
});
afterAll(() => gateway.close());

const host = (): string => `127.0.0.1:${gateway.port}`;

interface Header extends Partial<Omit<HeaderSigned, "key" | "host">> {
  readonly body?: string;
  readonly change?: (headers: Record<string, string>) => Record<string, string | string[]>;
}

/** Signed with SigV4 in the header, and then changed. */
function header({ body, change = (headers) => headers, ...sign }: Header): Promise<Reply> {
  const { method = "PUT", path = "/media/x", query = {} } = sign;
  const headers = headerSignature({ ...sign, method, path, key: gateway.accessKey, host: host() });
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const text = new URLSearchParams(query).toString();
  return send(gateway, {
    method,
    target: text === "" ? path : `${path}?${text}`,
    headers: { ...change(headers), ...length },
    body,
  });
}

const presigned = (sent: S3Sent) => sendS3(gateway, sent);
const said = ({ status, body }: Reply) => [status, s3Code(body), s3Field(body, "Message")];
const field = ({ body }: Reply, name: string) => s3Field(body, name);

const MALFORMED = "The authorization header is malformed; ";

describe("a header that cannot be read", () => {
  const authorization = (change: (text: string) => string) => (headers: Record<string, string>) => ({
    ...headers,
    authorization: change(headers["authorization"] ?? ""),
  });

  it.each<[string, (text: string) => string, string]>([
    [
      "a short credential",
      (text) => text.replace(/\/\d{8}\/us-east-1\//, "/"),
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      "a date that is none",
      (text) => text.replace(/\/\d{8}\//, "/2013/"),
      'incorrect date format "2013". This date in the credential must be in the format "yyyyMMdd".',
    ],
    [
      "another end of the credential",
      (text) => text.replace("aws4_request", "aws5_request"),
      'incorrect terminal "aws5_request". This endpoint uses "aws4_request".',
    ],
    [
      "no signature",
      (text) => text.replace(/, Signature=.*/, ""),
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ],
    ["a host that is not signed", (text) => text.replace("=host;", "="), 'SignedHeaders must include "host".'],
  ])("is refused for %s", async (_, change, message) => {
    const reply = await header({ change: authorization(change) });
    expect(said(reply)).toEqual([400, "AuthorizationHeaderMalformed", MALFORMED + message]);
  });

  it("and a query whose credential is of another day are told both days", async () => {
    const at = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const text = `Invalid credential date "20130524". This date is not the same as X-Amz-Date: "${at}".`;
    const reply = await header({ change: authorization((value) => value.replace(/\/\d{8}\//, "/20130524/")) });
    expect(said(reply)).toEqual([400, "AuthorizationHeaderMalformed", MALFORMED + text]);
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const target = url.slice(gateway.url.length).replace(/%2F\d{8}%2F/, "%2F20130524%2F");
    expect(said(await send(gateway, { target }))).toEqual([400, "AuthorizationQueryParametersError", text]);
  });

  it("with a signature that is not hexadecimal does not match, and names its key", async () => {
    const reply = await header({ change: authorization((text) => text.replace(/Signature=.*/, "Signature=xyz")) });
    expect(said(reply).slice(0, 2)).toEqual([403, "SignatureDoesNotMatch"]);
    expect(field(reply, "AWSAccessKeyId")).toBe(gateway.accessKey.accessKeyId);
  });

  it("given twice is more than one mechanism", async () => {
    const reply = await header({
      change: (headers) => ({
        ...headers,
        authorization: [headers["authorization"] ?? "", headers["authorization"] ?? ""],
      }),
    });
    expect(said(reply)).toEqual([400, "InvalidArgument", expect.stringMatching(/^Only one auth mechanism allowed/)]);
  });

  it("of a type that S3 has not is refused, and not repeated", async () => {
    for (const value of ["FOO bar", "Bearer hidden", "Basic aGlkZGVu"]) {
      const reply = await send(gateway, {
        target: "/media/hello.txt",
        headers: { host: host(), authorization: value },
      });
      expect(said(reply)).toEqual([400, "InvalidArgument", "Unsupported Authorization Type"]);
      expect(field(reply, "ArgumentName")).toBe("Authorization");
      expect(reply.body.toString()).not.toMatch(/hidden|aGlkZGVu|bar/);
    }
  });

  it("of SigV2 without the form of a signature does not match, and without a signature is told its form", async () => {
    const version2 = (value: string) =>
      send(gateway, {
        target: "/media/hello.txt",
        headers: { host: host(), date: new Date().toUTCString(), authorization: `AWS ${value}` },
      });
    const short = await version2("AKID:x");
    expect([...said(short).slice(0, 2), field(short, "AWSAccessKeyId")]).toEqual([
      403,
      "SignatureDoesNotMatch",
      "AKID",
    ]);
    expect(said(await version2("AKID"))).toEqual([
      400,
      "InvalidArgument",
      "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
    ]);
  });

  it("of SigV2 without a date says that one is needed", async () => {
    const signature = Buffer.alloc(20).toString("base64");
    const headers = { host: host(), authorization: `AWS AKID:${signature}` };
    expect(said(await send(gateway, { target: "/media/hello.txt", headers }))).toEqual([
      403,
      "AccessDenied",
      "AWS authentication requires a valid Date or x-amz-date header",
    ]);
  });
});

describe("a body in chunks", () => {
  const chunked = (payload: string, headers: Record<string, string>) =>
    header({ payload, headers: { "content-encoding": "aws-chunked", ...headers }, body: "0\r\n\r\n" });
  const [plain, trailer] = ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"];
  const length = { "x-amz-decoded-content-length": "5" };

  it("is refused without its length", async () => {
    expect(said(await chunked(plain, {})).slice(0, 2)).toEqual([411, "MissingContentLength"]);
    const reply = await chunked(plain, { "x-amz-decoded-content-length": "five" });
    expect([...said(reply).slice(0, 2), field(reply, "ArgumentName"), field(reply, "ArgumentValue")]).toEqual([
      400,
      "InvalidArgument",
      "x-amz-decoded-content-length",
      "five",
    ]);
  });

  it("is refused without the names of its trailer, and with others than those of checksums", async () => {
    expect(said(await chunked(trailer, length))).toEqual([
      400,
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    ]);
    expect(said(await chunked(trailer, { ...length, "x-amz-trailer": "x-amz-meta-a" }))).toEqual([
      400,
      "InvalidRequest",
      "The value specified in the x-amz-trailer header is not supported",
    ]);
  });
});

describe("a payload hash that is none", () => {
  it("is refused by what it may be", async () => {
    for (const value of ["abc", "STREAMING-FOO", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"]) {
      const reply = await header({ payload: value, body: "x" });
      expect(said(reply)).toEqual([
        400,
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
      ]);
      expect([field(reply, "ArgumentName"), field(reply, "ArgumentValue")]).toEqual(["x-amz-content-sha256", value]);
    }
  });

  it("is not implemented where Amazon has the mode", async () => {
    const reply = await header({ payload: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", body: "x" });
    expect(said(reply).slice(0, 2)).toEqual([501, "NotImplemented"]);
  });
});

describe("a presigned query", () => {
  it("with a parameter of its signature in another spelling says which", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
    const reply = await send(gateway, {
      target: `${url.slice(gateway.url.length)}&x-amz-expires=1`,
      headers: { host: host() },
    });
    expect(said(reply)).toEqual([
      400,
      "AuthorizationQueryParametersError",
      "x-amz-expires is not spelled as documented.",
    ]);
  });

  it("with the marks of another dialect is ambiguous, whatever signed them", async () => {
    for (const query of [
      { "X-Goog-Signature": "ab", "X-Goog-Algorithm": "GOOG4-RSA-SHA256" },
      { GoogleAccessId: "a@b.example", Signature: "ab" },
      { sig: "ab", sv: "2026-04-06" },
    ]) {
      for (const reply of [
        await presigned({ key: "hello.txt", query }),
        await header({ method: "GET", path: "/media/hello.txt", query }),
      ]) {
        expect(said(reply).slice(0, 2)).toEqual([400, "InvalidArgument"]);
      }
    }
    expect((await presigned({ key: "hello.txt", query: { sig: "ab" } })).status).toBe(200);
  });

  it("takes headers of Cloud Storage and Azure only where they are signed", async () => {
    for (const name of ["x-goog-meta-a", "x-goog-copy-source", "X-Ms-Blob-Type"]) {
      const open = await presigned({
        method: "PUT",
        key: "foreign",
        body: "x",
        unsigned: { [name]: "/media/hello.txt" },
      });
      expect([...said(open).slice(0, 2), field(open, "HeadersNotSigned")]).toEqual([
        403,
        "AccessDenied",
        name.toLowerCase(),
      ]);
      expect((await presigned({ key: "foreign" })).status).toBe(404);
    }
    const signed = await presigned({ method: "PUT", key: "signed", body: "x", headers: { "x-goog-meta-a": "1" } });
    expect(signed.status).toBe(200);
  });

  it("that has ended tells its times without a fraction, and of SigV2 no duration", async () => {
    const now = new Date();
    const old = s3For(gateway, { clock: () => new Date(now.getTime() - 7_200_000) });
    const v4 = await fetch(old.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url);
    const text = await v4.text();
    expect(s3Field(text, "X-Amz-Expires")).toBe("60");
    const expires = Math.floor(now.getTime() / 1000) - 60;
    const signature = createHmac("sha1", gateway.accessKey.secretAccessKey)
      .update(`GET\n\n\n${expires}\n/media/hello.txt`)
      .digest("base64");
    const v2 = await send(gateway, {
      target: `/media/hello.txt?AWSAccessKeyId=${gateway.accessKey.accessKeyId}&Expires=${expires}&Signature=${encodeURIComponent(signature)}`,
      headers: { host: host() },
    });
    expect(said(v2)).toEqual([403, "AccessDenied", "Request has expired"]);
    expect(field(v2, "X-Amz-Expires")).toBeUndefined();
    for (const body of [text, v2.body]) {
      for (const name of ["Expires", "ServerTime"]) {
        expect(s3Field(body, name)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      }
    }
    expect(field(v2, "Expires")).toBe(new Date(expires * 1000).toISOString().replace(".000", ""));
  });
});

describe("an error repeats what was asked", () => {
  it("the time of a request that is too old, as it was sent", async () => {
    const at = new Date(Date.now() - 3_600_000);
    const reply = await header({ at });
    expect(said(reply).slice(0, 2)).toEqual([403, "RequestTimeTooSkewed"]);
    expect(field(reply, "RequestTime")).toBe(at.toISOString().replace(/[-:]|\.\d{3}/g, ""));
    expect(field(reply, "ServerTime")).toMatch(/:\d\dZ$/);
  });

  it("the bucket", async () => {
    for (const [sent, code] of [
      [{ bucket: "no-such-bucket", key: "a" }, "NoSuchBucket"],
      [{ bucket: "full", method: "DELETE" }, "BucketNotEmpty"],
    ] as const) {
      const reply = await presigned(sent);
      expect([reply.code, field(reply, "BucketName")]).toEqual([code, sent.bucket]);
    }
    const copy = await presigned({ method: "PUT", key: "copy", headers: { "x-amz-copy-source": "/no-such-bucket/a" } });
    expect([copy.code, field(copy, "BucketName")]).toEqual(["NoSuchBucket", "no-such-bucket"]);
  });

  it("the upload, and the part", async () => {
    const none = await presigned({ method: "DELETE", key: "parts", query: { uploadId: "nothing" } });
    expect([none.code, field(none, "UploadId")]).toEqual(["NoSuchUpload", "nothing"]);
    const started = await presigned({ method: "POST", key: "parts", query: { uploads: "" } });
    const uploadId = field(started, "UploadId") ?? "";
    const list =
      "<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>abc</ETag></Part></CompleteMultipartUpload>";
    const reply = await presigned({ method: "POST", key: "parts", query: { uploadId }, body: list });
    expect([reply.code, field(reply, "UploadId"), field(reply, "PartNumber"), field(reply, "ETag")]).toEqual([
      "InvalidPart",
      uploadId,
      "3",
      "abc",
    ]);
  });

  it("a digest that is none, and two that differ", async () => {
    const invalid = await presigned({ method: "PUT", key: "x", body: "x", headers: { "content-md5": "short" } });
    expect([invalid.code, field(invalid, "Content-MD5")]).toEqual(["InvalidDigest", "short"]);
    const body = "<Delete><Object><Key>a</Key></Object></Delete>";
    const md5 = (text: string) => createHash("md5").update(text).digest("base64");
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const call = { method: "POST", query: { delete: "" }, body } as const;
    const other = await presigned({ ...call, headers: { "content-md5": md5("other") } });
    expect([other.code, field(other, "ExpectedDigest"), field(other, "CalculatedDigest")]).toEqual([
      "BadDigest",
      md5("other"),
      md5(body),
    ]);
    const headers = { "content-md5": md5(body), "x-amz-content-sha256": sha256("other") };
    const hash = await presigned({ ...call, headers });
    expect([hash.code, field(hash, "ClientComputedContentSHA256"), field(hash, "S3ComputedContentSHA256")]).toEqual([
      "XAmzContentSHA256Mismatch",
      sha256("other"),
      sha256(body),
    ]);
  });
});

describe("an upload whose digests differ", () => {
  it("is told both", async () => {
    const put = { method: "PUT", key: "digests", body: "body" } as const;
    const [md5, crc] = [createHash("md5"), "AAAAAA=="];
    const other = md5.update("other").digest("base64");
    const byMd5 = await presigned({ ...put, headers: { "content-md5": other } });
    expect([byMd5.code, field(byMd5, "ExpectedDigest"), field(byMd5, "CalculatedDigest")]).toEqual([
      "BadDigest",
      other,
      createHash("md5").update("body").digest("base64"),
    ]);
    const byChecksum = await presigned({ ...put, headers: { "x-amz-checksum-crc32": crc } });
    expect([byChecksum.code, field(byChecksum, "ExpectedDigest"), field(byChecksum, "CalculatedDigest")]).toEqual([
      "BadDigest",
      crc,
      expect.stringMatching(/^[A-Za-z0-9+/]{6}==$/),
    ]);
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const byHash = await presigned({ ...put, headers: { "x-amz-content-sha256": sha256("other") } });
    expect([
      byHash.code,
      field(byHash, "ClientComputedContentSHA256"),
      field(byHash, "S3ComputedContentSHA256"),
    ]).toEqual(["XAmzContentSHA256Mismatch", sha256("other"), sha256("body")]);
  });
});

describe("a listing", () => {
  it("tells the algorithm and the type of a checksum where an object has one", async () => {
    const sha256 = createHash("sha256").update("sum").digest("base64");
    await presigned({ method: "PUT", key: "sums/a", body: "sum", headers: { "x-amz-checksum-sha256": sha256 } });
    await presigned({ method: "PUT", key: "sums/b", body: "none" });
    for (const query of [
      { prefix: "sums/" },
      { prefix: "sums/", "list-type": "2" },
      { prefix: "sums/", versions: "" },
    ]) {
      const { text } = await presigned({ query });
      const [, a = "", b = ""] = text.split("<Key>");
      expect([s3Field(a, "ChecksumAlgorithm"), s3Field(a, "ChecksumType")]).toEqual(["SHA256", "FULL_OBJECT"]);
      expect(b).not.toContain("Checksum");
    }
  });
});

describe("x-amz-id-2", () => {
  it("is in every answer, another one each time, and in the body of an error", async () => {
    const seen = new Set<unknown>();
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
    for (const sent of calls) {
      const reply = await presigned(sent);
      const id = reply.headers["x-amz-id-2"];
      expect([sent, id]).toEqual([sent, expect.stringMatching(/^[A-Za-z0-9+/=]{16,}$/)]);
      if (reply.code !== undefined) expect(field(reply, "HostId")).toBe(id);
      seen.add(id);
    }
    expect(seen.size).toBe(calls.length);
  });
});

describe("a bucket that is there already", () => {
  it("is as good as a new one in us-east-1, and refused elsewhere", async () => {
    const again = await presigned({ method: "PUT", bucket: "full" });
    expect([again.status, again.headers["location"]]).toEqual([200, "/full"]);
    expect((await presigned({ bucket: "full", key: "a.txt" })).text).toBe("a");
    const other = await testGateway({
      files: { "full/a.txt": "a" },
      gateway: () => ({ region: "eu-west-1", regions: ["us-east-1", "eu-west-1"] }),
    });
    const reply = await sendS3(other, { method: "PUT", bucket: "full" });
    expect([reply.status, reply.code, field(reply, "BucketName")]).toEqual([409, "BucketAlreadyOwnedByYou", "full"]);
    const { url } = s3For(other, { region: "mars-1" }).sign({ bucket: "full", key: "a.txt", expiresIn: 60 });
    const elsewhere = await (await fetch(url)).text();
    expect(s3Field(elsewhere, "Region")).toBe("us-east-1");
    await other.close();
  });
});

describe("a form", () => {
  const sign = (fields: Record<string, string> = {}) =>
    s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey }).sign({
      bucket: "media",
      key: "form.txt",
      expiresIn: 60,
      fields,
      contentLength: { min: 3, max: 5 },
    });
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${name === "file" ? '; filename="f"' : ""}\r\n\r\n${value}\r\n`;
  const post = (
    fields: Readonly<Record<string, string>>,
    { type = "multipart/form-data; boundary=b", files = ["1234"] } = {},
  ): Promise<Reply> => {
    const parts = [...Object.entries(fields), ...files.map((file) => ["file", file] as const)];
    const body = `${parts.map(([name, value]) => part(name, value)).join("")}--b--\r\n`;
    return send(gateway, {
      method: "POST",
      target: "/media/",
      headers: { host: host(), "content-type": type, "content-length": String(Buffer.byteLength(body)) },
      body,
    });
  };

  it("whose signature does not match shows its key and what it signed, in both versions", async () => {
    const v2 = s3FormV2Signer({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey });
    for (const [{ fields }, signature] of [
      [sign(), "X-Amz-Signature"],
      [v2.sign({ bucket: "media", key: "form.txt", expiresIn: 60 }), "signature"],
    ] as const) {
      const name = Object.keys(fields).find((field) => field.toLowerCase() === signature.toLowerCase()) ?? "";
      const right = fields[name] ?? "";
      const changed = right.replace(/^./, (first) => (first === "a" ? "b" : "a"));
      for (const given of [changed, "no-signature"]) {
        const reply = await post({ ...fields, [name]: given });
        const policy = Object.entries(fields).find(([field]) => field.toLowerCase() === "policy")?.[1] ?? "";
        expect(said(reply).slice(0, 2)).toEqual([403, "SignatureDoesNotMatch"]);
        expect(field(reply, "AWSAccessKeyId")).toBe(gateway.accessKey.accessKeyId);
        expect([field(reply, "StringToSign"), field(reply, "SignatureProvided")]).toEqual([policy, given]);
        expect(field(reply, "StringToSignBytes")).toBe(
          Buffer.from(policy)
            .toString("hex")
            .replace(/..(?!$)/g, "$& "),
        );
        expect(reply.body.toString()).not.toContain(right);
      }
    }
  });

  it("is read whatever other parameters its type has", async () => {
    const { fields } = sign();
    for (const type of [
      "multipart/form-data; charset=utf-8; boundary=b",
      'multipart/form-data; boundary="b"; charset="utf-8"',
      "Multipart/Form-Data;BOUNDARY=b",
    ]) {
      expect([type, (await post(fields, { type })).status]).toEqual([type, 204]);
    }
  });

  it("of another type, or without a boundary, is told which type it needs", async () => {
    for (const type of [
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "multipart/form-data; boundary=b; boundary=c",
      "text/plain",
    ]) {
      const reply = await post(sign().fields, { type });
      expect([...said(reply).slice(0, 2), field(reply, "Condition")]).toEqual([
        412,
        "PreconditionFailed",
        "Bucket POST must be of the enclosure-type multipart/form-data",
      ]);
    }
  });

  it("with two files is refused, and stores neither", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const reply = await post(sign().fields, { files: ["1234", "5678"] });
    expect(said(reply)).toEqual([400, "InvalidArgument", "POST requires exactly one file upload per request."]);
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
  });

  it("whose file holds the boundary, or has no end, is refused and not cut", async () => {
    for (const file of ["12\r\n--bb\r\n4", "12\r\n--b\r\n34"]) {
      expect(said(await post(sign().fields, { files: [file] })).slice(0, 2)).toEqual([400, "MalformedPOSTRequest"]);
    }
    expect((await presigned({ key: "form.txt" })).status).toBe(404);
    expect((await post(sign().fields)).status).toBe(204);
    const fields = Object.entries(sign().fields).map(([name, value]) => part(name, value));
    const body = `${fields.join("")}${part("file", "1234")}--b\r\n`;
    const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": String(body.length) };
    const open = await send(gateway, {
      method: "POST",
      target: "/media/",
      headers: { host: host(), ...headers },
      body,
    });
    expect(said(open).slice(0, 2)).toEqual([400, "MalformedPOSTRequest"]);
  });

  it("says how long its file is, and how long it may be", async () => {
    for (const [file, code, name, limit] of [
      ["12", "EntityTooSmall", "MinSizeAllowed", "3"],
      ["123456", "EntityTooLarge", "MaxSizeAllowed", "5"],
    ] as const) {
      const reply = await post(sign().fields, { files: [file] });
      expect([s3Code(reply.body), field(reply, "ProposedSize"), field(reply, name)]).toEqual([
        code,
        String(file.length),
        limit,
      ]);
    }
  });

  it("creates only, where its policy says so", async () => {
    await presigned({ method: "DELETE", key: "form.txt" });
    const { fields } = sign({ "If-None-Match": "*" });
    expect((await post(fields, { files: ["one"] })).status).toBe(204);
    const again = await post(fields, { files: ["two"] });
    expect([...said(again).slice(0, 2), field(again, "Condition")]).toEqual([
      412,
      "PreconditionFailed",
      "If-None-Match",
    ]);
    expect((await presigned({ key: "form.txt" })).text).toBe("one");
    for (const condition of [{ "If-None-Match": '"abc"' }, { "If-Match": '"abc"' }]) {
      expect(said(await post(sign(condition).fields)).slice(0, 2)).toEqual([501, "NotImplemented"]);
    }
  });
});

describe("a copy with a body", () => {
  it("is refused where its hash is that of the body: nothing reads one", async () => {
    const headers = { "x-amz-copy-source": "/media/hello.txt" };
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    expect((await header({ headers, payload: hash("") })).status).toBe(200);
    const reply = await header({ headers, payload: hash("body"), body: "body" });
    expect([
      s3Code(reply.body),
      field(reply, "ClientComputedContentSHA256"),
      field(reply, "S3ComputedContentSHA256"),
    ]).toEqual(["XAmzContentSHA256Mismatch", hash("body"), hash("")]);
  });
});
