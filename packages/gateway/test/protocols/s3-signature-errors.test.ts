/** The errors of signatures: status, code, message and fields. */
import { createHash, createHmac } from "node:crypto";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { type ChangedHeader, sendHeaderSigned } from "../e2e/changed-header.ts";
import { errorOf, type Reply, type S3Sent, s3For, send, sendS3, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({
  files: { "media/hello.txt": "hello" },
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

it("names the expected region to the signature of another region", async () => {
  const reply = await sendTarget(target({ region: "mars-1" }));
  expect(errorOf(reply)).toMatchObject({ Region: "us-east-1" });
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
