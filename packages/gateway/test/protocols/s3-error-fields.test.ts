import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { type ChangedHeader, sendHeaderSigned } from "../e2e/changed-header.ts";
import { type Reply, type S3Sent, s3Code, s3Field, s3For, send, sendS3, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello", "full/a.txt": "a" } });

const host = (): string => `127.0.0.1:${gateway.port}`;

const header = (sent: ChangedHeader) => sendHeaderSigned(gateway, sent);
const presigned = (sent: S3Sent) => sendS3(gateway, sent);
const said = ({ status, body }: Reply) => [status, s3Code(body), s3Field(body, "Message")];
const field = ({ body }: Reply, name: string) => s3Field(body, name);

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

  it("reports the times of an expired URL in whole seconds, and no lifetime for SigV2", async () => {
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
  it("reports both the expected and the found value", async () => {
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
  it("lists the algorithm and the type of an object's checksum", async () => {
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

describe("an existing bucket", () => {
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

describe("a copy with a body", () => {
  it("refuses the hash of a body on a call that reads none", async () => {
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
