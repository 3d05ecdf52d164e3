/** The errors of requests whose signed headers cannot be read. */
import { describe, expect, it } from "vitest";
import { type ChangedHeader, sendHeaderSigned } from "../e2e/changed-header.ts";
import { type Reply, s3Code, s3Field, s3For, send, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/hello.txt": "hello", "full/a.txt": "a" } });

const host = (): string => `127.0.0.1:${gateway.port}`;

const header = (sent: ChangedHeader) => sendHeaderSigned(gateway, sent);
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

  it("reports both days if the credential is of another day, in header and query", async () => {
    // One for all: the day may end between two looks at the clock.
    const at = new Date();
    const day = at.toISOString().slice(0, 10).replaceAll("-", "");
    const text = `Invalid credential date "20130524". This date is not the same as X-Amz-Date: "${day}".`;
    const reply = await header({ at, change: authorization((value) => value.replace(/\/\d{8}\//, "/20130524/")) });
    expect(said(reply)).toEqual([400, "AuthorizationHeaderMalformed", MALFORMED + text]);
    const { url } = s3For(gateway, { clock: () => at }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 });
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

  it("answers a mismatch to a malformed SigV2 signature, and the expected form without a signature", async () => {
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

  it("refuses a trailer without names and with names other than checksums", async () => {
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
