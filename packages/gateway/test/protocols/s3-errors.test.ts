import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { s3V2Signer } from "daypass/s3/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordingStorage, recordingStorage, type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3Code, s3Field, s3For, send } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";

let gateway: TestGateway;
let storage: RecordingStorage;

beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello" },
    storage: (disk) => {
      storage = recordingStorage(disk);
      return storage;
    },
    gateway: () => ({ regions: ["us-east-1", "eu-west-1"] }),
  });
});
afterAll(() => gateway.close());

const host = () => `127.0.0.1:${gateway.port}`;
const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
const targetOf = (url: string) => url.slice(gateway.url.length);
const target = () => targetOf(s3For(gateway).sign(object).url);

async function refusal(raw: string, method = "GET"): Promise<[number, string | undefined, string | undefined]> {
  const reply = await send(gateway, { method, target: raw, headers: { host: host() } });
  return [reply.status, s3Code(reply.body), s3Field(reply.body, "Message")];
}

const AQPE = "AuthorizationQueryParametersError";
const SIX =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

describe("a signature that cannot be read is refused in AWS's words", () => {
  const cases: [string, (target: string) => string, string][] = [
    ["a missing parameter", (t) => t.replace(/&X-Amz-Date=[^&]*/, ""), SIX],
    [
      "another algorithm",
      (t) => t.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
      'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
    ],
    [
      "a malformed credential",
      (t) => t.replace(/X-Amz-Credential=[^&]*/, "X-Amz-Credential=AKID"),
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      "another terminal",
      (t) => t.replace("aws4_request", "aws5_request"),
      'Error parsing the X-Amz-Credential parameter; incorrect terminal "aws5_request". This endpoint uses "aws4_request".',
    ],
    [
      "another service",
      (t) => t.replace("%2Fs3%2F", "%2Fsqs%2F"),
      'Error parsing the X-Amz-Credential parameter; incorrect service "sqs". This endpoint belongs to "s3".',
    ],
    [
      "another region",
      (t) => t.replace("us-east-1", "mars-1"),
      "Error parsing the X-Amz-Credential parameter; the region 'mars-1' is wrong; expecting 'us-east-1'",
    ],
    [
      "another date form",
      (t) => t.replace(/X-Amz-Date=[^&]*/, "X-Amz-Date=2026-11-24T00:00:00Z"),
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    ],
    ["no number of seconds", (t) => t.replace("Expires=60", "Expires=soon"), "X-Amz-Expires should be a number"],
    ["negative seconds", (t) => t.replace("Expires=60", "Expires=-60"), "X-Amz-Expires must be non-negative"],
    [
      "more than a week",
      (t) => t.replace("Expires=60", "Expires=604801"),
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    ],
  ];
  it.each(cases)("%s", async (_, change, message) => {
    expect(await refusal(change(target()))).toEqual([400, AQPE, message]);
  });

  it("an unknown access key", async () => {
    expect(await refusal(target().replace("AKIDEXAMPLE", "AKIDNOBODY"))).toEqual([
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    ]);
  });

  it("a session token that the key does not have", async () => {
    const s3 = s3For(gateway, { credentials: { ...gateway.accessKey, sessionToken: "token" } });
    expect(await refusal(targetOf(s3.sign(object).url))).toEqual([
      400,
      "InvalidToken",
      "The provided token is malformed or otherwise invalid.",
    ]);
  });

  it("a header signature too far from the clock", async () => {
    const at = new Date(Date.now() - 3_600_000);
    const headers = headerSignature({
      method: "GET",
      path: "/media/hello.txt",
      host: host(),
      key: gateway.accessKey,
      at,
    });
    const { status, body } = await send(gateway, { target: "/media/hello.txt", headers });
    expect([status, s3Code(body)]).toEqual([403, "RequestTimeTooSkewed"]);
    expect(s3Field(body, "MaxAllowedSkewMilliseconds")).toBe("900000");
  });
});

