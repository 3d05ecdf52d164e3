import { cloudflareSigner } from "daypass/cloudflare";
import { cloudfrontSigner } from "daypass/cloudfront";
import { type ExplainOptions, explain } from "daypass/explain";
import { imgproxySigner } from "daypass/imgproxy";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";
import { awsErrorBody, credentials, errorXml } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const s3 = s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials, clock });
const sign = (key = "a/b.txt") => s3.sign({ bucket: "media", key, expiresIn: 900 }).url;
const url = sign();
const causeOf = async (of: string, options: ExplainOptions = {}) =>
  (await explain(of, { clock: soon, ...options })).cause;

describe("explain with merged slashes", () => {
  it("finds them in the source of an imgproxy URL", async () => {
    const key = { scheme: "imgproxy", key: "736563726574", salt: "68656c6c6f" } as const;
    const made = imgproxySigner({ ...key, clock }).sign({
      url: "https://img.example.com/plain/https://images.example.com/a.jpg",
      expiresIn: 900,
    }).url;
    const merged = made.replace("plain/https://", "plain/https:/");
    expect(await causeOf(merged, { keys: [key] })).toMatchObject({ code: "PATH" });
  });
});

describe("explain with a copied URL", () => {
  it.each(["&amp;", "&#38;", "&#038;", "&#x26;", "&#X26;", "&amp;amp;"])("reports %s instead of &", async (entity) => {
    for (const given of [{}, { keys }]) {
      const cause = await causeOf(url.replaceAll("&", entity), given);
      expect(cause).toMatchObject({ code: "HTML_ESCAPED", sentence: expect.stringContaining(entity) });
    }
  });

  it.each<readonly [string, string, RegExp]>([
    ["with a parameter behind a second ?", `${url}?utm_source=x`, /second \?.*utm_source.*Append nothing/],
    ["in upper case", url.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()), /upper case/],
    ["cut short", url.slice(0, -5), /cut off, 59 of 64/],
    ["with something behind it", `${url}00`, /something follows it/],
  ])("reports a signature %s", async (_, damaged, says) => {
    for (const given of [{}, { keys }, { errorBody: errorXml("SignatureDoesNotMatch", "no") }]) {
      const cause = await causeOf(damaged, given);
      expect(`${cause?.sentence} ${cause?.fix}`).toMatch(says);
      expect(cause?.code).toBe("MALFORMED");
    }
  });

  it("recognises a CloudFront URL without its Key-Pair-Id", async () => {
    const { privateKey } = rsaPem;
    const { url: made } = await cloudfrontSigner({ keyPairId: "K1", privateKey, clock }).sign({
      ...{ url: "https://d111.cloudfront.net/a.mp4", expiresIn: 900 },
    });
    const body =
      "<Error><Code>MissingKey</Code><Message>Missing Key-Pair-Id query parameter or cookie value</Message></Error>";
    for (const errorBody of [undefined, body]) {
      expect(await causeOf(made.replace(/&Key-Pair-Id=K1/, ""), { errorBody })).toMatchObject({
        code: "MALFORMED",
        sentence: expect.stringContaining("Key-Pair-Id"),
      });
    }
  });

  it("reports a plain + in Cloudflare's MAC", async () => {
    const key = { scheme: "cloudflare", secret: "mysecrettoken", ttl: 3600 } as const;
    const signer = cloudflareSigner({ ...key, clock });
    const urls = Array.from(
      { length: 40 },
      (_, i) => signer.sign({ url: `https://e.example/${i}`, expiresIn: 900 }).url,
    );
    const made = urls.find((one) => one.includes("%2B")) ?? "";
    for (const given of [{}, { keys: [key] }]) {
      expect(await causeOf(made, given)).toBeUndefined();
      expect(await causeOf(made.replaceAll("%2B", "+"), given)).toMatchObject({
        code: "MALFORMED",
        sentence: expect.stringContaining("%2B"),
      });
    }
  });
});

describe("explain with two changes", () => {
  it("mentions the change in the first sentence once", async () => {
    const longer = url.replace("X-Amz-Expires=900", "X-Amz-Expires=3600");
    const cause = await causeOf(longer, { keys, errorBody: awsErrorBody(longer) });
    expect(cause).toMatchObject({ code: "EXPIRES_CHANGED", sentence: expect.not.stringContaining("Also") });
    const later = `${url}&X-Amz-Security-Token=abc`;
    const token = await causeOf(later, { keys, errorBody: awsErrorBody(later) });
    expect(token).toMatchObject({ code: "TOKEN_AFTER_SIGNING", sentence: expect.not.stringContaining("Also") });
  });

  it("adds the change of a proxy", async () => {
    const longer = url.replace("X-Amz-Expires=900", "X-Amz-Expires=3600");
    const cause = await causeOf(longer, { keys, errorBody: awsErrorBody(longer, { host: "minio:9000" }) });
    expect(cause?.sentence).toMatch(/Expires was changed.*Also: .*host minio:9000/);
  });
});
