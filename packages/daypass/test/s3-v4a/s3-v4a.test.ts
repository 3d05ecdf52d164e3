import { describe, expect, it } from "vitest";
import type { SignedRequest } from "../../src/core/contracts.ts";
import { anyOf } from "../../src/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { regionSetHas } from "../../src/schemes/s3/v4a/canonical.ts";
import { s3V4aSigner, s3V4aTexts, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const clock = () => AT;
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const session = { ...credentials, sessionToken: "FwoGZXIvYXdzE+/=" };
const origins = ["https://*.s3.example.com", "https://*.accesspoint.s3-global.amazonaws.com"];
const endpoint = "https://s3.example.com";
const signer = s3V4aSigner({ endpoint, addressing: "virtual", credentials, clock });
const verifierOf = (options: Partial<Parameters<typeof s3V4aVerifier>[0]> = {}) =>
  s3V4aVerifier({ credentials, origins, clock, enforces: ["body-sha256", "response"], ...options });
const verify = (link: SignedRequest, options = {}) => verifierOf(options).verify(wireRequest(link));
const call = { bucket: "media", key: "a.png", expiresIn: 60 };

describe("s3V4aSigner", () => {
  it("signs for any region unless told, with the region in the query and not in the scope", async () => {
    const { url } = await signer.sign(call);
    expect(url).toMatch(
      /^https:\/\/media\.s3\.example\.com\/a\.png\?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-Region-Set=%2A&X-Amz-SignedHeaders=host&X-Amz-Signature=30(?:[0-9a-f]{2}){67,71}$/,
    );
  });

  it("says as s3Signer does whether the body is bound", async () => {
    const sigv4 = s3Signer({ region: "us-east-1", endpoint, credentials, clock });
    for (const payload of ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "a".repeat(64)]) {
      const request = { ...call, query: { "X-Amz-Content-Sha256": payload } };
      expect((await signer.sign(request)).unbound, payload).toEqual(sigv4.sign(request).unbound);
    }
  });

  it("signs another signature and the same id each time", async () => {
    const [a, b] = [await signer.sign(call), await signer.sign(call)];
    expect(a.url).not.toBe(b.url);
    expect(a.id).toBe(b.id);
    expect((await verify(a)).id).toBe((await verify(b)).id);
  });

  it("knows where Multi-Region Access Points are, by alias and by ARN", async () => {
    const global = s3V4aSigner({ credentials, clock });
    for (const bucket of ["mfzwi23gnjvgw.mrap", "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"]) {
      const link = await global.sign({ ...call, bucket });
      expect(link.url).toMatch(/^https:\/\/mfzwi23gnjvgw\.mrap\.accesspoint\.s3-global\.amazonaws\.com\/a\.png\?/);
      expect(await verify(link)).toMatchObject({ bucket: "mfzwi23gnjvgw.mrap", key: "a.png" });
    }
    const error = (error: { code: string }) => error.code;
    expect(await global.sign({ ...call, bucket: "media" }).catch(error)).toBe("INVALID_INPUT");
    const regional = await s3V4aSigner({ region: "eu-west-1", credentials, clock }).sign(call);
    expect(regional.url).toMatch(/^https:\/\/media\.s3\.eu-west-1\.amazonaws\.com\/a\.png\?/);
  });

  it.each<[string, () => unknown]>([
    ["an empty set of regions", () => s3V4aSigner({ endpoint, credentials, regionSet: [] })],
    ["a region with a comma in it", () => s3V4aSigner({ endpoint, credentials, regionSet: ["a,,b"] })],
    ["a region in capitals", () => s3V4aSigner({ endpoint, credentials, regionSet: ["US"] })],
    ["an endpoint with a query", () => s3V4aSigner({ endpoint: `${endpoint}?x`, credentials })],
    ["credentials without a secret", () => s3V4aSigner({ endpoint, credentials: { accessKeyId: "a" } as never })],
  ])("refuses %s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: expect.stringMatching(/^INVALID_/) }));
  });

  it("refuses its own parameters in the query, and what S3 cannot bind", async () => {
    const code = (request: object) => signer.sign({ ...call, ...request }).then(String, (error) => error.code);
    expect(await code({ query: { "X-Amz-Region-Set": "*" } })).toBe("INVALID_INPUT");
    expect(await code({ query: { "x-amz-region-set": "*" } })).toBe("INVALID_INPUT");
    expect(await code({ query: { "X-Amz-Date": "*" } })).toBe("INVALID_INPUT");
    expect(await code({ key: "../a" })).toBe("DOT_SEGMENTS");
    expect(await code({ expiresIn: 604_801 })).toBe("INVALID_EXPIRY");
    expect(await code({ bind: { ip: "10.0.0.0/8" } })).toBe("UNSUPPORTED_CONSTRAINT");
    const items: unknown[] = [];
    for await (const item of signer.signMany([{ ...call, key: "" }, call]))
      items.push("url" in item ? "url" : item.error);
    expect(items).toEqual([expect.objectContaining({ code: "INVALID_INPUT" }), "url"]);
  });
});

