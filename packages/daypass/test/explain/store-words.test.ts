import { type ExplainOptions, explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const wish = { bucket: "media", key: "a.txt", expiresIn: 900 } as const;
const endpoint = "https://storage.example.com";
const s3 = s3Signer({ region: "eu-west-1", endpoint, credentials, clock }).sign(wish).url;
const v2 = s3V2Signer({ region: "us-east-1", endpoint, credentials, clock }).sign(wish).url;
const ossKey = { accessKeyId: "LTAI5tExample", accessKeySecret: "x" };
const oss = ossSigner({ region: "cn-hangzhou", credentials: ossKey, clock }).sign(wish).url;
const ossV1 = ossV1Signer({ region: "cn-hangzhou", credentials: ossKey, clock }).sign(wish).url;
const gcs = gcsHmacSigner({ credentials, clock }).sign({ bucket: "media", object: "a", expiresIn: 900 }).url;

const causeOf = async (url: string, errorBody: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, errorBody, ...options })).cause;

const ELSEWHERE =
  "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
const answers: readonly (readonly [what: string, url: string, body: string, code: string, says: RegExp])[] = [
  [
    "R2's to Signature Version 2",
    v2,
    errorXml("Unauthorized", "SigV2 authorization is not supported. Please use SigV4 instead."),
    "LEGACY_SIGNATURE",
    /Version 2/,
  ],
  [
    "R2's to a region of Amazon",
    s3,
    errorXml(
      "InvalidRegionName",
      "The region name 'eu-west-1' is not valid. Must be one of: wnam, enam, weur, eeur, apac, oc, auto",
    ),
    "REGION",
    /it has wnam, .*auto.*Sign for auto/,
  ],
  [
    "R2's to a key of Amazon",
    s3,
    errorXml("InvalidArgument", "Credential access key has length 20, should be 32"),
    "UNKNOWN_KEY",
    /20 characters.*32/,
  ],
  [
    "Garage's to a key that it does not know",
    s3,
    errorXml("AccessDenied", "Forbidden: No such key: AKIDEXAMPLE"),
    "UNKNOWN_KEY",
    /does not know/,
  ],
  [
    "Garage's to an end that has passed",
    s3,
    errorXml("InvalidRequest", "Bad request: Date is too old"),
    "CLOCK",
    /12:15/,
  ],
  [
    "OSS' to another region's endpoint",
    ossV1,
    errorXml("AccessDenied", ELSEWHERE, { Endpoint: "oss-cn-beijing.aliyuncs.com" }),
    "ENDPOINT",
    /oss-cn-beijing/,
  ],
  [
    "Amazon's redirect, which breaks the signature of the host",
    s3,
    errorXml("PermanentRedirect", ELSEWHERE, { Endpoint: "media.s3.eu-central-1.amazonaws.com" }),
    "ENDPOINT",
    /eu-central-1.*a redirect breaks the signature/,
  ],
  ["OSS' to a token that has ended", oss, errorXml("SecurityTokenExpired", "…"), "EXPIRED_TOKEN", /ended|expired/],
  [
    "Cloud Storage's to a header that was not sent",
    gcs,
    errorXml("MalformedSecurityHeader", "Your request has a malformed header.", {
      ParameterName: "content-type",
      Details: "Header was included in signedheaders, but not in the request.",
    }),
    "HEADER",
    /content-type, which was not sent/,
  ],
  [
    "Cloud Storage's to a signature that is no base64",
    gcs,
    errorXml("MalformedSecurityHeader", "Your request has a malformed header.", {
      ParameterName: "signature",
      Details: "Signature was not base64 encoded",
    }),
    "SIGNATURE",
    /%2B/,
  ],
  // What the gateway says where S3 has no words for it.
  [
    "the gateway's to a host that is none of its own",
    s3,
    errorXml("InvalidRequest", "This host is not served here."),
    "HOST",
    /publicUrl.*Host/,
  ],
  [
    "the gateway's to an upload where nothing can be written",
    s3,
    errorXml("AccessDenied", "The storage can be read and not written."),
    "SERVER",
    /write permission/,
  ],
];

