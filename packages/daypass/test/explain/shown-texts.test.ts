import { createHash } from "node:crypto";
import { cosSigner } from "daypass/cos";
import { type CauseCode, type ExplainOptions, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossV1Signer } from "daypass/oss/v1";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./raw-requests.ts";

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

const ask = (url: string, fields: Readonly<Record<string, string>>, options: ExplainOptions = {}) =>
  explain(url, { clock, errorBody: errorXml("SignatureDoesNotMatch", "", fields), ...options });
const saw = async (url: string, fields: Readonly<Record<string, string>>) => (await ask(url, fields)).cause;

const stores: readonly (readonly [name: string, url: string, resource: string, prefix: string])[] = [
  ["S3 V2", s3.sign({ ...wish, key: "a.txt", query: { versionId: "1" } }).url, "/media/a.txt?versionId=1", "x-amz-"],
  ["OSS V1", oss.sign({ ...wish, key: "a.txt", query: { versionId: "1" } }).url, "/media/a.txt?versionId=1", "x-oss-"],
  ["Cloud Storage V2", gcs.sign({ ...wish, object: "a.txt" }).url, "/media/a.txt", "x-goog-"],
];

describe.each(stores)("explain with the string to sign of %s", (_, url, resource, prefix) => {
  const text = (more: { readonly end?: number; readonly resource?: string; readonly headers?: string } = {}) =>
    saw(url, {
      StringToSign: `GET\n\n\n${more.end ?? END}\n${more.headers ?? ""}${more.resource ?? resource}`.replaceAll(
        "&",
        "&amp;",
      ),
    });

  it("blames the secret if it is the text of the URL", async () => {
    expect(await text()).toMatchObject({ code: "WRONG_SECRET" });
  });

  it("names an added header", async () => {
    const cause = await text({ headers: `${prefix}request-id:1\n` });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining(`${prefix}request-id: 1`) });
  });

  it("reads a text with a final line feed, and one with a single line", async () => {
    const cause = await text({ resource: `${resource.replace("media", "other")}\n` });
    expect(cause).toMatchObject({ code: "PATH", sentence: expect.stringMatching(/^The resource differs/) });
    const short = await saw(url, { StringToSign: "GET" });
    expect(short).toMatchObject({ code: "TIME", sentence: expect.stringMatching(/^The end differs/) });
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
  ])("names the difference: %s", async (_, code, more, sentence) => {
    const cause = await text(more);
    expect(cause?.sentence).toMatch(sentence);
    expect(cause?.code).toBe(code);
  });
});

describe("explain with a session token in the server's text", () => {
  const token = "SECRETTOKENabc+/=";
  const [S3, OSS] = [
    s3V2Signer({ region: "us-east-1", credentials: { ...credentials, sessionToken: token }, clock }),
    ossV1Signer({
      region: "cn-hangzhou",
      credentials: { accessKeyId: "L", accessKeySecret: "s", securityToken: token },
      clock,
    }),
  ].map((signer) => signer.sign({ ...wish, key: "a.txt" }).url) as [string, string];
  const COS = cosSigner({
    region: "ap-guangzhou",
    credentials: { secretId: "S", secretKey: "s", sessionToken: token },
    clock,
  }).sign({ ...wish, bucket: "media-1250000000", key: "a.txt" }).url;
  const others = [token.replace("+", " "), token.slice(0, 10), token.toLowerCase(), encodeURIComponent(token)];

  it.each(others)("hides it unless reveal is set: %s", async (seen) => {
    for (const [url, fields] of [
      [S3, { StringToSign: `GET\n\n\n${END}\nx-amz-security-token:${seen}\n/media/a.txt` }],
      [OSS, { StringToSign: `GET\n\n\n${END}\n/media/a.txt?security-token=${seen}` }],
      [OSS, { StringToSign: `GET\n\n\n${END}\n/media/b.txt?security-token=${seen}` }],
      [COS, { StringToSign: `sha1\n${life(COS)}\n0\n`, FormatString: `get\n/a.txt\nx-cos-security-token=${seen}\n\n` }],
    ] as const) {
      const shown = async (reveal: boolean) => JSON.stringify((await ask(url, fields, { reveal })).cause);
      expect(await shown(false)).not.toContain(seen);
      expect(await shown(false)).not.toContain(seen.slice(0, 9));
      expect(await shown(true)).toContain(seen.slice(0, 9));
    }
  });

  it("does not count it as a second header if the query contains it", async () => {
    const text = `GET\n\n\n${END}\nx-amz-security-token:${token}\n/media/b.txt`;
    expect(await saw(S3, { StringToSign: text })).toMatchObject({ code: "PATH" });
  });
});

const life = (url: string): string => /q-key-time=(\d+)(?:;|%3B)(\d+)/.exec(url)?.slice(1).join(";") ?? "";

describe("explain with the text that COS hashes", () => {
  const { url } = cos.sign({ ...wish, bucket: "media-1250000000", key: "a.txt", query: { versionId: "1" } });
  const host = "media-1250000000.cos.ap-guangzhou.myqcloud.com";
  const shown = (format: string, time = life(url)) => {
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

  it("names a parameter that was added to a URL without parameters", async () => {
    const plain = cos.sign({ ...wish, bucket: "media-1250000000", key: "a.txt" }).url;
    const format = `get\n/a.txt\nutm=1\nhost=${host}\n`;
    const cause = await saw(plain, { StringToSign: `sha1\n${life(plain)}\n0\n`, FormatString: format });
    expect(cause?.sentence).toMatch(/^The query parameter utm differs: .*""/);
  });

  it("names another lifetime, and blames the secret if nothing differs", async () => {
    const same = `get\n/a.txt\nversionid=1\nhost=${host}\n`;
    expect(await shown(same, "1;2")).toMatchObject({ code: "TIME", sentence: expect.stringContaining("1;2") });
    expect(await shown(same)).toMatchObject({ code: "WRONG_SECRET" });
  });
});
