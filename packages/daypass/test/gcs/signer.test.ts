import { createHmac } from "node:crypto";
import type { ErrorCode } from "daypass";
import { type GcsObjectRequest, gcsHmacSigner, gcsHmacVerifier, gcsSignedTexts, gcsSigner } from "daypass/gcs";
import { describe, expect, it } from "vitest";
import { codeOf } from "../code-of.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { account, hmacKey } from "./account.ts";
import { clock, endpoint, NOW, origins, sign, verifier } from "./fixture.ts";

const parameters = (url: string): URLSearchParams => new URL(url).searchParams;

describe("a GCS signer", () => {
  it("derives the HMAC's key from GOOG4, date, auto, storage and goog4_request", () => {
    const link = sign();
    const { stringToSign } = gcsSignedTexts(wireRequest(link));
    const key = ["20260102", "auto", "storage", "goog4_request"].reduce<string | Buffer>(
      (secret, step) => createHmac("sha256", secret).update(step).digest(),
      `GOOG4${hmacKey.secretAccessKey}`,
    );
    expect(stringToSign.startsWith("GOOG4-HMAC-SHA256\n20260102T030405Z\n20260102/auto/storage/goog4_request\n")).toBe(
      true,
    );
    expect(parameters(link.url).get("X-Goog-Signature")).toBe(
      createHmac("sha256", key).update(stringToSign).digest("hex"),
    );
  });

  it("signs by promise with an account and at once with an HMAC key", async () => {
    const promised = gcsSigner({ credentials: account, clock }).sign({ bucket: "b", object: "o", expiresIn: 1 });
    expect(promised).toBeInstanceOf(Promise);
    expect(parameters((await promised).url).get("X-Goog-Algorithm")).toBe("GOOG4-RSA-SHA256");
    expect(parameters(sign().url).get("X-Goog-Algorithm")).toBe("GOOG4-HMAC-SHA256");
  });

  it("carries hostile object names in all three addressings", async () => {
    const names = ["a b+c", "100%", "a%20b", "q?x=1#y&z", "'()!*", "x//y", "/lead", "dir/", "é/日本/🚀", "tab\tline\n"];
    const styles = [
      { endpoint },
      { endpoint, addressing: "virtual" },
      { endpoint: "https://files.example.com", addressing: "bucket-bound" },
    ] as const;
    for (const style of styles) {
      const { sign: signOne } = gcsHmacSigner({ ...style, credentials: hmacKey, clock });
      for (const object of names) {
        const grant = await verifier.verify(wireRequest(signOne({ bucket: "media", object, expiresIn: 1 })));
        expect([grant.bucket, grant.object]).toEqual(["media", object]);
      }
      const grant = await verifier.verify(wireRequest(signOne({ bucket: "media", resource: "bucket", expiresIn: 1 })));
      expect([grant.bucket, grant.object]).toEqual(["media", undefined]);
    }
  });

  it("takes a bucket with underscores as a host", async () => {
    const { sign: signOne } = gcsHmacSigner({ endpoint, addressing: "virtual", credentials: hmacKey, clock });
    const link = signOne({ bucket: "b_1.c_d", object: "o", expiresIn: 1 });
    expect(new URL(link.url).host).toBe("b_1.c_d.storage.example.com");
    expect((await verifier.verify(wireRequest(link))).bucket).toBe("b_1.c_d");
    expect(codeOf(() => signOne({ bucket: "_b", object: "o", expiresIn: 1 }))).toBe("INVALID_INPUT");
  });

  it("signs the host without the port that its URL has", async () => {
    const link = gcsHmacSigner({ credentials: hmacKey, endpoint: "http://localhost:8080", clock }).sign({
      bucket: "b",
      object: "o",
      expiresIn: 60,
    });
    expect(link.url).toMatch(/^http:\/\/localhost:8080\/b\/o\?/);
    const request = wireRequest(link);
    expect(request.authority).toBe("localhost:8080");
    expect(gcsSignedTexts(request).canonicalRequest).toContain("\nhost:localhost\n");
    await expect(verifier.verify(request)).resolves.toBeDefined();
  });

  it("uses the universe of the key file by default", async () => {
    const credentials = { ...account, universe_domain: "apis.example" };
    const request = { bucket: "b", object: "o", expiresIn: 60 };
    expect((await gcsSigner({ credentials, clock }).sign(request)).url).toMatch(
      /^https:\/\/storage\.apis\.example\/b\/o/,
    );
    const virtual = gcsSigner({ credentials, addressing: "virtual", universeDomain: "domain.com", clock });
    expect((await virtual.sign(request)).url).toMatch(/^https:\/\/b\.storage\.domain\.com\/o/);
  });

  it("binds lengths, a digest, a type and headers, and lists them", async () => {
    const sha256 = "0".repeat(64);
    const link = sign({
      method: "PUT",
      bind: { contentType: "image/png", contentLength: { max: 10 }, sha256 },
      headers: { "X-Goog-If-Generation-Match": "0", "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" },
    });
    expect(link.headers).toEqual({
      "content-type": "image/png",
      "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==",
      "x-goog-content-length-range": "0,10",
      "x-goog-content-sha256": sha256,
      "x-goog-if-generation-match": "0",
    });
    expect(link.bound).toContain("header x-goog-content-length-range");
    expect(link.unbound).not.toContain("body");
    const { obligations } = await verifier.verify(wireRequest(link));
    expect(obligations).toEqual(
      expect.arrayContaining([
        { kind: "body-checksum", header: "content-md5", value: "1B2M2Y8AsgTpgAmY7PhCfg==" },
        { kind: "body-length", min: 0, max: 10 },
        { kind: "body-sha256", sha256 },
        { kind: "create-only" },
      ]),
    );
    expect(sign({ method: "PUT", bind: { contentLength: 7 } }).headers).toEqual({ "content-length": "7" });
  });

  it("sets the two response headers that Cloud Storage can set, as an obligation", async () => {
    const response = { contentDisposition: 'attachment; filename="ü.txt"', contentType: "text/plain" };
    const { obligations } = await verifier.verify(wireRequest(sign({ response })));
    expect(obligations).toEqual([
      {
        kind: "response",
        headers: { "content-disposition": response.contentDisposition, "content-type": "text/plain" },
      },
    ]);
  });

  it("holds a URL back until notBefore, with the leeway that Google gives", async () => {
    const notBefore = new Date("2026-01-02T04:00:00.500Z");
    const link = sign({ notBefore, expiresIn: 7200 });
    expect(parameters(link.url).get("X-Goog-Date")).toBe("20260102T041501Z");
    expect(link.expiresAt).toEqual(new Date(NOW.getTime() + 7_200_000));
    const at = (time: string): Promise<unknown> =>
      gcsHmacVerifier({ keys: hmacKey, origins, clock: () => new Date(time) }).verify(wireRequest(link));
    await expectRefusal(at("2026-01-02T04:00:00Z"), "NOT_YET_VALID");
    await expect(at("2026-01-02T04:00:01Z")).resolves.toBeDefined();
    await expect(at("2026-01-02T05:04:04Z")).resolves.toBeDefined();
    await expectRefusal(at("2026-01-02T05:04:05Z"), "EXPIRED");
    expect(codeOf(() => sign({ notBefore: NOW, expiresIn: 900 }))).toBe("INVALID_EXPIRY");
    for (const notBefore of [new Date(Number.NaN), "2026-01-02", 1_767_323_045] as Date[]) {
      expect(codeOf(() => sign({ notBefore }))).toBe("INVALID_INPUT");
    }
    // A clock that tests have set back knows no earlier time than its own.
    const early = gcsHmacSigner({ credentials: hmacKey, endpoint, clock: () => new Date(60_000) });
    const { url } = early.sign({ bucket: "media", resource: "bucket", expiresIn: 600 });
    expect(parameters(url).get("X-Goog-Date")).toBe("19700101T000100Z");
    expect(parameters(url).get("X-Goog-Expires")).toBe("600");
    const past = sign({ notBefore: new Date("2025-01-01T00:00:00Z") });
    expect(parameters(past.url).get("X-Goog-Date")).toBe("20260102T030405Z");
  });

  it("gives the same bytes within a stable window, and each URL its life", () => {
    const at = (seconds: number) =>
      gcsHmacSigner({ credentials: hmacKey, clock: () => new Date(NOW.getTime() + seconds * 1000) }).sign({
        bucket: "b",
        object: "o",
        expiresIn: 600,
        stableWindow: 300,
      });
    expect(at(60).url).toBe(at(290).url);
    expect(parameters(at(60).url).get("X-Goog-Expires")).toBe("900");
  });

  it("lives for 1 to 604800 seconds", () => {
    for (const expiresIn of [1, 604_800]) expect(codeOf(() => sign({ expiresIn }))).toBeUndefined();
    for (const expiresIn of [0, -1, 1.5, 604_801, Number.NaN, NOW.getTime()]) {
      expect(codeOf(() => sign({ expiresIn }))).toBe("INVALID_EXPIRY");
    }
  });

  it.each<[string, Partial<GcsObjectRequest>, ErrorCode]>([
    ["a prefix", { prefix: "a/" }, "UNSUPPORTED_CONSTRAINT"],
    ["addresses", { bind: { ip: "203.0.113.0/24" } }, "UNSUPPORTED_CONSTRAINT"],
    ["an override that Google ignores", { response: { cacheControl: "no-store" } }, "UNSUPPORTED_CONSTRAINT"],
    [
      "a range that ends before it begins",
      { method: "PUT", bind: { contentLength: { min: 2, max: 1 } } },
      "INVALID_INPUT",
    ],
    ["a range of half bytes", { method: "PUT", bind: { contentLength: { max: 1.5 } } }, "INVALID_INPUT"],
    ["a digest in capitals", { bind: { sha256: "A".repeat(64) } }, "INVALID_INPUT"],
    [
      "two values for one header",
      { headers: { "X-Goog-Hash": "a" }, bind: { headers: { "x-goog-hash": "b" } } },
      "INVALID_INPUT",
    ],
    ["a host header", { headers: { Host: "evil.example.com" } }, "INVALID_INPUT"],
    ["a header beyond ASCII", { headers: { "x-goog-meta-a": "ü" } }, "INVALID_INPUT"],
    ["a header with a line break", { headers: { "x-goog-meta-a": "a\r\nb: c" } }, "INVALID_INPUT"],
    ["a parameter of the signer's own", { query: { "x-goog-expires": "9" } }, "INVALID_INPUT"],
    ["an empty object name", { object: "" }, "INVALID_INPUT"],
    ["dot segments", { object: "a/../b" }, "DOT_SEGMENTS"],
    ["a final dot segment", { object: "a/.." }, "DOT_SEGMENTS"],
    ["a bucket with a slash", { bucket: "a/b" }, "INVALID_INPUT"],
    ["a method that is no word", { method: "g et" }, "INVALID_INPUT"],
    ["half of a surrogate pair", { object: "\ud834" }, "INVALID_INPUT"],
    ["no lifetime", { expiresIn: undefined }, "INVALID_INPUT"],
  ])("refuses %s", (_, extra, code) => {
    expect(codeOf(() => sign(extra))).toBe(code);
  });

  it("signs dot segments if asked to, and the verifier reads them raw", async () => {
    const request = wireRequest(sign({ object: "a/../b", dotSegments: "sign" }));
    expect((await verifier.verify(request)).object).toBe("a/../b");
  });

  it("refuses credentials that cannot sign, without showing them", async () => {
    for (const credentials of [
      { ...account, private_key: "hunter2" },
      { ...account, client_email: "hunter2" },
      { ...account, client_email: undefined as unknown as string },
      { ...account, client_email: "a/b@example.com" },
    ]) {
      const error = await (async () => gcsSigner({ credentials }))().catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ code: "INVALID_KEY" });
      expect(String(error)).not.toContain("hunter2");
    }
    for (const part of ["accessKeyId", "secretAccessKey"] as const) {
      expect(codeOf(() => gcsHmacSigner({ credentials: { ...hmacKey, [part]: "" } }))).toBe("INVALID_KEY");
    }
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, addressing: "bucket-bound" }))).toBe("INVALID_INPUT");
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, endpoint: "storage.example.com" }))).toBe(
      "INVALID_INPUT",
    );
    expect(codeOf(() => gcsHmacSigner({ credentials: hmacKey, addressing: "host" as "path" }))).toBe("INVALID_INPUT");
  });

  it("signs many in order, a bad one in its place", async () => {
    const requests = Array.from({ length: 40 }, (_, i) => ({
      bucket: "b",
      object: i === 7 ? ".." : `${i}`,
      expiresIn: 60,
    }));
    const paths: (string | undefined)[] = [];
    for await (const item of gcsSigner({ credentials: account, clock }).signMany(requests)) {
      paths.push("error" in item ? undefined : new URL(item.url).pathname);
    }
    expect(paths).toEqual(requests.map(({ object }) => (object === ".." ? undefined : `/b/${object}`)));
  });
});
