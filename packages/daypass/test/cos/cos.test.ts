import type { WireRequest } from "daypass";
import { type CosSignRequest, cosSigner, cosVerifier, type ObjectRequest } from "daypass/cos";
import { describe, expect, it } from "vitest";
import { verdictOf } from "../code-of.ts";
import { wireRequest } from "../wire-request.ts";

const credentials = { secretId: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };
const now = new Date("2026-11-24T12:00:00Z");
const clock = () => now;
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const bucket = "media-1250000000";
const region = "ap-guangzhou";
const origins = ["https://*.cos.ap-guangzhou.myqcloud.com", "https://cos.example.com", "https://files.example.com"];
const buckets = { "https://files.example.com": bucket };
const enforces = ["response", "body-checksum", "create-only"] as const;
const signer = cosSigner({ region, credentials, clock });
const verifier = cosVerifier({ credentials, origins, buckets, enforces, clock });

const sign = (extra: Partial<Extract<CosSignRequest, ObjectRequest>> = {}) =>
  signer.sign({ bucket, key: "a/b.txt", expiresIn: 600, ...extra });
const refusal = (request: WireRequest) => verdictOf(verifier.verify(request));
const changed = (request: WireRequest, from: string | RegExp, to: string) =>
  refusal({ ...request, target: request.target.replace(from, to) });

