import type { WireRequest } from "daypass";
import { ossSigner, ossVerifier } from "daypass/oss";
import { ossV1Signer, ossV1Verifier } from "daypass/oss/v1";
import { describe, expect, it } from "vitest";
import vectors from "./vectors/alibaba.json" with { type: "json" };

const accessKey = { accessKeyId: "ak", accessKeySecret: "sk" };
const origins = ["https://*.oss-cn-hangzhou.aliyuncs.com", "http://*.oss-cn-hangzhou.aliyuncs.com:8080"];

describe("V4: what Alibaba's own SDK signs", () => {
  const { method, bucket, key, region, query, alwaysSigned, additional, unsigned } = vectors.v4Request;

  it.each(vectors.v4)(
    "$name",
    async ({ securityToken, additionalHeaders, cloudBoxId, signedAt, expiresIn, signature }) => {
      const credentials = { ...accessKey, securityToken };
      const clock = () => new Date(signedAt * 1000);
      const headers = { ...alwaysSigned, ...(additionalHeaders === undefined ? {} : additional) };
      const signer = ossSigner({ region, credentials, cloudBoxId, clock });
      const link = signer.sign({ method, bucket, key, query, headers, expiresIn });
      const parameters = new URL(link.url).searchParams;
      expect(parameters.get("x-oss-signature")).toBe(signature);
      expect(parameters.get("x-oss-expires")).toBe(String(expiresIn));
      expect(parameters.get("x-oss-additional-headers") ?? undefined).toBe(additionalHeaders);

      const request = requestOf(link.url, method, { ...alwaysSigned, ...additional, ...unsigned });
      const grant = await ossVerifier({ credentials, origins, clock }).verify(request);
      expect(grant).toMatchObject({ bucket, key, methods: [method], id: link.id, region: cloudBoxId ?? region });
    },
  );
});

describe("V1: what Alibaba's own SDK signs", () => {
  it.each(vectors.v1)("$name", async ({ bucket, key, securityToken, expires, url }) => {
    const credentials = { ...accessKey, securityToken };
    const clock = () => new Date((expires - 60) * 1000);
    const endpoint = "http://oss-cn-hangzhou.aliyuncs.com";
    const signer = ossV1Signer({ region: "cn-hangzhou", endpoint, credentials, clock });
    const link = signer.sign({ bucket, key, query: { versionId: "versionId" }, expiresIn: 60 });
    const [address, tokens = ""] = url.split("?");
    const [ours, ourTokens = ""] = link.url.split("?");
    expect(ours).toBe(address);
    expect(ourTokens.split("&").sort()).toEqual(tokens.split("&").sort());

    const verifier = ossV1Verifier({ credentials, origins: ["http://*.oss-cn-hangzhou.aliyuncs.com"], clock });
    expect(await verifier.verify(requestOf(url))).toMatchObject({ bucket, key, id: link.id });
  });
});

function requestOf(url: string, method = "GET", headers: Readonly<Record<string, string>> = {}): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers) };
}
