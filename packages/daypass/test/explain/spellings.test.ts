import { azureSigner } from "daypass/azure";
import { type ExplainOptions, explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { imgproxySigner } from "daypass/imgproxy";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it, test } from "vitest";
import { credentials } from "./broken-requests.ts";

const at = { clock: () => new Date("2026-11-24T12:00:00Z") };
const clock = () => new Date("2026-11-24T12:05:00Z");
const name = "a b/c d+e.txt";
const wish = { bucket: "media", expiresIn: 900 };
const accountKey = Buffer.alloc(32, 7).toString("base64");
const oss = { accessKeyId: "LTAI1", accessKeySecret: "secret" };
const blob = { container: "media", blob: name, permissions: "r", expiresIn: 900 };
const imgproxyPair = { key: "736563726574", salt: "68656c6c6f" };

const urls: readonly (readonly [string, string, NonNullable<ExplainOptions["keys"]>[number]])[] = [
  ["S3", s3Signer({ region: "eu-west-1", credentials, ...at }).sign({ ...wish, key: name }).url, credentials],
  ["S3 V2", s3V2Signer({ region: "us-east-1", credentials, ...at }).sign({ ...wish, key: name }).url, credentials],
  ["Cloud Storage", gcsHmacSigner({ credentials, ...at }).sign({ ...wish, object: name }).url, credentials],
  ["OSS", ossSigner({ region: "cn-hangzhou", credentials: oss, ...at }).sign({ ...wish, key: name }).url, oss],
  ["Azure", azureSigner({ account: "acme", credentials: { accountKey }, ...at }).sign(blob).url, { accountKey }],
];

describe.each(urls)("the path of a URL of %s", (_, url, key) => {
  const inPath = (change: (path: string) => string) => url.replace(/[^?]*/, change);
  const causeOf = async (changed: string) =>
    (await explain(changed, { clock, keys: [key], request: { method: "GET", headers: {} } })).cause;

  it("that lost its plus among spaces of its own", async () => {
    expect(await causeOf(inPath((path) => path.replaceAll("%2B", "%20")))).toMatchObject({
      code: "PATH",
      sentence: expect.stringContaining("with `+` (%2B) where the URL has a space"),
    });
  });

  it("that was encoded again is not laid on the signer", async () => {
    expect(await causeOf(inPath((path) => path.replaceAll("%", "%25")))).toMatchObject({
      code: "PATH",
      sentence: expect.stringContaining("encoded once, where the URL is encoded twice"),
    });
  });

  it("that was encoded again with all the rest is told as such", async () => {
    const cause = await causeOf(url.replaceAll("%", "%25"));
    expect(cause?.sentence).toMatch(/percent-encoded again|encoded twice/);
  });
});

test("the start of an OSS URL is the one that its cause tells", async () => {
  const early = () => new Date("2026-11-24T11:00:00Z");
  const { cause, startsAt } = await explain(urls[3]?.[1] ?? "", { clock: early });
  expect(cause).toMatchObject({ code: "NOT_YET_VALID", sentence: expect.stringContaining("2026-11-24T11:45:00.000Z") });
  expect(startsAt).toEqual(new Date("2026-11-24T11:45:00Z"));
});

test("an Azure URL that has ended has the trap", async () => {
  const { traps } = await explain(urls[4]?.[1] ?? "", { clock: () => new Date("2027-01-01T00:00:00Z") });
  expect(traps).toContainEqual({ name: "expired", text: "It expired at 2026-11-24T12:15:00.000Z." });
});

test("the source of an imgproxy URL is no key of S3", async () => {
  const signer = imgproxySigner({ ...imgproxyPair, ...at });
  const { url } = signer.sign({
    url: "https://img.example.com/rs:fit:300:300/plain/s3://bucket/cat.jpg",
    expiresIn: 900,
  });
  const { traps } = await explain(url, { clock });
  expect(traps.find(({ name }) => name === "double-slash")?.text).toContain("the source's URL");
});
