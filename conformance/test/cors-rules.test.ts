import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import OSS from "ali-oss";
import COS from "cos-nodejs-sdk-v5";
import { cosSigner } from "daypass/cos";
import { explain } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { afterAll, beforeAll, expect, test } from "vitest";

// The rule that `explain` prints for a page that uploads is handed to the client of the store's owner as it is: what the client
// then sends is the rule in the store's own XML.

const origin = "https://page.example";
const wish = { bucket: "media-1250000000", key: "a", method: "PUT", expiresIn: 60 };
const sent: string[] = [];
const server = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    sent.push(`${request.method} ${request.url?.replace(/.*\?(\w+).*/, "$1")} ${text}`);
    response.end();
  });
});
beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => server.close());

const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
const rule = async (url: string) => (await explain(url, { request: { method: "PUT" }, origin })).browser?.cors;
const asSent = (tags: readonly string[]): RegExp => new RegExp(`^PUT cors .*${tags.join(".*")}`, "s");
const tags = [
  `<AllowedOrigin>${origin}</AllowedOrigin>`,
  "<AllowedMethod>PUT</AllowedMethod>",
  "<AllowedHeader>content-type</AllowedHeader>",
  "<ExposeHeader>ETag</ExposeHeader>",
  "<MaxAgeSeconds>3600</MaxAgeSeconds>",
];

test("ali-oss takes the rule for OSS", async () => {
  const credentials = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
  const { url } = ossSigner({ region: "cn-hangzhou", credentials }).sign(wish);
  const { bucket } = wish;
  const options = { ...credentials, region: "oss-cn-hangzhou", endpoint: `http://${host()}`, sldEnable: true };
  await new OSS({ ...options, cname: false, bucket }).putBucketCORS(bucket, await rule(url));
  for (const tag of tags) expect(sent.at(-1)).toMatch(asSent([tag]));
});

test("cos-nodejs-sdk-v5 takes the rule for COS", async () => {
  const credentials = { secretId: "AKIDEXAMPLE", secretKey: "secret" };
  const { url } = cosSigner({ region: "ap-guangzhou", credentials }).sign(wish);
  const keys = { SecretId: credentials.secretId, SecretKey: credentials.secretKey };
  const cos = new COS({ ...keys, Domain: host(), Protocol: "http:" });
  const rules = (await rule(url)) as { readonly CORSRules: COS.CORSRule[] };
  await cos.putBucketCors({ Bucket: wish.bucket, Region: "ap-guangzhou", ...rules });
  for (const tag of tags) expect(sent.at(-1)).toMatch(asSent([tag]));
});
