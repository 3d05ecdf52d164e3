import { readFileSync } from "node:fs";
import { cosSigner } from "daypass/cos";
import { explain } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { swiftSigner } from "daypass/swift";
import { describe, expect, it } from "vitest";

// The worked examples of docs/schemes: what a page shows is what is made.
const clock = () => new Date("2026-01-02T03:04:05Z");
const key = "talks/key note+1%.mp4";
const alibaba = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const tencent = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const openstack = { account: "AUTH_test", key: "mykey" };
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
] as const;

describe("the pages of the schemes", () => {
  it.each(examples)("%s shows the URL and the text that its example makes", async (name, url, credentials, from) => {
    const text = page(name);
    expect(text).toContain(url.slice(url.indexOf(from)));
    const { canonicalRequest, stringToSign = "" } = await explain(url, { keys: [credentials], clock });
    expect(text).toContain(`\`\`\`\n${stringToSign.trimEnd()}\n\`\`\``);
    if (canonicalRequest !== undefined) expect(text).toContain(`\`\`\`\n${canonicalRequest}\n\`\`\``);
  });
});
