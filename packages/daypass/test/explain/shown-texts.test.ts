import { createHash } from "node:crypto";
import { cosSigner } from "daypass/cos";
import { type CauseCode, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossV1Signer } from "daypass/oss/v1";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./broken-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const END = 1_795_522_500;
const wish = { bucket: "media", expiresIn: 900 };
const s3 = s3V2Signer({ region: "us-east-1", credentials, clock });
const gcs = gcsV2HmacSigner({ credentials, clock });
const oss = ossV1Signer({
  region: "cn-hangzhou",
  credentials: { accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.secretAccessKey },
  clock,
});
const cos = cosSigner({
  region: "ap-guangzhou",
  credentials: { secretId: credentials.accessKeyId, secretKey: credentials.secretAccessKey },
  clock,
});

const saw = async (url: string, fields: Readonly<Record<string, string>>) =>
  (await explain(url, { clock, errorBody: errorXml("SignatureDoesNotMatch", "", fields) })).cause;

const stores: readonly (readonly [name: string, url: string, resource: string, prefix: string])[] = [
  ["S3 V2", s3.sign({ ...wish, key: "a.txt", query: { versionId: "1" } }).url, "/media/a.txt?versionId=1", "x-amz-"],
  ["OSS V1", oss.sign({ ...wish, key: "a.txt", query: { versionId: "1" } }).url, "/media/a.txt?versionId=1", "x-oss-"],
  ["Cloud Storage V2", gcs.sign({ ...wish, object: "a.txt" }).url, "/media/a.txt", "x-goog-"],
];

describe.each(stores)("the string to sign that %s shows", (_, url, resource, prefix) => {
  const text = (more: { readonly end?: number; readonly resource?: string; readonly headers?: string } = {}) =>
    saw(url, {
      StringToSign: `GET\n\n\n${more.end ?? END}\n${more.headers ?? ""}${more.resource ?? resource}`.replaceAll(
        "&",
        "&amp;",
      ),
    });

  it("of the URL as it is leaves the secret", async () => {
    expect(await text()).toMatchObject({ code: "WRONG_SECRET" });
  });

  it("names a header that a proxy added", async () => {
    const cause = await text({ headers: `${prefix}request-id:1\n` });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining(`${prefix}request-id: 1`) });
  });

  it.each<readonly [string, CauseCode, Parameters<typeof text>[0], RegExp]>([
    ["another end", "TIME", { end: END + 1 }, /The end differs: the URL implies "1795522500".*"1795522501"/],
    [
      "another bucket",
      "PATH",
      { resource: resource.replace("media", "other") },
      /The resource differs: .*"\/other\/a\.txt/,
    ],
    [
      "another sub-resource",
      "QUERY",
      { resource: `${resource.split("?")[0]}?versionId=2` },
      /The sub-resource differs: .*versionId=2/,
    ],
  ])("names %s", async (_, code, more, sentence) => {
    const cause = await text(more);
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });
});

describe("the text that COS hashes", () => {
  const { url } = cos.sign({ ...wish, bucket: "media-1250000000", key: "a.txt", query: { versionId: "1" } });
  const host = "media-1250000000.cos.ap-guangzhou.myqcloud.com";
  const life = /q-key-time=(\d+)(?:;|%3B)(\d+)/.exec(url)?.slice(1).join(";") ?? "";
  const shown = (format: string, time = life) => {
    const hash = createHash("sha1").update(format).digest("hex");
    return saw(url, { StringToSign: `sha1\n${time}\n${hash}\n`, FormatString: format.replaceAll("&", "&amp;") });
  };

  it.each<readonly [CauseCode, string, RegExp]>([
    ["HOST", `get\n/a.txt\nversionid=1\nhost=cdn.example.com\n`, /The host differs: .*cdn\.example\.com/],
    ["QUERY", `get\n/a.txt\nversionid=2\nhost=${host}\n`, /parameter versionid differs: .*"1".*"2"/],
    ["PATH", `get\n/b.txt\nversionid=1\nhost=${host}\n`, /The path differs: .*"\/b\.txt"/],
  ])("names what differs: %s", async (code, format, sentence) => {
    const cause = await shown(format);
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });

  it("names another life, and leaves the secret where nothing differs", async () => {
    const same = `get\n/a.txt\nversionid=1\nhost=${host}\n`;
    expect(await shown(same, "1;2")).toMatchObject({ code: "TIME", sentence: expect.stringContaining("1;2") });
    expect(await shown(same)).toMatchObject({ code: "WRONG_SECRET" });
  });
});
