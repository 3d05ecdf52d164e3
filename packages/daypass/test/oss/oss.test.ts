import { anyOf, type WireRequest } from "daypass";
import { type ObjectRequest, type OssSignRequest, ossSigner, ossVerifier } from "daypass/oss";
import { ossV1Signer, ossV1Verifier } from "daypass/oss/v1";
import { describe, expect, it } from "vitest";
import { verdictOf } from "../code-of.ts";
import { wireRequest } from "../wire-request.ts";

const credentials = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };
const now = new Date("2026-11-24T12:00:00Z");
const clock = () => now;
const region = "cn-hangzhou";
const origins = ["https://*.oss-cn-hangzhou.aliyuncs.com", "https://oss.example.com", "https://files.example.com"];
const buckets = { "https://files.example.com": "media" };
const enforces = ["response", "body-checksum", "create-only"] as const;
const signer = ossSigner({ region, credentials, clock });
const verifier = ossVerifier({ credentials, origins, buckets, clock, enforces });

const sign = (extra: Partial<Extract<OssSignRequest, ObjectRequest>> = {}) =>
  signer.sign({ bucket: "media", key: "a/b.txt", expiresIn: 600, ...extra });
const refusal = (request: WireRequest) => verdictOf(verifier.verify(request));

describe("OSS V4", () => {
  it("carries hostile keys in all three addressings, and always signs /bucket/key", async () => {
    const endpoints = {
      virtual: undefined,
      path: "https://oss.example.com",
      "bucket-bound": "https://files.example.com",
    };
    for (const [addressing, endpoint] of Object.entries(endpoints)) {
      const styled = ossSigner({ region, endpoint, addressing: addressing as "path", credentials, clock });
      for (const key of ["é/ü +%?#.txt", "/lead", "x//y", "100%.txt", "a%2Fb", "'()!*~", "日本/🚀", "dir/"]) {
        const link = styled.sign({ bucket: "media", key, expiresIn: 600 });
        const grant = await verifier.verify(wireRequest(link));
        expect(grant).toMatchObject({ bucket: "media", key, methods: ["GET"], keyId: "LTAIEXAMPLE", region });
        expect(grant.id).toBe(link.id);
      }
      const call = styled.sign({ bucket: "media", resource: "bucket", query: { acl: "" }, expiresIn: 600 });
      expect(await verifier.verify(wireRequest(call))).toMatchObject({
        bucket: "media",
        key: undefined,
        parameters: [["acl", ""]],
      });
    }
  });

  it("works at another host of the bucket unless the host is bound", async () => {
    const open = wireRequest(sign());
    const other = { ...open, authority: "files.example.com" };
    expect(await refusal(other)).toBe("accepted");
    expect(sign().unbound).toContain("host");
    const bound = sign({ bindHost: true });
    expect(bound.bound).toContain("host");
    expect(await refusal(wireRequest(bound))).toBe("accepted");
    expect(await refusal({ ...wireRequest(bound), authority: "files.example.com" })).toBe("SIGNATURE_MISMATCH");
  });

  it("binds headers that are asked for, and the absence of Content-Type, Content-MD5 and x-oss-* headers", async () => {
    const md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
    const link = sign({
      method: "PUT",
      headers: { "content-md5": md5, "x-oss-forbid-overwrite": "true", "x-shard": " eu  1 " },
      bind: { contentType: "image/png", contentLength: 9 },
    });
    const request = wireRequest(link);
    const grant = await verifier.verify(request);
    expect(grant.obligations).toEqual([
      { kind: "body-checksum", header: "content-md5", value: md5 },
      { kind: "create-only" },
    ]);
    const overwriting = sign({ method: "PUT", headers: { "x-oss-forbid-overwrite": "false", "x-oss-meta-a": "true" } });
    expect((await verifier.verify(wireRequest(overwriting))).obligations).toEqual([]);
    for (const [name, value] of request.headers) {
      const fewer = request.headers.filter(([other]) => other !== name);
      expect(await refusal({ ...request, headers: fewer }), name).toBe("SIGNATURE_MISMATCH");
      expect(await refusal({ ...request, headers: [...fewer, [name, `${value}x`]] }), name).toBe("SIGNATURE_MISMATCH");
    }
    for (const added of ["content-type", "content-md5", "x-oss-acl", "X-Oss-Copy-Source"]) {
      expect(await refusal({ ...wireRequest(sign()), headers: [[added, "x"]] }), added).toBe("SIGNATURE_MISMATCH");
    }
  });

  it("turns response overrides into an obligation", async () => {
    const link = sign({
      response: { contentDisposition: 'attachment; filename="a & b.txt"', cacheControl: "private" },
    });
    expect((await verifier.verify(wireRequest(link))).obligations).toEqual([
      {
        kind: "response",
        headers: { "content-disposition": 'attachment; filename="a & b.txt"', "cache-control": "private" },
      },
    ]);
  });

  it("carries the security token and requires it", async () => {
    const temporary = { ...credentials, securityToken: "CAIS/+=" };
    const link = ossSigner({ region, credentials: temporary, clock }).sign({
      bucket: "media",
      key: "k",
      expiresIn: 60,
    });
    expect(link.url).toContain("&x-oss-security-token=CAIS%2F%2B%3D");
    const strict = ossVerifier({ credentials: temporary, origins, clock });
    expect((await strict.verify(wireRequest(link))).parameters).toEqual([]);
    expect(await verdictOf(strict.verify(wireRequest(sign())))).toBe("INVALID_TOKEN");
    expect(await refusal(wireRequest(link))).toBe("INVALID_TOKEN");
    const ended = ossVerifier({ credentials: { ...temporary, expiration: now }, origins, clock });
    expect(await verdictOf(ended.verify(wireRequest(link)))).toBe("EXPIRED_TOKEN");
  });

  it("limits regions, and knows cloud boxes", async () => {
    const only = ossVerifier({ credentials, origins, regions: ["cn-beijing"], clock });
    expect(await verdictOf(only.verify(wireRequest(sign())))).toBe("WRONG_SCOPE");
    // One region as a text, which has parts.
    for (const [regions, code] of [
      [region, "accepted"],
      [`${region}-2`, "WRONG_SCOPE"],
    ] as const) {
      const one = ossVerifier({ credentials, origins, regions: regions as never, clock });
      expect(await verdictOf(one.verify(wireRequest(sign())))).toBe(code);
    }
    const box = ossSigner({ region, cloudBoxId: "cb-123", credentials, clock });
    const link = box.sign({ bucket: "media", key: "k", expiresIn: 60 });
    expect((await verifier.verify(wireRequest(link))).region).toBe("cb-123");
  });

  it("refuses what it cannot bind, and names what can", () => {
    const wishes: Partial<Extract<OssSignRequest, ObjectRequest>>[] = [
      { notBefore: now },
      { prefix: "a/" },
      { bind: { ip: "203.0.113.9" } },
      { bind: { sha256: "0".repeat(64) } },
      { bind: { contentLength: { max: 9 } } },
    ];
    for (const wish of wishes)
      expect(() => sign(wish)).toThrow(expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }));
    expect(() => sign({ bind: { ip: "203.0.113.9" } })).toThrow("bucket policy");
  });

  it.each([
    ["a dot segment", { key: "a/../b" }, "DOT_SEGMENTS"],
    ["an empty key", { key: "" }, "INVALID_INPUT"],
    ["a method that is no word", { method: "g et" }, "INVALID_INPUT"],
    ["a parameter of the signer", { query: { "x-oss-Expires": "1" } }, "INVALID_INPUT"],
    ["a parameter twice", { query: { "response-expires": "0" }, response: { expires: "1" } }, "INVALID_INPUT"],
    ["an unknown override", { response: { contentRange: "x" } as object }, "UNSUPPORTED_CONSTRAINT"],
    ["a host header", { headers: { Host: "evil.example" } }, "INVALID_INPUT"],
    ["a header beyond ASCII", { headers: { "x-oss-meta-a": "é" } }, "INVALID_INPUT"],
    ["a life of more than a week", { expiresIn: 604_801 }, "INVALID_EXPIRY"],
    ["half a second", { expiresIn: 0.5 }, "INVALID_EXPIRY"],
    ["half of a surrogate pair", { key: "\ud800" }, "INVALID_INPUT"],
  ])("does not sign %s", (_, wish, code) => {
    expect(() => sign(wish)).toThrow(expect.objectContaining({ code }));
  });

  it("signs a dot segment if asked to", async () => {
    const link = sign({ key: "a/../b", dotSegments: "sign" });
    expect(await verifier.verify(wireRequest(link))).toMatchObject({ key: "a/../b" });
  });

  it("refuses other spellings of the grammar", async () => {
    const request = wireRequest(sign({ query: { versionId: "1" } }));
    const changed = (from: string | RegExp, to: string) =>
      refusal({ ...request, target: request.target.replace(from, to) });
    expect(await changed("OSS4-HMAC-SHA256", "none")).toBe("MALFORMED");
    expect(await changed("aliyun_v4_request", "aws4_request")).toBe("MALFORMED");
    expect(await changed("x-oss-expires=600", "x-oss-expires=0600")).toBe("MALFORMED");
    expect(await changed("x-oss-expires=600", "x-oss-expires=604801")).toBe("MALFORMED");
    expect(await changed("x-oss-date=20261124", "x-oss-date=20261123")).toBe("MALFORMED");
    expect(await changed(/$/, "&versionId=2")).toBe("MALFORMED");
    expect(await changed(/$/, "&versionid=2")).toBe("SIGNATURE_MISMATCH");
    expect(await changed(/$/, "&x-oss-additional-headers=b;a")).toBe("MALFORMED");
    expect(await changed(/$/, "&x-oss-ac-vpc-id=1")).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, headers: [["Authorization", "OSS a:b"]] })).toBe("AMBIGUOUS_AUTHENTICATION");
  });

  it("refuses a URL for a network that it cannot see", async () => {
    const link = sign({ query: { "x-oss-ac-subnet-mask": "32", "x-oss-ac-vpc-id": "vpc-1" } });
    expect(await refusal(wireRequest(link))).toBe("UNENFORCED_CONSTRAINT");
  });

  it("ends with its credentials, by refusing or by clamping", () => {
    const ending = { ...credentials, expiration: new Date(now.getTime() + 60_000) };
    const request = { bucket: "media", key: "k", expiresIn: 600 };
    const refusing = ossSigner({ region, credentials: () => ending, clock });
    expect(() => refusing.sign(request)).toThrow(expect.objectContaining({ code: "CREDENTIALS_EXPIRE_FIRST" }));
    const clamped = ossSigner({ region, credentials: ending, credentialExpiry: "clamp", clock }).sign(request);
    expect(clamped.expiresAt).toEqual(ending.expiration);
  });

  it("gives the same bytes within a stable window", () => {
    const at = (seconds: number) =>
      ossSigner({ region, credentials, clock: () => new Date(now.getTime() + seconds * 1000) }).sign({
        bucket: "media",
        key: "k",
        expiresIn: 600,
        stableWindow: 300,
      });
    expect(at(0).url).toBe(at(299).url);
    expect(at(0).url).not.toBe(at(300).url);
    expect(at(299).expiresAt.getTime() - now.getTime()).toBeGreaterThanOrEqual(899_000);
  });

  it("checks options when it is made", () => {
    const bad = (options: object) => () => ossSigner({ region, credentials, ...options });
    expect(bad({ region: "oss-cn-hangzhou" })).toThrow("cn-hangzhou");
    expect(bad({ endpoint: "oss.example.com" })).toThrow("scheme://host");
    expect(bad({ addressing: "host" })).toThrow("bucket-bound");
    expect(bad({ credentials: { accessKeyId: "a", accesskeySecret: "b" } })).toThrow("credentials.accessKeySecret");
  });
});

