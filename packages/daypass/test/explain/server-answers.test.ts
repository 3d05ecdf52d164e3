import { DaypassError, errorCodes, problem } from "daypass";
import { azureSigner } from "daypass/azure";
import { type ExplainOptions, explain, explainAnswer } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { answer, credentials, errorXml, expectCause, named, type Refusal, rawUrl } from "./raw-requests.ts";
import { accountKey, clock, expiresIn, JWK, late, soon } from "./signed-urls.ts";

const endpoint = "https://storage.example.com";
const object = { bucket: "media", key: "a.txt", expiresIn } as const;
const s3 = s3Signer({ region: "eu-west-1", endpoint, credentials, clock }).sign(object).url;
const v2 = s3V2Signer({ region: "us-east-1", endpoint, credentials, clock }).sign(object).url;
const put = rawUrl({ method: "PUT" });
const ossKey = { accessKeyId: "LTAI5tExample", accessKeySecret: "x" };
const oss = ossSigner({ region: "cn-hangzhou", credentials: ossKey, clock }).sign(object).url;
const ossV1 = ossV1Signer({ region: "cn-hangzhou", credentials: ossKey, clock }).sign(object).url;
const gcs = gcsHmacSigner({ credentials, clock }).sign({ bucket: "media", object: "a", expiresIn }).url;
const azure = azureSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
  ...{ container: "media", blob: "a.txt", permissions: "r", expiresIn },
}).url;
const daypass = urlSigner({ key: JWK, clock }).sign({ url: "https://api.example.com/a?x=1", expiresIn }).url;

const ELSEWHERE =
  "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
const R2_REGIONS = "The region name 'eu-west-1' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto";
const USER = "User: arn:aws:iam::123456789012:user/app is not authorized to perform:";
const KMS = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
const MALFORMED_HEADER = ["MalformedSecurityHeader", "Your request has a malformed header."] as const;