describe("SignatureDoesNotMatch shows the caller its own bytes", () => {
  it("for SigV4 in the query", async () => {
    const { body } = await send(gateway, {
      target: target().replace("hello.txt", "h%C3%A9llo.txt"),
      headers: { host: host() },
    });
    const canonicalRequest = s3Field(body, "CanonicalRequest") ?? "";
    expect(canonicalRequest.split("\n").slice(0, 2)).toEqual(["GET", "/media/h%C3%A9llo.txt"]);
    const hash = createHash("sha256").update(canonicalRequest).digest("hex");
    expect(s3Field(body, "StringToSign")?.split("\n").at(-1)).toBe(hash);
    expect(s3Field(body, "SignatureProvided")).toMatch(/^[0-9a-f]{64}$/);
    const bytes =
      s3Field(body, "CanonicalRequestBytes")
        ?.split(" ")
        .map((byte) => Number.parseInt(byte, 16)) ?? [];
    expect(Buffer.from(bytes).toString()).toBe(canonicalRequest);
    expect(s3Field(body, "AWSAccessKeyId")).toBe("AKIDEXAMPLE");
  });

  it("for SigV2, which has a string to sign only", async () => {
    const s3 = s3V2Signer({
      region: "us-east-1",
      endpoint: gateway.url,
      addressing: "path",
      credentials: gateway.accessKey,
    });
    const { body } = await send(gateway, {
      target: targetOf(s3.sign(object).url).replace("hello", "other"),
      headers: { host: host() },
    });
    expect(s3Code(body)).toBe("SignatureDoesNotMatch");
    expect(s3Field(body, "StringToSign")?.split("\n").at(-1)).toBe("/media/other.txt");
    expect(s3Field(body, "CanonicalRequest")).toBeUndefined();
  });

  it("for SigV4 in the header", async () => {
    const headers = headerSignature({ method: "GET", path: "/media/hello.txt", host: host(), key: gateway.accessKey });
    const { body } = await send(gateway, { target: "/media/other.txt", headers });
    expect(s3Field(body, "CanonicalRequest")?.split("\n")[1]).toBe("/media/other.txt");
  });

  it("unless the operator switched that off", async () => {
    const quiet = await testGateway({ gateway: () => ({ debugFields: false }) });
    const { url } = s3For(quiet).sign(object);
    const reply = await fetch(url.replace("hello", "other"));
    const body = await reply.text();
    expect(s3Code(body)).toBe("SignatureDoesNotMatch");
    expect(body).not.toContain("CanonicalRequest");
    await quiet.close();
  });
});

describe("what S3 has and this gateway has not is NotImplemented and never a wrong 200", () => {
  const queries = [
    "uploads",
    "torrent",
    "retention",
    "legal-hold",
    "restore",
    "select",
    "renameObject",
    "append",
    "encryption",
    "website",
    // An unsupported parameter of a supported operation.
    "max-parts=1",
    "prefix=a",
  ];
  it.each(queries)("GET with ?%s", async (query) => {
    const [name = "", value = ""] = query.split("=");
    const before = storage.calls.length;
    const raw = targetOf(s3For(gateway).sign({ ...object, bind: { query: { [name]: value } } }).url);
    expect((await refusal(raw)).slice(0, 2)).toEqual([501, "NotImplemented"]);
    expect(storage.calls.length).toBe(before);
  });

  it.each([
    ["GET", "session"],
    ["GET", "metadataConfiguration"],
    ["PUT", "acl"],
    ["PUT", "policy"],
    ["PUT", "versioning"],
    ["PUT", "lifecycle"],
    ["PUT", "encryption"],
    ["PUT", "object-lock"],
    ["PUT", "publicAccessBlock"],
    ["PUT", "tagging"],
    ["PUT", "website"],
    ["DELETE", "policy"],
    ["DELETE", "lifecycle"],
    ["DELETE", "website"],
    ["POST", "restore"],
    ["HEAD", "acl"],
  ] as const)("%s on a bucket with ?%s", async (method, query) => {
    const before = storage.calls.length;
    const raw = targetOf(
      s3For(gateway).sign({ method, bucket: "media", expiresIn: 60, bind: { query: { [query]: "" } } }).url,
    );
    expect((await refusal(raw, method))[0]).toBe(501);
    expect(storage.calls.length).toBe(before);
  });

  it("POST, and 405 for a method that S3 does not know", async () => {
    expect((await refusal(targetOf(s3For(gateway).sign({ ...object, method: "POST" }).url), "POST"))[1]).toBe(
      "NotImplemented",
    );
    expect((await refusal(targetOf(s3For(gateway).sign({ ...object, method: "PATCH" }).url), "PATCH"))[1]).toBe(
      "MethodNotAllowed",
    );
  });

  it("two checksums, none where one is announced, and none of a known algorithm", async () => {
    const refusals = [
      [
        { "x-amz-checksum-sha1": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "x-amz-checksum-crc32": "AAAAAA==" },
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
      ],
      [
        { "x-amz-sdk-checksum-algorithm": "CRC32" },
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      ],
      [{ "x-amz-sdk-checksum-algorithm": "MD4" }, "Value for x-amz-sdk-checksum-algorithm header is invalid."],
      [
        { "x-amz-sdk-checksum-algorithm": "CRC32C", "x-amz-checksum-crc32": "AAAAAA==" },
        "Value for x-amz-sdk-checksum-algorithm header is invalid.",
      ],
      [{ "x-amz-checksum-crc64nvme": "AAAAAA==" }, "Value for x-amz-checksum-crc64nvme header is invalid."],
    ] as const;
    for (const [headers, message] of refusals) {
      const { url } = s3For(gateway).sign({ ...object, method: "PUT", key: "sum.txt", bind: { headers } });
      const reply = await fetch(url, { method: "PUT", body: "x", headers });
      const text = await reply.text();
      expect([reply.status, s3Code(text), s3Field(text, "Message")]).toEqual([400, "InvalidRequest", message]);
    }
  });

  it("accepts headers and parameters that SDKs add without effect", async () => {
    const query = { "x-id": "GetObject", "x-amz-checksum-mode": "ENABLED", "x-amz-user-agent": "sdk", "my-label": "7" };
    expect((await fetch(s3For(gateway).sign({ ...object, bind: { query } }).url)).status).toBe(200);
  });
});

