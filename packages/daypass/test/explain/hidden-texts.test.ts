import { explain, explainAnswer } from "daypass/explain";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { credentials, errorXml } from "./raw-requests.ts";

const AT = new Date("2026-11-24T12:00:00Z");
const clock = () => AT;
const now = () => new Date("2026-11-24T12:05:00Z");
const url = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "a/b.txt", expiresIn: 900 },
}).url;
const MISMATCH = errorXml("SignatureDoesNotMatch", "m");

describe("explain", () => {
  it("hides a signature whose plus was not encoded", async () => {
    const v1 = ossV1Signer({
      ...{ region: "cn-beijing", clock },
      credentials: { accessKeyId: "LTAI5t", accessKeySecret: credentials.secretAccessKey },
    });
    const v2 = s3V2Signer({ region: "us-east-1", credentials, clock });
    for (const sign of [
      (key: string) => v1.sign({ bucket: "media", key, expiresIn: 900 }).url,
      (key: string) => v2.sign({ bucket: "media", key, expiresIn: 900 }).url,
    ]) {
      const one =
        Array.from({ length: 99 }, (_, i) => sign(`k${i}`)).find((some) => /Signature=[^&]*%2B[^&]*%3D/.test(some)) ??
        "";
      const plain = one.replaceAll("%2B", "+");
      const told = JSON.stringify(await explain(plain, { clock: now, errorBody: MISMATCH }));
      expect(told).not.toContain(/Signature=([^&]*)/.exec(plain)?.[1]);
    }
  });

  it("hides the user and password in front of a host", async () => {
    for (const login of ["user:s3cr3tword", "user:p@s3cr3tword"]) {
      const told = await explain(url.replace("https://", `https://${login}@`), { clock: now });
      expect(JSON.stringify(told)).not.toContain("s3cr3tword");
      expect(told.summary).toContain("object a/b.txt in bucket media");
    }
  });

  it("hides the secrets in a line of a log", () => {
    const other = "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef0123456789abcdef";
    for (const line of [
      'error=AccessDenied authorization="Bearer s3cr3tword" path=/x',
      "AccessDenied Authorization: Bearer s3cr3tword",
      "ExpiredToken x-amz-security-token=s3cr3tword",
      `AccessDenied of ${other.replace("0123456789abcdef0123456789abcdef", "s3cr3tword")}`,
    ])
      expect(JSON.stringify(explainAnswer(line))).not.toContain("s3cr3tword");
  });
});

it.each([
  ["a text to sign with a line end after line end", `<StringToSign>${"\\n".repeat(120_000)}`],
  [
    "a text of COS with a long parameter",
    `<Error><Code>SignatureDoesNotMatch</Code><FormatString>get / ${"=".repeat(100_000)} x</FormatString></Error>`,
  ],
  ["names of parts and spaces", `AccessDenied ${"StringToSign=".repeat(1000)}${" ".repeat(19_000)}x`],
  ["certificates", `${"certificate is valid for ".repeat(10_000)}`],
])("explainAnswer finishes for %s", async (_, body) => {
  expect(explainAnswer(body)).toBeDefined();
});