describe("COS", () => {
  it("carries hostile keys in all three addressings", async () => {
    const endpoints = {
      virtual: undefined,
      path: "https://cos.example.com",
      "bucket-bound": "https://files.example.com",
    };
    for (const [addressing, endpoint] of Object.entries(endpoints)) {
      const styled = cosSigner({ region, endpoint, addressing: addressing as "path", credentials, clock });
      for (const key of ["é/ü +%?#.txt", "/lead", "x//y", "100%.txt", "a%2Fb", "'()!*~", "日本/🚀", "dir/", "a\nb"]) {
        const link = styled.sign({ bucket, key, expiresIn: 600 });
        const grant = await verifier.verify(wireRequest(link));
        expect(grant).toMatchObject({ bucket, key, methods: ["GET"], keyId: "AKIDEXAMPLE" });
        expect(grant.id).toBe(link.id);
      }
      const call = styled.sign({ bucket, resource: "bucket", query: { acl: "" }, expiresIn: 600 });
      expect(await verifier.verify(wireRequest(call))).toMatchObject({ bucket, key: undefined });
    }
  });

  it("host confusion: a URL whose host is open is refused, as it opens the same key in every bucket", async () => {
    const request = wireRequest(sign());
    expect(sign().bound).toContain("host");
    expect(await refusal({ ...request, authority: `other-1.cos.ap-guangzhou.myqcloud.com` })).toBe(
      "SIGNATURE_MISMATCH",
    );
    expect(await changed(request, "q-header-list=host", "q-header-list=")).toBe("UNSIGNED_HEADER");
    expect(await changed(request, "q-header-list=host&", "")).toBe("MALFORMED");
    expect(await changed(request, "q-header-list=host", "q-header-list=range")).toBe("UNSIGNED_HEADER");
  });

  it("reports further parameters as unbound, because COS accepts unlisted parameters", async () => {
    const { unbound, ...link } = sign({ query: { versionId: "v1" } });
    expect(unbound).toEqual([
      "scheme",
      "further query parameters",
      "headers that are not listed",
      "session token",
      "body",
    ]);
    // No part of the signature: this verifier refuses the name.
    expect(await changed(wireRequest({ ...link, unbound }), "?", "?acl=&")).toBe("UNSIGNED_PARAMETER");
  });

  it("binds the start: it is the one constraint of time that most stores cannot hold", async () => {
    const link = sign({ notBefore: later(120.5) });
    expect(link.url).toContain(`q-sign-time=${later(121).getTime() / 1000};${later(600).getTime() / 1000}&`);
    const at = (seconds: number) =>
      verdictOf(cosVerifier({ credentials, origins, clock: () => later(seconds) }).verify(wireRequest(link)));
    expect(await at(120)).toBe("NOT_YET_VALID");
    expect(await at(121)).toBe("accepted");
    expect(await at(600)).toBe("EXPIRED");
    expect(sign({ notBefore: later(-60) }).url).toBe(sign().url);
    expect(() => sign({ notBefore: later(600) })).toThrow(expect.objectContaining({ code: "INVALID_EXPIRY" }));
    for (const notBefore of [new Date(Number.NaN), "2026-01-02", 1_767_323_045] as Date[]) {
      expect(() => sign({ notBefore })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
    const skewed = cosVerifier({ credentials, origins, maxFutureSkew: 121, clock });
    expect(await verdictOf(skewed.verify(wireRequest(link)))).toBe("accepted");
  });

  it("binds headers that are asked for and refuses x-cos-* headers that are not signed", async () => {
    const md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
    const link = sign({
      method: "PUT",
      headers: { "content-md5": md5, "x-cos-forbid-overwrite": "true", "x-shard": " eu  1 " },
      bind: { contentType: "image/png", contentLength: 9 },
    });
    const request = wireRequest(link);
    expect((await verifier.verify(request)).obligations).toEqual([
      { kind: "body-checksum", header: "content-md5", value: md5 },
      { kind: "create-only" },
    ]);
    for (const [name, value] of request.headers) {
      const fewer = request.headers.filter(([other]) => other !== name);
      expect(await refusal({ ...request, headers: fewer }), name).toMatch(/MALFORMED|UNSIGNED_HEADER/);
      expect(await refusal({ ...request, headers: [...fewer, [name, `${value}x`]] }), name).toBe("SIGNATURE_MISMATCH");
      expect(await refusal({ ...request, headers: [...request.headers, [name, value]] }), name).toBe("MALFORMED");
    }
    for (const name of ["x-cos-acl", "X-Cos-Copy-Source", "pic-operations", "x-cos-security-token"]) {
      expect(await refusal({ ...wireRequest(sign()), headers: [[name, "x"]] }), name).toBe("UNSIGNED_HEADER");
    }
    expect(await refusal({ ...wireRequest(sign()), headers: [["content-type", "text/html"]] })).toBe("accepted");
  });

  it("refuses unsigned parameters, and lists that differ from the request", async () => {
    const request = wireRequest(sign({ response: { contentType: "text/plain" }, query: { versionId: "v1" } }));
    expect((await verifier.verify(request)).obligations).toEqual([
      { kind: "response", headers: { "content-type": "text/plain" } },
    ]);
    expect(await changed(request, /$/, "&utm=1")).toBe("UNSIGNED_PARAMETER");
    expect(await changed(request, "&versionId=v1", "")).toBe("MALFORMED");
    expect(await changed(request, ";versionid", "")).toBe("UNSIGNED_PARAMETER");
    expect(await changed(request, ";versionid", ";versionid;versionid")).toBe("MALFORMED");
    expect(await changed(request, "response-content-type;versionid", "versionid;response-content-type")).toBe(
      "accepted",
    );
  });

  it("the case of a parameter's name is not signed, so it is taken in one case only", async () => {
    const request = wireRequest(sign({ response: { contentType: "text/plain" }, query: { versionId: "v1" } }));
    expect(await changed(request, "versionId=v1", "versionid=v1")).toBe("MALFORMED");
    expect(await changed(request, "versionId=v1", "VERSIONID=v1")).toBe("MALFORMED");
    expect(await changed(request, "response-content-type=", "Response-Content-Type=")).toBe("MALFORMED");
    for (const name of ["versionid", "Prefix", "imagemogr2", "imageMogr2/thumbnail/A"]) {
      expect(() => sign({ query: { [name]: "" } }), name).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    }
    const process = sign({ query: { "imageMogr2/thumbnail/200x": "" } });
    expect(process.url).toContain("q-url-param-list=imagemogr2%252fthumbnail%252f200x&");
    expect(await refusal(wireRequest(process))).toBe("accepted");
    expect(await changed(wireRequest(process), "%252fthumbnail%252f", "%2Fthumbnail%2F")).toBe("accepted");
  });

  it("a method in lower case is no other spelling of the signed one", async () => {
    expect(await refusal({ ...wireRequest(sign()), method: "get" })).toBe("MALFORMED");
  });

  it("carries the session token, which COS does not sign, and requires it", async () => {
    const temporary = { ...credentials, sessionToken: "tok/en+=" };
    const link = cosSigner({ region, credentials: temporary, clock }).sign({ bucket, key: "k", expiresIn: 60 });
    expect(link.url).toMatch(/&x-cos-security-token=tok%2Fen%2B%3D$/);
    const strict = cosVerifier({ credentials: temporary, origins, clock });
    expect((await strict.verify(wireRequest(link))).parameters).toEqual([]);
    expect(await verdictOf(strict.verify(wireRequest(sign())))).toBe("INVALID_TOKEN");
    expect(await refusal(wireRequest(link))).toBe("INVALID_TOKEN");
    const other = { ...wireRequest(link), target: wireRequest(link).target.replace("=tok", "=kot") };
    expect(await verdictOf(strict.verify(other))).toBe("INVALID_TOKEN");
  });

  it("refuses other spellings of the grammar", async () => {
    const request = wireRequest(sign());
    expect(await changed(request, "=sha1", "=sha256")).toBe("MALFORMED");
    expect(await changed(request, /q-sign-time=(\d+)/, "q-sign-time=0$1")).toBe("MALFORMED");
    expect(await changed(request, /q-key-time=(\d+);/, "q-key-time=1;")).toBe("MALFORMED");
    expect(await changed(request, /(q-(?:sign|key)-time=\d+);/, "$1%3B")).toBe("accepted");
    expect(await refusal({ ...request, headers: [["authorization", "q-ak=a"]] })).toBe("AMBIGUOUS_AUTHENTICATION");
  });

  it("refuses a lifetime over maxLife", async () => {
    const strict = cosVerifier({ credentials, origins, maxLife: 599, clock });
    expect(await verdictOf(strict.verify(wireRequest(sign())))).toBe("KEY_SCOPE");
  });

  it.each<[string, Partial<Extract<CosSignRequest, ObjectRequest>>, string]>([
    ["a prefix", { prefix: "a/" }, "UNSUPPORTED_CONSTRAINT"],
    ["an address", { bind: { ip: "203.0.113.9" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a SHA-256", { bind: { sha256: "0".repeat(64) } }, "UNSUPPORTED_CONSTRAINT"],
    ["a range of lengths", { bind: { contentLength: { max: 9 } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a dot segment", { key: "a/../b" }, "DOT_SEGMENTS"],
    ["a parameter of the signer", { query: { "q-ak": "1" } }, "INVALID_INPUT"],
    ["no life", { expiresIn: 0 }, "INVALID_EXPIRY"],
  ])("does not bind or carry %s", (_, wish, code) => {
    expect(() => sign(wish)).toThrow(expect.objectContaining({ code }));
  });

  it("says that its one algorithm is weak", () => {
    expect(sign().warnings).toEqual([expect.stringContaining("SHA-1")]);
  });

  it("checks options when it is made", () => {
    expect(() => cosSigner({ credentials })).toThrow("ap-guangzhou");
    // A file of secrets ends with a line break.
    for (const secretKey of ["", `${credentials.secretKey}\n`]) {
      expect(() => cosSigner({ region, credentials: { ...credentials, secretKey } })).toThrow(
        expect.objectContaining({ code: "INVALID_KEY" }),
      );
    }
    expect(() => cosVerifier({ credentials, origins, maxLife: Number.NaN })).toThrow("maxLife");
  });
});