describe("a store's own words", () => {
  it.each(answers)("are understood: %s", async (_, url, body, code, says) => {
    for (const keys of [[], [credentials, ossKey]]) {
      const cause = await causeOf(url, body, { keys });
      expect(`${cause?.sentence} ${cause?.fix}`).toMatch(says);
      expect(cause?.code).toBe(code);
    }
  });

  it("of Garage's late URLs are the end itself, where it has passed by this clock, too", async () => {
    const body = errorXml("InvalidRequest", "Bad request: Date is too old");
    const late = () => new Date("2026-11-24T13:00:00Z");
    expect(await causeOf(s3, body, { clock: late })).toMatchObject({ code: "EXPIRED" });
  });

  it("are not given Amazon's names of permissions", async () => {
    const body = errorXml("AccessDenied", "AccessDenied");
    expect((await causeOf(s3, body))?.fix).toContain("s3:ListBucket");
    expect((await causeOf(v2, body))?.fix).toContain("s3:ListBucket");
    for (const url of [oss, ossV1]) expect((await causeOf(url, body))?.fix).not.toContain("s3:");
  });

  it("name a changed Host only where the host is signed", async () => {
    const body = errorXml("SignatureDoesNotMatch", "no");
    expect((await causeOf(s3, body))?.sentence).toContain("Host header");
    expect((await causeOf(ossV1, body))?.sentence).not.toContain("Host");
  });
});

describe("a temporary key", () => {
  const key = { ...credentials, accessKeyId: "ASIAEXAMPLE" };
  const sessionToken = "FwoGZXIvYXdzEJr";
  const signers = { "Version 4": s3Signer, "Version 2": s3V2Signer };

  it.each(Object.entries(signers))("whose token is not in the URL says so: %s", async (_, signer) => {
    const { url } = signer({ region: "us-east-1", endpoint, credentials: key, clock }).sign(wish);
    const unknown = errorXml("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
    expect(await causeOf(url, unknown)).toMatchObject({ code: "INVALID_TOKEN" });
    const { cause } = await explain(url, { clock: soon, keys: [{ ...key, sessionToken }] });
    expect(cause?.code).toBe("INVALID_TOKEN");
    expect(JSON.stringify(cause)).not.toContain(sessionToken);
    const whole = signer({ region: "us-east-1", endpoint, credentials: { ...key, sessionToken }, clock }).sign(
      wish,
    ).url;
    expect((await explain(whole, { clock: soon, keys: [{ ...key, sessionToken }] })).cause).toBeUndefined();
    expect(await causeOf(whole, unknown)).toMatchObject({ code: "UNKNOWN_KEY" });
  });

  it.each(Object.entries(signers))("is judged by the one whose secret gave the signature: %s", async (_, signer) => {
    const { url } = signer({ region: "us-east-1", endpoint, credentials: key, clock }).sign(wish);
    const other = { ...key, secretAccessKey: "another", sessionToken };
    const ended = { ...key, secretAccessKey: "a third", expiration: new Date("2026-11-24T12:02:00Z") };
    for (const keys of [[{ ...key, sessionToken: "" }], [other, key], [ended, key]]) {
      const { cause, endsAt } = await explain(url, { clock: soon, keys });
      expect([cause, endsAt]).toEqual([undefined, new Date(clock().getTime() + wish.expiresIn * 1000)]);
    }
    expect((await explain(url, { clock: soon, keys: [key, other] })).cause).toBeUndefined();
  });

  it("may have its token in a header", async () => {
    const name = "x-amz-security-token";
    const { url } = s3Signer({ region: "us-east-1", endpoint, credentials: key, clock }).sign({
      ...wish,
      headers: { [name]: sessionToken },
    });
    const keys = [{ ...key, sessionToken }];
    for (const request of [undefined, { method: "GET", headers: { [name]: sessionToken } }]) {
      const { cause, traps } = await explain(url, { clock: soon, keys, ...(request === undefined ? {} : { request }) });
      // Nobody has told the header's value.
      expect(cause?.code).toBe(request === undefined ? "HEADER" : undefined);
      expect(traps.map((trap) => trap.name)).not.toContain("missing-session-token");
    }
  });

  it.each(Object.entries(signers))("that has ended ends its URLs: %s", async (_, signer) => {
    const { url } = signer({ region: "us-east-1", endpoint, credentials: { ...key, sessionToken }, clock }).sign(wish);
    const ended = { ...key, sessionToken, expiration: new Date("2026-11-24T12:02:00Z") };
    const told = await explain(url, { clock: soon, keys: [ended] });
    expect(told.cause).toMatchObject({ code: "EXPIRED_TOKEN", sentence: expect.stringContaining("12:02:00") });
    const later = () => new Date("2026-11-24T13:00:00Z");
    const over = { ...ended, expiration: new Date("2026-11-24T12:30:00Z") };
    expect((await explain(url, { clock: later, keys: [over] })).cause).toMatchObject({ code: "EXPIRED" });
  });
});