describe("OSS V1", () => {
  const v1 = ossV1Signer({ region, credentials, clock });
  const v1Verifier = ossV1Verifier({ credentials, origins, buckets, clock, enforces });
  const v1Refusal = (request: WireRequest) => verdictOf(v1Verifier.verify(request));
  const v1Sign = (extra: Partial<ObjectRequest> = {}) =>
    v1.sign({ bucket: "media", key: "a/b.txt", expiresIn: 600, ...extra });

  it("says what it leaves open", () => {
    const link = v1Sign({ query: { versionId: "1", utm: "x" } });
    expect(link.unbound).toEqual(expect.arrayContaining(["host", "all other query parameters"]));
    expect(link.warnings).toEqual([expect.stringContaining("SHA-1"), expect.stringContaining("utm")]);
    expect(() => v1Sign({ headers: { "x-shard": "1" } })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }),
    );
    expect(() => v1Sign({ bind: { query: { utm: "1" } } })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_CONSTRAINT" }),
    );
  });

  it("refuses parameters that nothing covers unless they are allowed by name", async () => {
    const request = wireRequest(v1Sign());
    const marked = { ...request, target: `${request.target}&utm_source=mail` };
    expect(await v1Refusal(marked)).toBe("UNSIGNED_PARAMETER");
    const lenient = ossV1Verifier({ credentials, origins, clock, allowUnsigned: ["utm_source"] });
    expect(await lenient.verify(marked)).toMatchObject({
      parameters: [],
      unsignedParameters: [["utm_source", "mail"]],
    });
  });

  it("ambiguous concatenation: an object called `a?acl` is not the ACL of the object `a`", async () => {
    expect(() => v1Sign({ key: "a?acl" })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => v1Sign({ response: { contentType: "a&acl" } })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    const acl = wireRequest(v1Sign({ key: "a", query: { acl: "" } }));
    const object = { ...acl, target: acl.target.replace("/a?", "/a%3Facl?").replace("&acl", "") };
    expect(await v1Refusal(object)).toBe("MALFORMED");
    expect(await v1Refusal(wireRequest(v1Sign({ key: "what?.txt" })))).toBe("accepted");
    const override = wireRequest(v1Sign({ response: { contentType: "a", expires: "b" } }));
    const merged = override.target.replace(
      /response-content-type=a&response-expires=b/,
      "response-content-type=a%26response-expires%3Db",
    );
    expect(merged).not.toBe(override.target);
    expect(await v1Refusal({ ...override, target: merged })).toBe("MALFORMED");
  });

  it("binds callbacks, x-oss-* parameters and headers", async () => {
    const callback = btoa(JSON.stringify({ callbackUrl: "https://hooks.example.com", callbackBody: "bucket=media" }));
    const link = v1Sign({
      method: "PUT",
      query: { callback, "x-oss-process": "image/resize,w_100" },
      headers: { "x-oss-meta-a": "1" },
    });
    const request = wireRequest(link);
    expect(await v1Verifier.verify(request)).toMatchObject({
      parameters: [
        ["callback", callback],
        ["x-oss-process", "image/resize,w_100"],
      ],
    });
    expect(await v1Refusal({ ...request, target: request.target.replace("w_100", "w_900") })).toBe(
      "SIGNATURE_MISMATCH",
    );
    expect(await v1Refusal({ ...request, headers: [] })).toBe("SIGNATURE_MISMATCH");
    expect(await v1Refusal({ ...request, headers: [...request.headers, ["x-oss-copy-source", "/b/k"]] })).toBe(
      "SIGNATURE_MISMATCH",
    );
  });

  it("limits the life that is left", async () => {
    const strict = ossV1Verifier({ credentials, origins, clock, maxLife: 599 });
    expect(await verdictOf(strict.verify(wireRequest(v1Sign())))).toBe("KEY_SCOPE");
    expect(() => ossV1Verifier({ credentials, origins, maxLife: 0 })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });

  it("takes no region that is not set for a name, and needs none beside an endpoint", () => {
    const region = undefined as unknown as string;
    expect(() => ossV1Signer({ region, credentials: credentials })).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
    const signer = ossV1Signer({ region, endpoint: "https://oss.example.com", credentials: credentials });
    expect(signer.sign({ bucket: "media", key: "a", expiresIn: 60 }).url).toMatch("https://media.oss.example.com/a?");
  });

  it("is distinguished from V4 by names alone", async () => {
    const both = anyOf(verifier, v1Verifier);
    expect((await both.verify(wireRequest(sign()))).scheme).toBe("oss");
    expect((await both.verify(wireRequest(v1Sign()))).scheme).toBe("oss/v1");
    const request = wireRequest(sign());
    expect(await verdictOf(both.verify({ ...request, target: `${request.target}&OSSAccessKeyId=a` }))).toBe(
      "AMBIGUOUS_AUTHENTICATION",
    );
  });

  it("refuses a key with a line break, as a file of secrets ends with one", () => {
    const read = { ...credentials, accessKeySecret: `${credentials.accessKeySecret}\n` };
    const refused = expect.objectContaining({ code: "INVALID_KEY" });
    expect(() => ossSigner({ region, credentials: read })).toThrow(refused);
    expect(() => ossV1Signer({ region, credentials: read })).toThrow(refused);
    expect(() => ossVerifier({ credentials: read, origins })).toThrow(refused);
  });
});
