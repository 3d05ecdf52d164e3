import { explain } from "daypass/explain";
import { ossSigner } from "daypass/oss";
import { describe, expect, it } from "vitest";
import { credentials, rawUrl } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");

describe("explain with a host of the provider", () => {
  // Source: "Amazon Simple Storage Service endpoints and quotas" in the AWS General Reference.
  it.each([
    ["media.s3-accelerate.amazonaws.com", "eu-west-1", "s3"],
    ["media.s3-accelerate.dualstack.amazonaws.com", "eu-west-1", "s3"],
    ["media.s3-external-1.amazonaws.com", "us-east-1", "s3"],
    ["media.s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1", "s3"],
    ["media.s3-eu-west-1.amazonaws.com", "eu-west-1", "s3"],
    ["media.s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "s3"],
    ["ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "eu-west-1", "s3"],
    ["ap-123456789012.s3-object-lambda.eu-west-1.amazonaws.com", "eu-west-1", "s3-object-lambda"],
    ["ap-123456789012.op-01ac5d28a6a232904.s3-outposts.eu-west-1.amazonaws.com", "eu-west-1", "s3-outposts"],
    ["media.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "us-east-1", "s3"],
    ["s3-fips-us-gov-west-1.amazonaws.com", "us-gov-west-1", "s3"],
  ])("returns no cause for %s in %s with the service %s", async (host, region, service) => {
    for (const keys of [[], [credentials]]) {
      const url = rawUrl({ host, path: "/a", region, service });
      expect((await explain(url, { clock: soon, keys })).cause).toBeUndefined();
    }
  });

  it.each([
    ["bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "/media/a", "object a in bucket media"],
    ["media.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "/a/b", "object a/b in bucket media"],
    ["ap-1.accesspoint.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "/a/b", "object a/b in bucket ap-1"],
  ])("reads the bucket of the interface endpoint %s", async (host, path, resource) => {
    expect((await explain(rawUrl({ host, path, region: "us-east-1" }), { clock: soon })).grants.resource).toBe(
      resource,
    );
  });

  it.each([
    "oss-cn-hangzhou",
    "oss-cn-hangzhou-internal",
    "oss-accelerate",
    "oss-accelerate-overseas",
    "cn-hangzhou.oss",
  ])("returns no cause for media.%s.aliyuncs.com", async (name) => {
    const key = { accessKeyId: "id", accessKeySecret: "a-secret-of-oss" };
    const { url } = ossSigner({ region: "cn-hangzhou", credentials: key, clock }).sign({
      ...{ bucket: "media", key: "a.txt", expiresIn: 900 },
    });
    for (const host of [`media.${name}.aliyuncs.com`, `MEDIA.${name}.aliyuncs.com`]) {
      for (const keys of [[], [key]]) {
        const asked = url.replace("media.oss-cn-hangzhou.aliyuncs.com", host);
        const { cause, grants } = await explain(asked, { clock: soon, keys });
        expect(cause).toBeUndefined();
        expect(grants.resource).toBe("object a.txt in bucket media");
      }
    }
  });
});

describe("explain with a host that the URL is not for", () => {
  it.each([
    ["media.s3-eu-central-1.amazonaws.com", "s3", "REGION"],
    ["media.s3.dualstack.eu-central-1.amazonaws.com", "s3", "REGION"],
    ["media.s3-website-eu-west-1.amazonaws.com", "s3", "ENDPOINT"],
    ["media.s3-website.eu-west-1.amazonaws.com", "s3", "ENDPOINT"],
    ["ap-123456789012.s3-object-lambda.eu-west-1.amazonaws.com", "s3", "SERVICE"],
    ["media.s3.eu-west-1.amazonaws.com", "s3-object-lambda", "SERVICE"],
  ])("reports %s, signed for %s, as %s", async (host, service, code) => {
    const url = rawUrl({ host, path: "/a", region: "eu-west-1", service });
    expect((await explain(url, { clock: soon })).cause).toMatchObject({ code });
  });
});