describe("limits of S3", () => {
  it("keys of more than 1024 bytes", async () => {
    const { url } = s3For(gateway).sign({ bucket: "media", key: "ü".repeat(513), expiresIn: 60 });
    const reply = await fetch(url);
    const body = await reply.text();
    expect([reply.status, s3Code(body), s3Field(body, "Size")]).toEqual([400, "KeyTooLongError", "1026"]);
  });

  it("metadata of more than 2 KB", async () => {
    const headers = { "x-amz-meta-big": "a".repeat(2100) };
    const { url } = s3For(gateway).sign({ ...object, method: "PUT", bind: { headers } });
    const reply = await fetch(url, { method: "PUT", body: "x", headers });
    expect([reply.status, s3Code(await reply.text())]).toEqual([400, "MetadataTooLarge"]);
  });

  it("digests without the form of one", async () => {
    const { url } = s3For(gateway).sign({ ...object, method: "PUT" });
    for (const digest of ["x", "1B2M2Y8AsgTpgAmY7PhCfg", "1B2M2Y8AsgTpgAmY7PhCfh=="]) {
      const reply = await fetch(url, { method: "PUT", body: "x", headers: { "content-md5": digest } });
      expect([reply.status, s3Code(await reply.text())]).toEqual([400, "InvalidDigest"]);
    }
  });
});

describe("metadata", () => {
  it("that an SDK moved into the query is stored, and what a header cannot carry comes back encoded", async () => {
    const query = { "x-amz-meta-title": "日本" };
    const { url } = s3For(gateway).sign({ ...object, method: "PUT", key: "meta.txt", bind: { query } });
    expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(200);
    const reply = await fetch(s3For(gateway).sign({ ...object, key: "meta.txt" }).url);
    expect(reply.headers.get("x-amz-meta-title")).toBe(`=?UTF-8?B?${Buffer.from("日本").toString("base64")}?=`);
  });
});

describe("curl --aws-sigv4", () => {
  const curl = async (...args: string[]): Promise<string> => {
    const user = `AKIDEXAMPLE:${gateway.accessKey.secretAccessKey}`;
    const all = ["-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", user, ...args];
    return (await promisify(execFile)("curl", all)).stdout;
  };

  it("uploads, reads, looks at and deletes", async () => {
    const url = `${gateway.url}/media/by-curl.txt`;
    expect(await curl("-X", "PUT", "--data-binary", "from curl", "-w", "%{http_code}", url)).toBe("200");
    expect(await curl("-w", " %{http_code}", url)).toBe("from curl 200");
    expect(await curl("-I", url)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*content-length: 9/i);
    expect(await curl("-r", "0-3", url)).toBe("from");
    expect(await curl("-X", "DELETE", "-w", "%{http_code}", url)).toBe("204");
    expect(await curl("-o", "/dev/null", "-w", "%{http_code}", url)).toBe("404");
  });

  it("waits for 100 Continue with a large upload", async () => {
    const url = `${gateway.url}/media/large-by-curl.bin`;
    const file = join(gateway.root, "source.bin");
    writeFileSync(file, Buffer.alloc(3_000_000, "curl"));
    const log = await curl(
      "-v",
      "-X",
      "PUT",
      "--data-binary",
      `@${file}`,
      "-H",
      "Expect: 100-continue",
      "--stderr",
      "-",
      url,
    );
    expect(log).toContain("HTTP/1.1 100 Continue");
    expect(log).toContain("HTTP/1.1 200 OK");
    expect(statSync(join(gateway.root, "media/large-by-curl.bin")).size).toBe(3_000_000);
  });
});
