import { cloudfrontSigner } from "daypass/cloudfront";
import { type Cause, explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { RSA } from "../cloudfront/keys.ts";
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
});

it("tells MinIO's console from MinIO", async () => {
  const errorBody = "<!doctype html><html><head><title>MinIO Console</title></head><body></body></html>";
  expect((await explain(url, { clock, errorBody })).cause).toMatchObject({
    code: "ENDPOINT",
    fix: expect.stringMatching(/port 9000/),
  });
});
