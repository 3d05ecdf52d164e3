import { bunnySigner } from "daypass/bunny";
import { cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { type ExplainKey, type ExplainOptions, explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { swiftSigner } from "daypass/swift";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";
import { credentials, errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const wish = { bucket: "media", key: "a", expiresIn: 900 };
const ossKey = { accessKeyId: "id", accessKeySecret: "a-secret-of-oss" };
const cosKey = { secretId: "id", secretKey: "a-secret-of-cos" };
const swiftKey = { account: "AUTH_t", key: "a-secret-of-swift" };
const urlKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const cloudfrontKey = { keyPairId: "K1", publicKey: rsaPem.publicKey };
const cloudfront = await cloudfrontSigner({ keyPairId: "K1", privateKey: rsaPem.privateKey, clock }).sign({
  url: "https://d.example.com/a.mp4",
  expiresIn: 900,
});

const causeOf = async (url: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, ...options })).cause;

const hex: readonly (readonly [name: string, url: string, parameter: string, key: ExplainKey])[] = [
  ["S3", s3Signer({ region: "eu-west-1", credentials, clock }).sign(wish).url, "X-Amz-Signature", credentials],
  [
    "Cloud Storage",
    gcsHmacSigner({ credentials, clock }).sign({ bucket: "media", object: "a", expiresIn: 900 }).url,
    "X-Goog-Signature",
    credentials,
  ],
  ["OSS", ossSigner({ region: "cn-hangzhou", credentials: ossKey, clock }).sign(wish).url, "x-oss-signature", ossKey],
  [
    "COS",
    cosSigner({ region: "ap-guangzhou", credentials: cosKey, clock }).sign({ ...wish, bucket: "media-1250000000" }).url,
    "q-signature",
    cosKey,
  ],
  [
    "Swift",
    swiftSigner({ endpoint: "https://s.example.com", ...swiftKey, clock }).sign({
      ...{ container: "c", object: "o", expiresIn: 900 },
    }).url,
    "temp_url_sig",
    swiftKey,
  ],
];

describe.each(hex)("the signature of %s", (_, url, parameter, key) => {
  const damaged = (change: (digits: string) => string) =>
    url.replace(new RegExp(`(${parameter}=)([0-9a-f]+)`), (_, name: string, digits: string) => name + change(digits));

  it.each([
    ["cut off", (digits: string) => digits.slice(0, -6), /was damaged in transit: its end was cut off, \d+ of \d+/],
    ["in upper case", (digits: string) => digits.toUpperCase(), /was damaged in transit: it was put into upper case/],
    ["with something behind it", (digits: string) => `${digits}00`, /was damaged in transit: something follows/],
  ])("%s is told as such", async (_, change, says) => {
    for (const keys of [[], [key]]) {
      const cause = await causeOf(damaged(change), { keys });
      expect(cause).toMatchObject({ code: "MALFORMED", sentence: expect.stringMatching(says) });
      expect(cause?.sentence).toContain(parameter);
    }
    expect(await causeOf(url, { keys: [key] })).toBeUndefined();
  });
});

describe("a signature in base64 that was cut off is told as such", () => {
  it("of CloudFront", async () => {
    const cut = cloudfront.url.replace(/(Signature=.{100})[^&]*/, "$1");
    for (const keys of [[], [cloudfrontKey]]) {
      expect(await causeOf(cut, { keys })).toMatchObject({
        code: "MALFORMED",
        sentence: expect.stringContaining("its end was cut off"),
      });
      expect(await causeOf(cloudfront.url, { keys })).toBeUndefined();
    }
  });

  it("of a Daypass URL", async () => {
    const { url } = urlSigner({ key: urlKey, clock }).sign({ url: "https://api.example.com/a", expiresIn: 900 });
    for (const keys of [[], [urlKey]]) {
      expect(await causeOf(url.replace(/(dp-signature=.{20})[^&]*/, "$1"), { keys })).toMatchObject({
        code: "MALFORMED",
        sentence: expect.stringContaining("its end was cut off"),
      });
    }
  });
});

describe("a signature that fits", () => {
  it("of CloudFront leaves the distribution and the origin, and asks for no key once more", async () => {
    const errorBody = errorXml("AccessDenied", "Access Denied");
    const cause = await causeOf(cloudfront.url, { errorBody, keys: [cloudfrontKey] });
    expect(cause).toMatchObject({ code: "PERMISSION", sentence: expect.stringMatching(/^The signature is right/) });
    expect(cause?.fix).not.toContain("public key");
    expect((await causeOf(cloudfront.url, { errorBody }))?.fix).toContain("with the public key");
  });

  it("is of the key that CloudFront's Key-Pair-Id named before it was changed", async () => {
    const changed = cloudfront.url.replace("Key-Pair-Id=K1", "Key-Pair-Id=K2");
    expect(await causeOf(changed, { keys: [cloudfrontKey] })).toMatchObject({
      code: "UNKNOWN_KEY",
      sentence: "The URL names K2 and was signed with the key of K1.",
    });
  });
});

it("says of a token that names no key that the given one is another", async () => {
  const { url } = bunnySigner({ secret: "a-long-secret", clock }).sign({
    url: "https://h.example.com/a",
    expiresIn: 900,
  });
  expect((await causeOf(url, { keys: [{ scheme: "bunny", secret: "another-secret" }] }))?.sentence).toMatch(
    /^The URL was signed with a different key than the given one, or changed/,
  );
});
