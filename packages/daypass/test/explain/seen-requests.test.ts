import { cloudfrontSigner } from "daypass/cloudfront";
import { type ExplainOptions, explain } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";
import { awsErrorBody, credentials, errorXml } from "./raw-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => signedAt;
const soon = () => new Date("2026-11-24T12:05:00Z");
const late = () => new Date("2026-11-24T13:00:00Z");
const expiresIn = 900;
const keys = [credentials];

const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const sign = (more: Partial<S3ObjectRequest> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn, ...more }).url;
const v2 = s3V2Signer({ region: "us-east-1", credentials, clock }).sign({ bucket: "media", key: "k", expiresIn }).url;
const { privateKey } = rsaPem;
const cloudfront = async (bind?: { readonly ip: string }) => {
  const request = { url: "https://d.cloudfront.net/a", expiresIn, ...(bind === undefined ? {} : { bind }) };
  return (await cloudfrontSigner({ keyPairId: "K1", privateKey, clock }).sign(request)).url;
};

const causeOf = async (url: string, options: ExplainOptions) => (await explain(url, { clock: soon, ...options })).cause;

const DENIED = errorXml("AccessDenied", "Access denied");

describe("explain with a vague answer", () => {
  it("prefers an address that the URL is not for", async () => {
    const url = await cloudfront({ ip: "203.0.113.0/24" });
    const request = { remoteAddress: "198.51.100.9" };
    expect(await causeOf(url, { errorBody: DENIED, request })).toMatchObject({ code: "IP" });
  });

  it("prefers a host in another region than the signed one", async () => {
    const credentials = { accessKeyId: "id", accessKeySecret: "key" };
    const wish = { bucket: "media", key: "a", expiresIn };
    const { url } = ossSigner({ region: "cn-hangzhou", credentials, clock }).sign(wish);
    const elsewhere = url.replace("oss-cn-hangzhou", "oss-cn-beijing");
    expect(await causeOf(elsewhere, { errorBody: DENIED })).toMatchObject({ code: "REGION" });
  });

  it("prefers an answer that names the reason to the end of the URL", async () => {
    const body = errorXml("AccessDenied", "User: x is not authorized to perform: s3:GetObject");
    expect(await causeOf(sign(), { errorBody: body, clock: late })).toMatchObject({ code: "PERMISSION" });
  });
});

describe("explain with the request that a server saw", () => {
  const MISMATCH = errorXml("SignatureDoesNotMatch", "no");

  it("reports a signed body hash that was not sent as a missing header", async () => {
    const url = sign({ method: "PUT", bind: { sha256: "a".repeat(64) } });
    const request = { method: "PUT", headers: {} };
    for (const options of [{ request }, { request, keys }, { request, errorBody: MISMATCH }]) {
      expect(await causeOf(url, options)).toMatchObject({
        code: "HEADER",
        sentence: expect.stringContaining("x-amz-content-sha256"),
      });
    }
    // The sent headers are unknown.
    expect(await causeOf(url, {})).toBeUndefined();
  });

  it("names the method that the server saw if no key proves the signed one", async () => {
    const url = sign({ method: "PUT" });
    expect((await causeOf(url, { errorBody: awsErrorBody(url) }))?.sentence).toContain("another method than GET");
    const named = sign({ method: "PUT", query: { "x-id": "PutObject" } });
    expect((await causeOf(named, { errorBody: awsErrorBody(named, { method: "PUT" }) }))?.sentence).not.toContain(
      "another method",
    );
  });

  it("hides keys and tokens in headers", async () => {
    const name = "x-amz-server-side-encryption-customer-key";
    const value = "c2VjcmV0IG9mIGEgY3VzdG9tZXIgb2YgdGhpcnR5MzI=";
    const url = sign({ method: "PUT", headers: { [name]: value } });
    const errorBody = awsErrorBody(url, { method: "PUT", headers: { [name]: value } });
    for (const options of [{ errorBody }, { errorBody, keys }, { keys, request: { headers: { [name]: value } } }]) {
      expect(JSON.stringify(await explain(url, { clock: soon, ...options }))).not.toContain(value);
    }
  });

  it("finds a wrong HEAD without an answer if the URL states its method", async () => {
    const url = sign({ query: { "x-id": "GetObject" } });
    for (const errorBody of [undefined, ""]) {
      expect(await causeOf(url, { errorBody, request: { method: "HEAD" } })).toMatchObject({ code: "METHOD" });
    }
    expect(await causeOf(url, { request: { method: "GET" } })).toBeUndefined();
  });

  it("finds a URL that changed in transit by the canonical request", async () => {
    const slashes = sign({ key: "x//y" });
    const sent = slashes.replace("x//y", "x/y");
    expect(await causeOf(slashes, { request: { url: sent }, errorBody: awsErrorBody(sent) })).toMatchObject({
      code: "PATH",
    });
    const added = `${sign()}&utm_source=x`;
    expect(await causeOf(sign(), { request: { url: added }, errorBody: awsErrorBody(added) })).toMatchObject({
      code: "QUERY",
      sentence: expect.stringContaining("utm_source"),
    });
    const request = { headers: { host: "minio:9000" } };
    expect(await causeOf(sign(), { request, errorBody: awsErrorBody(sign(), { host: "minio:9000" }) })).toMatchObject({
      code: "HOST",
    });
  });

  it("prefers the difference that the server shows to an unsigned host", async () => {
    const expires = /Expires=(\d+)/.exec(v2)?.[1];
    const resource = new URL(v2).hostname.startsWith("media.") ? "/media/k" : new URL(v2).pathname;
    const errorBody = errorXml("SignatureDoesNotMatch", "no", {
      StringToSign: `GET\n\nimage/png\n${expires}\n${resource}`,
    });
    const url = v2.replace("s3.us-east-1.amazonaws.com", "s3.amazonaws.com");
    expect(url).not.toBe(v2);
    const request = { url, method: "GET", headers: {} };
    expect(await causeOf(v2, { errorBody, request })).toMatchObject({
      code: "HEADER",
      sentence: expect.stringContaining("image/png"),
    });
  });

  it("reports method and header if an upload URL was opened in a browser", async () => {
    const url = sign({ method: "PUT", bind: { contentType: "image/png" } });
    expect(await causeOf(url, { errorBody: awsErrorBody(url) })).toMatchObject({
      code: "METHOD",
      sentence: expect.stringMatching(/sent with GET.*content-type, which was not sent/),
    });
    expect((await causeOf(url, { errorBody: awsErrorBody(url), keys }))?.sentence).toMatch(
      /signed for PUT and sent with GET\. Also: .*content-type was signed as "image\/png"/,
    );
  });
});
