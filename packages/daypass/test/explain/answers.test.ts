import { azureSigner } from "daypass/azure";
import { cloudfrontSigner } from "daypass/cloudfront";
import { type ExplainOptions, explain } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";
import { awsErrorBody, credentials, errorXml } from "./broken-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => signedAt;
const soon = () => new Date("2026-11-24T12:05:00Z");
const late = () => new Date("2026-11-24T13:00:00Z");
const expiresIn = 900;
const keys = [credentials];

const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const sign = (more: Partial<Parameters<typeof s3.sign>[0]> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn, ...more }).url;
const v2 = s3V2Signer({ region: "us-east-1", credentials, clock }).sign({ bucket: "media", key: "k", expiresIn }).url;
const accountKey = Buffer.alloc(32, 1).toString("base64");
const _azure = (version?: string) =>
  azureSigner({
    account: "acme",
    credentials: { accountKey },
    clock,
    ...(version === undefined ? {} : { version }),
  }).sign({
    ...{ container: "media", blob: "a.txt", permissions: "r", expiresIn },
  }).url;
const { privateKey } = rsaPem;
const cloudfront = async (bind?: { readonly ip: string }) => {
  const request = { url: "https://d.cloudfront.net/a", expiresIn, ...(bind === undefined ? {} : { bind }) };
  return (await cloudfrontSigner({ keyPairId: "K1", privateKey, clock }).sign(request)).url;
};
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const _daypassUrl = urlSigner({ key, clock }).sign({ url: "https://api.example.com/a?x=1", expiresIn }).url;

const causeOf = async (url: string, options: ExplainOptions) => (await explain(url, { clock: soon, ...options })).cause;

const DENIED = errorXml("AccessDenied", "Access denied");
const _VAGUE = errorXml("AuthenticationFailed", "Server failed to authenticate the request.");
const _SWIFT = "<html><h1>Unauthorized</h1><p>401 Unauthorized: Temp URL invalid\n</p></html>";

describe("what a URL proves itself", () => {
  it("comes before a vague answer: an address that the URL is not for", async () => {
    const url = await cloudfront({ ip: "203.0.113.0/24" });
    const request = { remoteAddress: "198.51.100.9" };
    expect(await causeOf(url, { errorBody: DENIED, request })).toMatchObject({ code: "IP" });
  });

  it("comes before a vague answer: a host in another region than was signed", async () => {
    const credentials = { accessKeyId: "id", accessKeySecret: "key" };
    const wish = { bucket: "media", key: "a", expiresIn };
    const { url } = ossSigner({ region: "cn-hangzhou", credentials, clock }).sign(wish);
    const elsewhere = url.replace("oss-cn-hangzhou", "oss-cn-beijing");
    expect(await causeOf(elsewhere, { errorBody: DENIED })).toMatchObject({ code: "REGION" });
  });

  it("comes behind an answer that says why", async () => {
    const body = errorXml("AccessDenied", "User: x is not authorized to perform: s3:GetObject");
    expect(await causeOf(sign(), { errorBody: body, clock: late })).toMatchObject({ code: "PERMISSION" });
  });
});

describe("an answer of a server", () => {
  const MISMATCH = errorXml("SignatureDoesNotMatch", "no");

  it("names a signed body hash that was not sent as a header that is missing", async () => {
    const url = sign({ method: "PUT", bind: { sha256: "a".repeat(64) } });
    const request = { method: "PUT", headers: {} };
    for (const options of [{ request }, { request, keys }, { request, errorBody: MISMATCH }]) {
      expect(await causeOf(url, options)).toMatchObject({
        code: "HEADER",
        sentence: expect.stringContaining("x-amz-content-sha256"),
      });
    }
    // Nobody has told what was sent: the URL is as it should be.
    expect(await causeOf(url, {})).toBeUndefined();
  });

  it("names the method that it saw where no key shows the one that was signed", async () => {
    const url = sign({ method: "PUT" });
    expect((await causeOf(url, { errorBody: awsErrorBody(url) }))?.sentence).toContain("another method than GET");
    const named = sign({ method: "PUT", query: { "x-id": "PutObject" } });
    expect((await causeOf(named, { errorBody: awsErrorBody(named, { method: "PUT" }) }))?.sentence).not.toContain(
      "another method",
    );
  });

  it("gives away no key or token that a header carries", async () => {
    const name = "x-amz-server-side-encryption-customer-key";
    const value = "c2VjcmV0IG9mIGEgY3VzdG9tZXIgb2YgdGhpcnR5MzI=";
    const url = sign({ method: "PUT", headers: { [name]: value } });
    const errorBody = awsErrorBody(url, { method: "PUT", headers: { [name]: value } });
    for (const options of [{ errorBody }, { errorBody, keys }, { keys, request: { headers: { [name]: value } } }]) {
      expect(JSON.stringify(await explain(url, { clock: soon, ...options }))).not.toContain(value);
    }
  });

  it("is not needed where the URL tells its method: an answer to HEAD has no body", async () => {
    const url = sign({ query: { "x-id": "GetObject" } });
    for (const errorBody of [undefined, ""]) {
      expect(await causeOf(url, { errorBody, request: { method: "HEAD" } })).toMatchObject({ code: "METHOD" });
    }
    expect(await causeOf(url, { request: { method: "GET" } })).toBeUndefined();
  });

  it("tells a URL that was sent as another one from its canonical request, without a key", async () => {
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

  it("that shows what it saw comes before a host that was changed on the way and is not signed", async () => {
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

  it("names both where a URL for an upload was opened in a browser", async () => {
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
