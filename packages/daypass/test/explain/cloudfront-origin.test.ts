import { type ExplainOptions, explain } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";
import { errorXml } from "./raw-requests.ts";
import { sample, soon } from "./signed-urls.ts";

const cloudfrontKey = { keyPairId: "K1", publicKey: rsaPem.publicKey };
const cloudfront = await sample("CloudFront").sign();
const causeOf = async (url: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, ...options })).cause;

describe("explain with a CloudFront signature that fits", () => {
  it("blames the distribution or the origin, and asks for no key", async () => {
    const errorBody = errorXml("AccessDenied", "Access Denied");
    const cause = await causeOf(cloudfront.url, { errorBody, keys: [cloudfrontKey] });
    expect(cause).toMatchObject({ code: "PERMISSION", sentence: expect.stringMatching(/^The signature is right/) });
    expect(cause?.fix).not.toContain("public key");
    expect((await causeOf(cloudfront.url, { errorBody }))?.fix).toContain("with the public key");
  });

  it("reports a changed Key-Pair-Id", async () => {
    const changed = cloudfront.url.replace("Key-Pair-Id=K1", "Key-Pair-Id=K2");
    expect(await causeOf(changed, { keys: [cloudfrontKey] })).toMatchObject({
      code: "UNKNOWN_KEY",
      sentence: "The URL names K2 and was signed with the key of K1.",
    });
  });
});

it.each([
  ["NOT_FOUND", /does not exist/, errorXml("NoSuchKey", "The specified key does not exist.")],
  ["SERVER", /limiting requests/, errorXml("SlowDown", "Please reduce your request rate.")],
  [
    "PERMISSION",
    /origin denies the distribution/,
    errorXml("AccessDenied", `User: arn:aws:sts::1:assumed-role/x is not authorized to perform: s3:GetObject on "x"`),
  ],
  ["PERMISSION", /./, errorXml("AccessDenied", "Access Denied")],
] as const)("reports %s when the origin behind CloudFront answers: %s", async (code, says, errorBody) => {
  for (const keys of [[], [cloudfrontKey]]) {
    const cause = await causeOf(cloudfront.url, { errorBody, keys });
    expect(cause).toMatchObject({ code, sentence: expect.stringMatching(says) });
  }
});
