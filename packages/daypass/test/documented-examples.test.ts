import { readFileSync } from "node:fs";
import { azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { gcsHmacFormSigner } from "daypass/gcs/form";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";

// The worked examples of docs/schemes.
const clock = () => new Date("2026-01-02T03:04:05Z");
const key = "talks/key note+1%.mp4";
const alibaba = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const tencent = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const openstack = { account: "AUTH_test", key: "mykey" };
const google = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
const microsoft = {
  account: "myaccount",
  accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
};
const wish = { bucket: "media", key, expiresIn: 900 };
const page = (name: string) => readFileSync(new URL(`../../../docs/schemes/${name}.md`, import.meta.url), "utf8");

const examples = [
  [
    "oss",
    ossSigner({ region: "cn-hangzhou", credentials: alibaba, clock }).sign(wish).url,
    alibaba,
    "x-oss-signature=",
  ],
  ["oss-v1", ossV1Signer({ region: "cn-hangzhou", credentials: alibaba, clock }).sign(wish).url, alibaba, "?"],
  [
    "cos",
    cosSigner({ region: "ap-guangzhou", credentials: tencent, clock }).sign({ ...wish, bucket: "media-1250000000" })
      .url,
    tencent,
    "q-signature=",
  ],
  [
    "swift",
    swiftSigner({ endpoint: "https://swift.example.com", ...openstack, clock }).sign({
      container: "media",
      object: key,
      expiresIn: 900,
    }).url,
    openstack,
    "?",
  ],
  [
    "gcs",
    gcsHmacSigner({ credentials: google, clock }).sign({ bucket: "media", object: key, expiresIn: 900 }).url,
    google,
    "X-Goog-Signature=",
  ],
  [
    "gcs-v2",
    gcsV2HmacSigner({ credentials: google, clock }).sign({ bucket: "media", object: key, expiresIn: 900 }).url,
    google,
    "?",
  ],
  [
    "azure",
    azureSigner({ account: microsoft.account, credentials: microsoft, clock }).sign({
      ...{ container: "media", blob: key, permissions: "racwd", expiresIn: 3600 },
    }).url,
    microsoft,
    "sv=",
  ],
] as const;

describe("the page of a scheme", () => {
  it.each(examples)("%s shows the URL and the string to sign of its example", async (name, url, credentials, from) => {
    const text = page(name);
    expect(text).toContain(url.slice(url.indexOf(from)));
    const { canonicalRequest, stringToSign = "" } = await explain(url, { keys: [credentials], clock });
    // A page describes one line feed at the end in words. Azure's empty fields are lines.
    const shown = name === "azure" ? stringToSign : stringToSign.trimEnd();
    expect(text).toContain(`\`\`\`\n${shown}\n\`\`\``);
    if (canonicalRequest !== undefined) expect(text).toContain(`\`\`\`\n${canonicalRequest}\n\`\`\``);
  });

  it("gcs-form shows the policy and the signature of its example", () => {
    const { url, fields } = gcsHmacFormSigner({ credentials: google, clock }).sign({
      bucket: "media",
      object: "uploads/7/$" + "{filename}",
      contentLength: { min: 1, max: 10_000_000 },
      fields: { success_action_status: "201" },
      bind: { contentType: "image/png" },
      expiresIn: 300,
    });
    const text = page("gcs-form");
    for (const shown of [url, fields["x-goog-signature"]]) expect(text).toContain(`\`${shown}\``);
    expect(text).toContain(`\`\`\`\n${Buffer.from(fields["policy"] ?? "", "base64").toString()}\n\`\`\``);
  });
});
