import { expect, test } from "vitest";
import { explain } from "../../src/explain/index.ts";
import { azureSigner } from "../../src/schemes/azure/index.ts";
import { cosSigner } from "../../src/schemes/cos/index.ts";
import { gcsHmacSigner } from "../../src/schemes/gcs/index.ts";
import { ossSigner } from "../../src/schemes/oss/index.ts";
import { ossV1Signer } from "../../src/schemes/oss/v1/index.ts";
import { s3Signer } from "../../src/schemes/s3/index.ts";
import { swiftSigner } from "../../src/schemes/swift/index.ts";
import { urlSigner } from "../../src/schemes/url/index.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const s3 = s3Signer({ region: "eu-west-1", credentials });
const put = s3.sign({ bucket: "media", key: "a", method: "PUT", headers: { "x-amz-meta-a": "1" }, expiresIn: 60 });
const origin = "https://page.example";

test.each(["null", "https://page.example:8443", "http://page.example:443", "http://[::1]:8080", "app://page"])(
  "explain accepts the origin %s for a page",
  async (page) => {
    const { browser } = await explain(put.url, { request: { method: "PUT" }, origin: page });
    expect(JSON.stringify(browser?.cors)).toContain(JSON.stringify(page));
  },
);

test("explain returns the CORS rule and the directive for an upload to S3", async () => {
  const { browser } = await explain(put.url, { request: { method: "put" }, origin });
  expect(browser).toEqual({
    contentSecurityPolicy: "connect-src https://media.s3.eu-west-1.amazonaws.com",
    cors: {
      CORSRules: [
        {
          AllowedOrigins: [origin],
          AllowedMethods: ["PUT"],
          AllowedHeaders: ["content-type", "x-amz-meta-a"],
          ExposeHeaders: ["ETag"],
          MaxAgeSeconds: 3600,
        },
      ],
    },
    corsIsSetBy: expect.stringContaining("put-bucket-cors"),
  });
});

test("explain returns rules only for an upload, which the key can prove", async () => {
  const plain = s3.sign({ bucket: "media", key: "a", method: "PUT", expiresIn: 60 });
  expect((await explain(plain.url, { keys: [credentials] })).browser).toBeDefined();
  // S3 does not write the method into the URL, so it is unknown without a key and a request.
  expect((await explain(plain.url)).browser).toBeUndefined();
  const get = s3.sign({ bucket: "media", key: "a", expiresIn: 60 });
  expect((await explain(get.url, { request: { method: "GET" } })).browser).toBeUndefined();
});

test("explain leaves out headers that browsers set themselves", async () => {
  const exact = s3.sign({ bucket: "media", key: "a", method: "PUT", bind: { contentLength: 5 }, expiresIn: 60 });
  const { browser } = await explain(exact.url, { request: { method: "PUT" } });
  expect(browser?.cors).toHaveProperty("CORSRules.0.AllowedHeaders", ["content-type"]);
  expect(browser?.cors).toHaveProperty("CORSRules.0.AllowedOrigins", ["https://app.example.com"]);
});

test("explain writes the rule in the format of each provider", async () => {
  const gcs = gcsHmacSigner({ credentials }).sign({ bucket: "media", object: "a", method: "PUT", expiresIn: 60 });
  expect((await explain(gcs.url, { request: { method: "PUT" }, origin })).browser).toMatchObject({
    contentSecurityPolicy: "connect-src https://storage.googleapis.com",
    cors: [{ origin: [origin], method: ["PUT"], responseHeader: ["content-type", "etag"], maxAgeSeconds: 3600 }],
  });
  const account = { account: "acme", credentials: { accountKey: Buffer.alloc(32, 7).toString("base64") } };
  const azure = azureSigner(account).sign({ container: "media", blob: "a", permissions: "cw", expiresIn: 60 });
  expect((await explain(azure.url, { origin })).browser?.cors).toEqual({
    corsRules: [
      {
        allowedOrigins: [origin],
        allowedMethods: ["PUT"],
        allowedHeaders: ["content-type", "x-ms-blob-type"],
        exposedHeaders: ["etag"],
        maxAgeInSeconds: 3600,
      },
    ],
  });
  const key = { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
  const own = urlSigner({ key }).sign({ url: "https://api.example.com/in", methods: ["POST", "PUT"], expiresIn: 60 });
  expect((await explain(own.url, { origin })).browser?.cors).toEqual({
    cors: { origins: [origin], methods: ["POST", "PUT"], headers: ["content-type"], maxAge: 3600 },
  });
});

// conformance/test/cors-rules.test.ts and swift.test.ts run these rules against the SDKs and Swift.
test("explain writes the rule in the format of the SDKs of other stores", async () => {
  const wish = { bucket: "media", key: "a", method: "PUT", bind: { contentType: "image/png" }, expiresIn: 60 };
  const rule = async ({ url }: { readonly url: string }) =>
    (await explain(url, { request: { method: "PUT", headers: { "content-type": "image/png" } }, origin })).browser
      ?.cors;
  const alibaba = { region: "cn-hangzhou", credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" } };
  const ossRule = {
    ...{ allowedOrigin: [origin], allowedMethod: ["PUT"], allowedHeader: ["content-type"] },
    ...{ exposeHeader: ["ETag"], maxAgeSeconds: 3600 },
  };
  expect(await rule(ossSigner(alibaba).sign(wish))).toEqual([ossRule]);
  expect(await rule(ossV1Signer(alibaba).sign(wish))).toEqual([ossRule]);
  const tencent = { region: "ap-guangzhou", credentials: { secretId: "AKIDEXAMPLE", secretKey: "secret" } };
  const cosRule = {
    ...{ AllowedOrigin: [origin], AllowedMethod: ["PUT"], AllowedHeader: ["content-type"] },
    ...{ ExposeHeader: ["ETag"], MaxAgeSeconds: "3600" },
  };
  expect(await rule(cosSigner(tencent).sign({ ...wish, bucket: "media-1" }))).toEqual({ CORSRules: [cosRule] });
  const swift = swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_test", key: "k" });
  const put = { container: "media", object: "a", method: "PUT", expiresIn: 60 } as const;
  expect(await rule(swift.sign(put))).toEqual({
    "X-Container-Meta-Access-Control-Allow-Origin": origin,
    "X-Container-Meta-Access-Control-Expose-Headers": "etag",
    "X-Container-Meta-Access-Control-Max-Age": "3600",
  });
});

test("explain returns no rule for an upload that the SAS does not permit", async () => {
  const account = { account: "acme", credentials: { accountKey: Buffer.alloc(32, 7).toString("base64") } };
  const { url } = azureSigner(account).sign({ container: "media", blob: "a", permissions: "r", expiresIn: 60 });
  for (const request of [undefined, { method: "GET" }, { method: "PUT" }]) {
    expect((await explain(url, { request })).browser).toBeUndefined();
  }
});