/** The second line of the expected text is the fix. */
const ANSWERS: readonly Refusal[] = [
  // AWS.
  [
    /^SERVER: .*limiting requests.*\n.*with increasing delays/,
    s3,
    answer("SlowDown", "Please reduce your request rate."),
  ],
  [/^SERVER: .*failed.*\nRetry/, s3, answer("InternalError", "We encountered an internal error. Please try again.")],
  [/^UNKNOWN_KEY: .*unknown to it/, s3, answer("InvalidSecurity", "The provided security credentials are not valid.")],
  [
    /^HEADER: .*ACLs disabled.*\n.*x-amz-acl/,
    s3,
    answer("AccessControlListNotSupported", "The bucket does not allow ACLs"),
  ],
  [/^SERVER: .*archived.*\n.*RestoreObject/, s3, answer("InvalidObjectState", "The operation is not valid")],
  [/^SERVER: .*condition.*\n.*exists already/, s3, answer("PreconditionFailed", "At least one of the pre-conditions")],
  [
    /^SERVER: The server reads a POST as a form/,
    s3,
    answer("PreconditionFailed", "m", { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" }),
    /accepted/,
  ],
  [/^HEADER: .*Range.*\n.*within/, s3, answer("InvalidRange", "The requested range is not satisfiable")],
  [/^NOT_FOUND: .*multipart upload/, s3, answer("NoSuchUpload", "The specified upload does not exist.")],
  [/^PAYLOAD: .*larger/, s3, answer("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")],
  [/^METHOD: .*does not allow this method/, s3, answer("MethodNotAllowed", "The specified method is not allowed")],
  [
    /^PERMISSION: .*may not s3:GetObject, as no identity-based policy allows it.*\nAllow it in the identity-based policy/,
    s3,
    answer("AccessDenied", `${USER} s3:GetObject on resource: "x" because no identity-based policy allows the action`),
  ],
  [
    /^PERMISSION: .*may not s3:PutObject, as a resource-based policy denies it.*\n.*statement in the resource-based policy/,
    s3,
    answer("AccessDenied", `${USER} s3:PutObject on resource: "x" with an explicit deny in a resource-based policy`),
  ],
  [
    /^PERMISSION: .*as no permissions boundary allows it.*\nAllow it in the permissions boundary/,
    s3,
    answer("AccessDenied", `${USER} s3:GetObject on resource: "x" because no permissions boundary allows the action`),
  ],
  [/^PERMISSION: .*may not kms:Decrypt.*\n.*encryption key/, s3, answer("AccessDenied", `${USER} kms:Decrypt on x`)],
  [
    /^ENDPOINT: .*eu-central-1.*a redirect breaks the signature/,
    s3,
    answer("PermanentRedirect", ELSEWHERE, { Endpoint: "media.s3.eu-central-1.amazonaws.com" }),
  ],
  [
    /^ENDPOINT: .*eu-central-1/,
    s3,
    answer(
      "IllegalLocationConstraintException",
      "The eu-central-1 location constraint is incompatible for the region.",
    ),
  ],
  [/^LEGACY_SIGNATURE: .*KMS/, v2, answer("InvalidArgument", KMS)],
  [
    /^CHECKSUM: .*empty body/,
    rawUrl({ method: "PUT", query: "x-amz-checksum-crc32=AAAAAA%3D%3D" }),
    answer("InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."),
  ],
  [
    /^HEADER: .*is in the query/,
    rawUrl({ method: "PUT", query: "x-amz-server-side-encryption=AES256" }),
    answer("InvalidArgument", "x-amz-server-side-encryption header is not supported for this operation."),
  ],
  [/^SERVER: .*SomethingNew: Please come/, s3, answer("SomethingNew", "Please come back later.")],
  // R2, Ceph, MinIO and Garage.
  [/^LEGACY_SIGNATURE: .*Version 2/, v2, answer("Unauthorized", "SigV2 authorization is not supported.")],
  [/^UNKNOWN_KEY: .*another account than the one in the host.*\n.*R2/, s3, answer("Unauthorized", "Unauthorized")],
  [/^CLOCK: .*expired by the server's clock.*\n.*NTP/, s3, answer("ExpiredRequest", "Request has expired")],
  [/^REGION: .*it has wnam, .*auto.*\nSign for auto/, s3, answer("InvalidRegionName", R2_REGIONS)],
  [
    /^UNKNOWN_KEY: .*20 characters.*32/,
    s3,
    answer("InvalidArgument", "Credential access key has length 20, should be 32"),
  ],
  [/^SERVER: .*limiting requests/, s3, answer("SlowDownRead", "Resource requested is unreadable")],
  [/^UNKNOWN_KEY: .*does not know/, s3, answer("AccessDenied", "Forbidden: No such key: AKIDEXAMPLE")],
  [/^CLOCK: .*12:15/, s3, answer("InvalidRequest", "Bad request: Date is too old")],
  [/^EXPIRED: /, s3, { ...answer("InvalidRequest", "Bad request: Date is too old"), clock: late }],
  // Google, Azure, OSS and the gateway.
  [
    /^HEADER: .*content-type, which was not sent/,
    gcs,
    answer(...MALFORMED_HEADER, {
      ...{ ParameterName: "content-type", Details: "Header was included in signedheaders, but not in the request." },
    }),
  ],
  [
    /^SIGNATURE: .*\n.*%2B/,
    gcs,
    answer(...MALFORMED_HEADER, { ParameterName: "signature", Details: "Signature was not base64 encoded" }),
  ],
  [
    /^VERSION: .*2099-01-01/,
    azure.replace(/sv=[\d-]+/, "sv=2099-01-01"),
    answer("InvalidQueryParameterValue", "Value for one of the query parameters is invalid."),
  ],
  [/^CORS: /, azure, answer("CorsPreflightFailure", "CORS not enabled or no matching rule found for this request.")],
  [
    /^ENDPOINT: .*oss-cn-beijing/,
    ossV1,
    answer("AccessDenied", ELSEWHERE, { Endpoint: "oss-cn-beijing.aliyuncs.com" }),
  ],
  [/^EXPIRED_TOKEN: /, oss, answer("SecurityTokenExpired", "…")],
  [/^HOST: .*\n.*publicUrl.*Host/, s3, answer("InvalidRequest", "This host is not served here.")],
  [/^SERVER: .*\n.*write permission/, s3, answer("AccessDenied", "The storage can be read and not written.")],
];

describe("explain with a server's answer", () => {
  it.each(named(ANSWERS))("returns %s", async (_, [expected, url, options, never]) => {
    for (const keys of [[], [credentials, ossKey]])
      await expectCause([expected, url, { ...(options as ExplainOptions), keys }, never], soon);
  });

  it("names Amazon's permissions and keys only for URLs of S3", async () => {
    for (const [code, name] of [
      ["AccessDenied", "s3:ListBucket"],
      ["InvalidAccessKeyId", "ASIA"],
    ] as const) {
      const fixOf = async (url: string) => (await explain(url, { clock: soon, ...answer(code, code) })).cause?.fix;
      for (const url of [s3, v2]) expect(await fixOf(url)).toContain(name);
      for (const url of [oss, ossV1]) expect(await fixOf(url)).not.toContain(name);
    }
  });

  it("names a changed Host only if the host is signed", async () => {
    const sentenceOf = async (url: string) =>
      (await explain(url, { clock: soon, ...answer("SignatureDoesNotMatch", "no") })).cause?.sentence;
    expect(await sentenceOf(s3)).toContain("Host header");
    expect(await sentenceOf(ossV1)).not.toContain("Host");
  });

  it("returns no hypotheses if the answer names the reason", async () => {
    const keys = [{ ...credentials, secretAccessKey: "another" }];
    expect((await explain(v2, { clock: soon, keys })).hypotheses).not.toEqual([]);
    const told = await explain(v2, { clock: soon, keys, ...answer("InvalidAccessKeyId", "m") });
    expect(told).toMatchObject({ cause: { code: "UNKNOWN_KEY" }, hypotheses: undefined });
  });

  it("blames the clock only if it differs by more than five minutes", async () => {
    const times = { Expires: "2026-11-24T12:15:00Z", ServerTime: "2026-11-24T12:15:02Z" };
    const at = async (time: string) =>
      (
        await explain(s3, {
          ...{ clock: () => new Date(`2026-11-24T${time}Z`) },
          ...answer("AccessDenied", "Request has expired", times),
        })
      ).cause?.code;
    expect([await at("12:12:00"), await at("12:10:00")]).toEqual(["EXPIRED", "CLOCK"]);
  });

  it("returns the CORS rule to set", async () => {
    const errorBody = errorXml("AccessForbidden", "CORSResponse: This CORS request is not allowed.", { Method: "PUT" });
    const options = { errorBody, origin: "https://app.example.net", request: { method: "OPTIONS" } };
    const { cause, browser } = await explain(put, { clock: soon, ...options });
    expect(cause).toMatchObject({ code: "CORS", fix: expect.stringContaining('"AllowedMethods":["PUT"]') });
    expect(cause?.fix).toContain('"AllowedOrigins":["https://app.example.net"]');
    expect(browser?.cors).toMatchObject({ CORSRules: [{ AllowedMethods: ["PUT"] }] });
  });

  it("claims no accepted signature if the server is unknown", () => {
    expect(explainAnswer(errorXml("AccessDenied", "Access denied")).cause?.sentence).toMatch(/CloudFront and others/);
  });
});

describe("explain with a status and no body", () => {
  const headers = { "content-type": "image/png" };
  const typed = rawUrl({ method: "PUT", headers });

  it.each([
    [301, "ENDPOINT", /redirect/],
    [307, "ENDPOINT", /redirect/],
    [400, "SERVER", /rejects the request as malformed.*a wrong region/],
    [401, "SERVER", /asks for a login/],
    [404, "NOT_FOUND", /Nothing was found/],
    [405, "METHOD", /does not allow this method/],
    [411, "HEADER", /Content-Length/],
    [412, "SERVER", /condition/],
    [413, "PAYLOAD", /larger/],
    [414, "PROXY", /longer/],
    [416, "HEADER", /Range/],
    [429, "SERVER", /limiting requests/],
    [500, "SERVER", /failed/],
    [503, "SERVER", /limiting requests/],
  ])("returns the meaning of %i: %s", async (status, code, sentence) => {
    const { cause } = await explain(rawUrl(), { clock: soon, status });
    expect(cause).toMatchObject({ code, sentence: expect.stringMatching(sentence) });
    expect(cause?.fix).not.toMatch(/^\s|\s$/);
    expect((await explain(rawUrl(), { clock: late, status })).cause?.code).toBe("EXPIRED");
  });

  it.each([200, 206, 304, 418])("returns no cause for %i", async (status) => {
    expect((await explain(rawUrl(), { clock: soon, status })).cause).toBeUndefined();
  });

  it("names a signed header for 403 until a key proves its value", async () => {
    const options = { clock: soon, status: 403, request: { method: "PUT", headers } };
    expect((await explain(typed, options)).cause).toMatchObject({
      code: "HEADER",
      sentence: expect.stringMatching(/content-type was not sent with the value that was signed/),
    });
    expect((await explain(typed, { ...options, keys: [credentials] })).cause?.code).toBe("PERMISSION");
  });
});

describe("explain with the problem details of a Daypass server", () => {
  const bodyOf = (code: (typeof errorCodes)[number]) => problem(new DaypassError(code, ""))?.body;
  const sentenceOf = async (errorBody: string | undefined, options: ExplainOptions = {}) =>
    (await explain(daypass, { clock: soon, errorBody, ...options })).cause?.sentence;

  it.each(errorCodes.filter((code) => bodyOf(code) !== undefined))("returns a cause for %s", async (code) => {
    for (const url of [daypass, s3]) {
      const { cause } = await explain(url, { clock: soon, errorBody: bodyOf(code) });
      expect(cause?.sentence).toMatch(/^[A-Z].*\.$/);
      expect(cause?.code).not.toBe("SERVER");
    }
  });

  it("prefers the fault that the request shows", async () => {
    expect(await sentenceOf(bodyOf("METHOD_NOT_GRANTED"), { request: { method: "DELETE" } })).toBe(
      "The URL was signed for GET, HEAD, but sent with DELETE.",
    );
  });

  it("distinguishes a right signature from a wrong one by the key", async () => {
    expect(await sentenceOf(bodyOf("SIGNATURE_MISMATCH"), { keys: [JWK] })).toMatch(/^The signature is right/);
    expect(await sentenceOf(bodyOf("SIGNATURE_MISMATCH"))).toMatch(/does not know the key/);
  });
});
