import { type ExplainOptions, explain } from "daypass/explain";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { awsErrorBody, credentials, errorXml, rawUrl } from "./broken-requests.ts";
import { now } from "./refusal-fixtures.ts";

const clock = () => now;

describe("what those answers must not blame", () => {
  const causeOf = async (url: string, options: ExplainOptions) => (await explain(url, { clock, ...options })).cause;
  const keys = [credentials];
  const mismatch = errorXml("SignatureDoesNotMatch", "m");

  it("a start of an upload in parts, whose ACL is in its query", async () => {
    const url = rawUrl({ method: "POST", query: "uploads=&x-amz-acl=private" });
    const cause = await causeOf(url, { errorBody: awsErrorBody(url, { method: "POST" }) });
    expect(cause?.code).toBe("WRONG_SECRET");
    expect(await causeOf(url, { keys, request: { method: "POST", headers: {} } })).toBeUndefined();
  });

  it("a URL that a CDN is asked with, signed for the store behind it", async () => {
    const url = rawUrl({ host: "test.ams3.digitaloceanspaces.com", region: "ams3" }).replace(".ams3.", ".ams3.cdn.");
    expect(await causeOf(url, { keys, request: { method: "GET", headers: {} } })).toBeUndefined();
  });

  it("a host that is not signed", async () => {
    const url = s3V2Signer({ region: "us-east-1", credentials, endpoint: "https://s3.example.com", clock }).sign({
      ...{ bucket: "b", key: "k", expiresIn: 900 },
    }).url;
    const errorBody = errorXml("SignatureDoesNotMatch", "m", { Resource: "/b/k" });
    expect((await causeOf(url, { errorBody }))?.code).toBe("WRONG_SECRET");
  });

  it("a secret, where a mismatch has no other word", async () => {
    expect((await causeOf(rawUrl(), { errorBody: mismatch }))?.sentence).toMatch(
      /Most often the URL was signed for another method/,
    );
  });
});
