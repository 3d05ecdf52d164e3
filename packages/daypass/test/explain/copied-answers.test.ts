import { azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { explain, explainAnswer } from "daypass/explain";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { awsErrorBody, credentials, errorXml, rawUrl } from "./raw-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const at = { clock: () => signedAt };
const clock = () => new Date("2026-11-24T12:05:00Z");
const END = signedAt.getTime() / 1000 + 900;
const MISMATCH = "The request signature we calculated does not match the signature you provided.";

const v4 = rawUrl({ query: "versionId=3", headers: { "x-amz-meta-a": "b c" } });
const v2 = s3V2Signer({ region: "us-east-1", credentials, ...at }).sign({
  bucket: "media",
  key: "a b.txt",
  expiresIn: 900,
}).url;
const cos = cosSigner({ region: "ap-shanghai", credentials: { secretId: "AKIDEXAMPLE", secretKey: "s" }, ...at }).sign({
  ...{ bucket: "media-1250000000", key: "a b.txt", expiresIn: 900 },
}).url;
const accountKey = Buffer.alloc(32, 1).toString("base64");
const azure = azureSigner({ account: "acme", credentials: { accountKey }, version: "2021-06-08", ...at }).sign({
  ...{ container: "media", blob: "a b.txt", permissions: "r", expiresIn: 3600 },
}).url;
const sas = (blob: string) =>
  `Signature did not match. String to sign used was r\n\n2026-11-24T13:00:00Z\n/blob/acme/media/${blob}\n\n\n\n2021-06-08\nb\n\n\n\n\n\n\n`;
const keyTime = `${END - 900};${END}`;

/** Answers, with the refused URLs. */
const ANSWERS: readonly (readonly [what: string, url: string, body: string])[] = [
  ["S3's, of another host", v4, awsErrorBody(v4, { host: "minio:9000", headers: { "x-amz-meta-a": "b c" } })],
  ["S3's, of another method", v4, awsErrorBody(v4, { method: "PUT", headers: { "x-amz-meta-a": "b c" } })],
  ["S3's without a canonical request", v4, awsErrorBody(v4, { method: "PUT", omitCanonicalRequest: true })],
  ...(
    [
      `GET\n\nimage/png; charset=utf-8\n${END}\n/media/a%20b.txt`,
      `GET\n\n\n${END}\nx-amz-meta-a:b c\n/media/a%20b.txt`,
      `GET\n1B2M2Y8AsgTpgAmY7PhCfg==\n\n${END}\n/media/a%20b.txt`,
      `GET\n\n\n${END}\n/media/other.txt`,
    ] as const
  ).map(
    (text) =>
      [
        `S3's in V2: ${text.split("\n").join(" ")}`,
        v2,
        errorXml("SignatureDoesNotMatch", MISMATCH, { StringToSign: text }),
      ] as const,
  ),
  [
    "COS'",
    cos,
    errorXml("SignatureDoesNotMatch", "The Signature you specified is invalid.", {
      StringToSign: `sha1\n${keyTime}\n0123456789012345678901234567890123456789\n`,
      FormatString: "put\n/a b.txt\n\nhost=media-1250000000.cos.ap-shanghai.myqcloud.com\n",
    }),
  ],
  [
    "Azure's, of another blob",
    azure,
    errorXml("AuthenticationFailed", "m", { AuthenticationErrorDetail: sas("other.txt") }),
  ],
  ["Azure's, of the same", azure, errorXml("AuthenticationFailed", "m", { AuthenticationErrorDetail: sas("a b.txt") })],
  ["a code that says all", v4, errorXml("ExpiredToken", "The provided token has expired.")],
];

const FORMS: Readonly<Record<string, (xml: string) => string>> = {
  "a text in JSON": (xml) => JSON.stringify({ body: xml }).slice(9, -2),
  "a text in JSON in JSON": (xml) => JSON.stringify(JSON.stringify(xml)),
  "PHP's JSON": (xml) => JSON.stringify(xml).replaceAll("/", "\\/"),
  "a text in HTML": (xml) => xml.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  "a browser's": (xml) => xml.replace(/>([^<]+)</g, (_, text: string) => `>\n${text.replace(/\s+/g, " ").trim()}\n<`),
  "one with its lines, and a margin": (xml) => xml.replace(/>([^<]*\n[^<]*)</g, ">\n$1\n<").replaceAll("><", ">\n  <"),
  "one in an exception": (xml) => `Error: 403 Forbidden\n    at x (y.js:1:2)\n  body: ${xml}\n}`,
};

describe("explain with a copied answer", () => {
  it.each(
    ANSWERS.flatMap(([what, url, body]) =>
      Object.entries(FORMS).map(([form, shown]) => [what, form, url, body, shown(body)] as const),
    ),
  )("reads %s, as %s", async (_what, _form, url, body, shown) => {
    const [before, after] = await Promise.all(
      [body, shown].map(async (errorBody) => (await explain(url, { clock, errorBody })).cause),
    );
    expect([after?.code, after?.sentence]).toEqual([before?.code, before?.sentence]);
    expect(before?.sentence).toBeDefined();
  });

  it("finishes for long texts", async () => {
    const texts = [
      " ".repeat(200_000),
      "StringToSign=".repeat(15_000),
      "<Code>".repeat(30_000),
      "\\".repeat(200_000),
      "a: b".repeat(50_000),
    ];
    for (const text of [...texts, ...texts.map((one) => `SignatureDoesNotMatch <\\/ ${one}`)]) {
      expect(explainAnswer(text)).toBeDefined();
    }
  });
});

describe("explainAnswer", () => {
  it("returns the URL that S3 shows", () => {
    const { url } = explainAnswer(awsErrorBody(v4));
    const parameters = (text = "") => [...new URL(text).searchParams].sort();
    expect(parameters(url)).toEqual(parameters(v4));
    expect(url?.split("?")[0]).toBe(v4.split("?")[0]);
  });

  it("describes the request that the server saw, without its session token", () => {
    const text = `PUT\n\nimage/png\n${END}\nx-amz-security-token:SECRETTOKEN\n/b/k`;
    const told = explainAnswer(errorXml("SignatureDoesNotMatch", MISMATCH, { StringToSign: text }));
    expect(told.cause?.sentence).toMatch(/saw, a PUT with the content-type image\/png/);
    expect(JSON.stringify(told)).not.toContain("SECRETTOKEN");
  });

  it.each([
    [errorXml("AuthorizationPermissionMismatch", "m"), "PERMISSION"],
    [errorXml("AccessDenied", "m", { Details: "x does not have storage.objects.get access" }), "PERMISSION"],
    [errorXml("InvalidKey", "Unknown Key"), "UNKNOWN_KEY"],
    ["what is this?", undefined],
    ["", undefined],
  ])("returns the cause of %s", (body, code) => {
    expect(explainAnswer(body, { clock }).cause?.code).toBe(code);
  });
});