describe("s3V4aVerifier", () => {
  it("gives the grant of what was signed", async () => {
    const link = await s3V4aSigner({
      endpoint,
      addressing: "virtual",
      credentials: session,
      regionSet: ["eu-*", "us-east-1"],
      clock,
    }).sign({
      ...call,
      key: "é/a b+c.png",
      method: "PUT",
      query: { partNumber: "1", uploadId: "u/1" },
      bind: { sha256: "0".repeat(64), contentType: "image/png" },
    });
    expect(await verify(link, { credentials: session, regions: ["eu-west-1"] })).toMatchObject({
      scheme: "s3/v4a",
      keyId: "AKIDEXAMPLE",
      bucket: "media",
      key: "é/a b+c.png",
      methods: ["PUT"],
      region: "eu-*,us-east-1",
      obligations: [{ kind: "body-sha256", sha256: "0".repeat(64) }],
      parameters: [
        ["partNumber", "1"],
        ["uploadId", "u/1"],
      ],
    });
    await expectRefusal(verify(link), "INVALID_TOKEN");
    await expectRefusal(verify(link, { credentials: session, regions: ["ap-south-1"] }), "WRONG_SCOPE");
    // A text is one region.
    await expect(verify(link, { credentials: session, regions: "eu-west-1" })).resolves.toBeDefined();
    await expectRefusal(verify(link, { credentials: session, regions: "ap-south-1" }), "WRONG_SCOPE");
    const texts = s3V4aTexts(wireRequest(link));
    expect(texts.canonicalRequest?.split("\n")[0]).toBe("PUT");
    expect(texts.stringToSign).toMatch(
      /^AWS4-ECDSA-P256-SHA256\n20260102T030405Z\n20260102\/s3\/aws4_request\n[0-9a-f]{64}$/,
    );
  });

  it("is distinguished from SigV4 by anyOf, and neither accepts the other's URLs", async () => {
    const v4 = s3Verifier({ credentials, origins, clock });
    const any = anyOf(v4, verifierOf());
    const v4Link = s3Signer({ region: "eu-west-1", endpoint, addressing: "virtual", credentials, clock }).sign(call);
    const v4aLink = await signer.sign(call);
    expect((await any.verify(wireRequest(v4Link))).scheme).toBe("s3");
    expect((await any.verify(wireRequest(v4aLink))).scheme).toBe("s3/v4a");
    await expectRefusal(verifierOf().verify(wireRequest(v4Link)), "NO_SIGNATURE");
    await expectRefusal(v4.verify(wireRequest(v4aLink)), "NO_SIGNATURE");
  });

  it("takes the algorithm from nowhere but itself: no HMAC, no other curve, no none", async () => {
    const request = wireRequest(await signer.sign(call));
    for (const algorithm of ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P384-SHA384", "none", "", "aws4-ecdsa-p256-sha256"]) {
      const target = request.target.replace("AWS4-ECDSA-P256-SHA256", algorithm);
      await expectRefusal(verifierOf().verify({ ...request, target }), "MALFORMED");
    }
  });

  it("gives the twin of a signature the same grant", async () => {
    const link = await signer.sign(call);
    const der = Buffer.from(/X-Amz-Signature=(.*)$/.exec(link.url)?.[1] ?? "", "hex");
    const rLength = der[3] as number;
    const s = BigInt(`0x${der.subarray(6 + rLength).toString("hex")}`);
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const digits = (order - s)
      .toString(16)
      .padStart(64, "0")
      .replace(/^(?:00)+(?=[0-9a-f]{2})/, "");
    const twin = (/^[89a-f]/.test(digits) ? "00" : "") + digits;
    const body = `${der.subarray(2, 4 + rLength).toString("hex")}02${(twin.length / 2).toString(16).padStart(2, "0")}${twin}`;
    const url = link.url.replace(/[0-9a-f]*$/, `30${(body.length / 2).toString(16)}${body}`);
    expect(url).not.toBe(link.url);
    expect((await verify({ ...link, url })).id).toBe(link.id);
  });

  it.each<[string, string, string]>([
    ["X-Amz-Signature", "", "MALFORMED"],
    ["X-Amz-Signature", "3006020101020101", "SIGNATURE_MISMATCH"],
    ["X-Amz-Signature", "3006020100020100", "SIGNATURE_MISMATCH"],
    ["X-Amz-Signature", "308006020101020101", "SIGNATURE_MISMATCH"],
    ["X-Amz-Signature", "00".repeat(8), "SIGNATURE_MISMATCH"],
    ["X-Amz-Signature", "0".repeat(64), "SIGNATURE_MISMATCH"],
    ["X-Amz-Signature", "0".repeat(65), "MALFORMED"],
    ["X-Amz-Signature", "30".repeat(73), "MALFORMED"],
    ["X-Amz-Region-Set", "us-east-1", "SIGNATURE_MISMATCH"],
    ["X-Amz-Expires", "604801", "MALFORMED"],
    ["X-Amz-Credential", "AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fs3%2Faws4_request", "MALFORMED"],
    ["X-Amz-Credential", "a%2FAKIDEXAMPLE%2F20260102%2Fs3%2Faws4_request", "UNKNOWN_KEY"],
    ["X-Amz-Credential", "AKIDEXAMPLE%2F20260102%2Fsts%2Faws4_request", "WRONG_SCOPE"],
    ["X-Amz-Credential", "AKIDEXAMPLE%2F20260103%2Fs3%2Faws4_request", "MALFORMED"],
    ["X-Amz-Credential", "AKIDEXAMPLE", "MALFORMED"],
  ])("refuses %s=%s", async (name, value, code) => {
    const request = wireRequest(await signer.sign(call));
    const target = request.target.replace(new RegExp(`${name}=[^&]*`), `${name}=${value}`);
    await expectRefusal(verifierOf().verify({ ...request, target }), code as "MALFORMED");
  });

  it("reports both days if the credential and the date of a request differ", async () => {
    const request = wireRequest(await signer.sign(call));
    const target = request.target.replace("%2F20260102%2F", "%2F20260103%2F");
    const details = { problem: "date-mismatch", found: "20260103", expected: "20260102" };
    await expect(verifierOf().verify({ ...request, target })).rejects.toMatchObject({ details });
  });

  it("refuses unsigned x-amz-* headers, an Authorization header, and a parameter in another case", async () => {
    const request = wireRequest(await signer.sign(call));
    const withHeader = (name: string) => ({ ...request, headers: [[name, "/b/k"] as const] });
    await expectRefusal(verifierOf().verify(withHeader("x-amz-copy-source")), "UNSIGNED_HEADER");
    await expectRefusal(verifierOf().verify(withHeader("authorization")), "AMBIGUOUS_AUTHENTICATION");
    const target = `${request.target}&x-amz-expires=1`;
    await expectRefusal(verifierOf().verify({ ...request, target }), "MALFORMED");
  });
});

describe("a set of regions", () => {
  it.each<[string, string, boolean]>([
    ["*", "us-east-1", true],
    ["us-east-1", "us-east-1", true],
    ["us-east-1", "us-east-11", false],
    ["us-*", "us-west-2", true],
    ["*-2", "us-west-2", true],
    ["us-*-2", "us-west-2", true],
    ["us-*-2", "us-2", false],
    ["us*us", "us", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "acb", false],
    ["eu-west-1,us-*", "us-west-2", true],
    ["eu-west-1,us-*", "eu-west-2", false],
    ["", "us-east-1", false],
    [",", "us-east-1", false],
    ["US-EAST-1", "us-east-1", false],
  ])("%s has %s: %s", (set, region, expected) => {
    expect(regionSetHas(set, [region])).toBe(expected);
  });

  it("searches a long set of patterns in linear time", () => {
    expect(regionSetHas(`${"a*".repeat(20_000)}b`, ["a".repeat(30_000)])).toBe(false);
  });
});
