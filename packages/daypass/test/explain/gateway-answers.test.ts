import { cloudfrontSigner } from "daypass/cloudfront";
import { type Cause, explain, explainAnswer } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { RSA } from "../cloudfront/keys.ts";
import { AWS_URLS } from "./aws-urls.ts";
import { credentials, errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const expiresIn = 900;
const endpoint = "https://files.example.com";
const { url } = s3Signer({ region: "eu-west-1", endpoint, credentials, clock }).sign({
  bucket: "b",
  key: "k",
  expiresIn,
});
const keyPairId = "K2JCJMDEHXQW5F";
const signed = await cloudfrontSigner({ keyPairId, privateKey: RSA.privateKey, clock }).sign({
  ...{ url: "https://d111111abcdef8.cloudfront.net/a.mp4", expiresIn },
});
const website = (code: string) =>
  `<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1><ul><li>Code: ${code}</li></ul></body></html>`;

/** One of a time at which it has not ended. */
const ofApi = () => new Date("2026-01-02T03:05:00Z");

describe("what API Gateway and Lambda answer", () => {
  it.each([
    ['{"message":"Too Many Requests"}', /^Amazon API Gateway is limiting the rate of requests/],
    ['{"message":"Limit Exceeded"}', /^Amazon API Gateway is limiting the rate of requests/],
    [
      '{"message": "Internal server error"}',
      /^Amazon API Gateway got no response from the server behind it, or failed/,
    ],
    ['{"message":"Service Unavailable"}', /^Amazon API Gateway got no response/],
    ['{"message": "Endpoint request timed out"}', /^Amazon API Gateway got no response/],
    ['{"message":"Request Too Long"}', /^Amazon API Gateway does not accept a body of this size/],
    [
      '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
      /^AWS Lambda is limiting the rate of requests/,
    ],
    ["Internal Server Error", /got no response from the server behind it, or failed itself: this says nothing/],
  ])("is no word of a signature: %s", async (errorBody, sentence) => {
    const told = { code: "PROXY", sentence: expect.stringMatching(sentence) };
    expect((await explain(url, { clock, errorBody })).cause).toMatchObject(told);
    expect((await explain(AWS_URLS.executeApi, { clock: ofApi, errorBody })).cause).toMatchObject(told);
  });

  it("is a route that the API does not have, or an API where a store was asked", async () => {
    const errorBody = '{"message":"Not Found"}';
    expect((await explain(AWS_URLS.executeApi, { clock: ofApi, errorBody })).cause).toMatchObject({
      code: "NOT_FOUND",
      sentence: expect.stringMatching(/no such route/),
    });
    expect((await explain(url, { clock, errorBody })).cause?.sentence).toMatch(/An API of .* answered, not a store/);
  });

  it("is the answer of whatever API it is, where no store was asked", async () => {
    const page = "The server's answer is in no format that explain knows, and nothing else shows what is wrong.";
    for (const words of ["Not Found", "Internal Server Error", "Service Unavailable", "Too Many Requests"]) {
      const errorBody = JSON.stringify({ message: words });
      expect((await explain(signed.url, { clock, errorBody })).cause?.sentence).toBe(page);
      expect(explainAnswer(errorBody).cause).toBeUndefined();
    }
  });

  it("is no title of a page that has the same words", async () => {
    const errorBody = "<html><head><title>File size limit exceeded</title></head></html>";
    expect((await explain(url, { clock, errorBody })).cause?.sentence).not.toMatch(/limiting/);
  });
});

describe("what the origin behind CloudFront answers", () => {
  const keys = [{ keyPairId, publicKey: RSA.publicKey }];
  const causeOf = async (errorBody: string): Promise<(Cause | undefined)[]> =>
    Promise.all([[], keys].map(async (given) => (await explain(signed.url, { clock, errorBody, keys: given })).cause));

  it("is the origin's, and no refusal of the signature", async () => {
    for (const cause of await causeOf(errorXml("NoSuchKey", "The specified key does not exist."))) {
      expect(cause?.code).toBe("NOT_FOUND");
    }
    for (const cause of await causeOf(errorXml("SlowDown", "Please reduce your request rate."))) {
      expect(cause?.code).toBe("SERVER");
    }
    const denied = `User: arn:aws:sts::1:assumed-role/x is not authorized to perform: s3:GetObject on resource: "x"`;
    for (const cause of await causeOf(errorXml("AccessDenied", denied))) {
      expect(cause).toMatchObject({
        code: "PERMISSION",
        sentence: expect.stringMatching(/origin denies the distribution/),
      });
    }
    for (const cause of await causeOf(errorXml("AccessDenied", "Access Denied"))) {
      expect(cause?.code).toBe("PERMISSION");
    }
  });

  it("is a bucket's website, which the signature is not for", async () => {
    for (const cause of await causeOf(website("NoSuchKey"))) expect(cause?.code).toBe("NOT_FOUND");
    for (const cause of await causeOf(website("AccessDenied"))) expect(cause?.code).toBe("PERMISSION");
    expect((await explain(url, { clock, errorBody: website("NoSuchKey") })).cause?.code).toBe("ENDPOINT");
  });
});

it("tells MinIO's console from MinIO", async () => {
  const errorBody = "<!doctype html><html><head><title>MinIO Console</title></head><body></body></html>";
  expect((await explain(url, { clock, errorBody })).cause).toMatchObject({
    code: "ENDPOINT",
    fix: expect.stringMatching(/port 9000/),
  });
});
