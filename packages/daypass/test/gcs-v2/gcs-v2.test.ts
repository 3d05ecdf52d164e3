import { createHmac, createSign } from "node:crypto";
import { anyOf, type ErrorCode, type WireRequest } from "daypass";
import { type GcsObjectRequest, type GcsSignRequest, gcsSigner, gcsVerifier } from "daypass/gcs";
import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2SignedTexts, gcsV2Signer, gcsV2Verifier } from "daypass/gcs/v2";
import { describe, expect, it } from "vitest";
import { codeOf } from "../code-of.ts";
import { account, foreignKey, hmacKey, publicAccount } from "../gcs/account.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const END = NOW.getTime() / 1000 + 600;
const clock = () => NOW;
const endpoint = "https://storage.example.com";
const origins = [endpoint, "https://*.storage.example.com", "https://files.example.com"];
const buckets = { "https://files.example.com": "media" };
const enforces = ["body-checksum", "body-length", "create-only"] as const;
const common = { origins, buckets, clock, enforces };
const signer = gcsV2HmacSigner({ credentials: hmacKey, endpoint, clock });
const verifier = anyOf(
  gcsV2Verifier({ keys: publicAccount, ...common }),
  gcsV2HmacVerifier({ keys: hmacKey, ...common }),
);

const sign = (extra: Partial<GcsObjectRequest> = {}) =>
  signer.sign({ bucket: "media", object: "a/b.txt", expiresIn: 600, ...extra });
const signatureOf = (url: string): string | null => new URL(url).searchParams.get("Signature");

describe("a GCS V2 signer", () => {
  // The text and the two algorithms come from https://cloud.google.com/storage/docs/access-control/signed-urls-v2
  it("signs method, MD5, type, end, extension headers and resource, a line each", async () => {
    const request: GcsSignRequest = {
      bucket: "media",
      object: "a b/ü.txt",
      method: "PUT",
      expiresIn: 600,
      bind: { contentType: "text/plain" },
      headers: {
        "Content-MD5": "rmYdCNHKFXam78uCt7xQLw==",
        "x-goog-meta-foo": "bar,  baz",
        "X-Goog-ACL": "public-read",
      },
    };
    const text =
      `PUT\nrmYdCNHKFXam78uCt7xQLw==\ntext/plain\n${END}\n` +
      "x-goog-acl:public-read\nx-goog-meta-foo:bar, baz\n/media/a%20b/%C3%BC.txt";
    const link = sign(request);
    expect(gcsV2SignedTexts(wireRequest(link), "").stringToSign).toBe(text);
    expect(signatureOf(link.url)).toBe(createHmac("sha1", hmacKey.secretAccessKey).update(text).digest("base64"));
    const byAccount = await gcsV2Signer({ credentials: account, endpoint, clock }).sign(request);
    expect(signatureOf(byAccount.url)).toBe(createSign("sha256").update(text).sign(account.private_key, "base64"));
    expect(byAccount.id).toBe(link.id);
    const grant = await verifier.verify(wireRequest(byAccount));
    expect(grant).toMatchObject({ bucket: "media", object: "a b/ü.txt", keyId: account.client_email });
    expect(grant.notBefore).toEqual(new Date(0));
  });

  it("signs the path of path style in every addressing", async () => {
    const styles = [
      { endpoint },
      { endpoint, addressing: "virtual" },
      { endpoint: "https://files.example.com", addressing: "bucket-bound" },
    ] as const;
    for (const style of styles) {
      const { sign: signOne } = gcsV2HmacSigner({ ...style, credentials: hmacKey, clock });
      for (const object of ["a b+c", "100%", "q?x=1#y&z", "'()!*", "x//y", "/lead", "é/日本/🚀"]) {
        const link = signOne({ bucket: "media", object, expiresIn: 600 });
        const grant = await verifier.verify(wireRequest(link));
        expect([grant.bucket, grant.object]).toEqual(["media", object]);
        expect(signatureOf(link.url)).toBe(signatureOf(sign({ object }).url));
      }
      const listing = wireRequest(
        signOne({ bucket: "media", resource: "bucket", expiresIn: 600, query: { cors: "" } }),
      );
      expect((await verifier.verify(listing)).parameters).toEqual([["cors", ""]]);
      await expectRefusal(
        verifier.verify({ ...listing, target: listing.target.replace("cors", "acl") }),
        "SIGNATURE_MISMATCH",
      );
    }
  });

  it("says what it leaves open, and warns of parameters that it does not cover", () => {
    const link = sign({
      query: { generation: "7", acl: "", "response-content-disposition": 'attachment; filename="a.txt"' },
    });
    expect(link.unbound.join()).toMatch(/scheme.*host.*query parameters.*response headers.*body/);
    expect(link.bound).toContain("subresource");
    expect(link.warnings).toEqual([
      expect.stringContaining("legacy"),
      "the parameter generation is not signed",
      "the parameter response-content-disposition is not signed",
    ]);
    expect(link.url).toMatch(
      /\?acl&GoogleAccessId=GOOG1EXAMPLE&Expires=\d+&Signature=[^&]+&generation=7&response-content/,
    );
  });

  it("limits lengths by Google's own header, as no Content-Length is signed", async () => {
    expect(sign({ method: "PUT", bind: { contentLength: 7 } }).headers).toEqual({
      "x-goog-content-length-range": "7,7",
    });
    const link = sign({
      method: "PUT",
      bind: { contentLength: { max: 9 } },
      headers: { "x-goog-if-generation-match": "0" },
    });
    const { obligations } = await verifier.verify(wireRequest(link));
    expect(obligations).toEqual([{ kind: "create-only" }, { kind: "body-length", min: 0, max: 9 }]);
  });

  it("accepts a lifetime up to a century, which milliseconds would exceed", () => {
    expect(codeOf(() => sign({ expiresIn: 10 * 365 * 86_400 }))).toBeUndefined();
    expect(codeOf(() => sign({ expiresIn: NOW.getTime() }))).toBe("INVALID_EXPIRY");
    expect(codeOf(() => sign({ expiresIn: 0 }))).toBe("INVALID_EXPIRY");
  });

  it.each<[string, Partial<GcsObjectRequest>, ErrorCode]>([
    ["a start", { notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
    ["a prefix", { prefix: "a/" }, "UNSUPPORTED_CONSTRAINT"],
    ["addresses", { bind: { ip: "203.0.113.0/24" } }, "UNSUPPORTED_CONSTRAINT"],
    ["a digest", { bind: { sha256: "0".repeat(64) } }, "UNSUPPORTED_CONSTRAINT"],
    ["a bound parameter", { bind: { query: { generation: "7" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a bound header that it does not sign", { bind: { headers: { range: "bytes=0-9" } } }, "UNSUPPORTED_CONSTRAINT"],
    ["a customer's encryption key", { headers: { "x-goog-encryption-key": "k" } }, "UNSUPPORTED_CONSTRAINT"],
    ["an override, which it does not sign", { response: { contentType: "text/plain" } }, "UNSUPPORTED_CONSTRAINT"],
    ["two subresources", { query: { acl: "", cors: "" } }, "INVALID_INPUT"],
    ["a subresource with a value", { query: { acl: "x" } }, "INVALID_INPUT"],
    ["a parameter of the signer's own", { query: { expires: "9" } }, "INVALID_INPUT"],
    ["dot segments", { object: "a/../b" }, "DOT_SEGMENTS"],
  ])("refuses %s", (_, extra, code) => {
    expect(codeOf(() => sign(extra))).toBe(code);
  });
});

describe("a GCS V2 verifier", () => {
  // A search that starts again at each name would exceed the timeout.
  it("detects a long target of repeated names in linear time", () => {
    const target = `/?${"?GoogleAccessId=".repeat(200_000)}`;
    expect(verifier.detects({ ...wireRequest(sign()), target })).toBe(true);
  });

  const put = (extra: Partial<GcsObjectRequest> = {}): WireRequest => wireRequest(sign({ method: "PUT", ...extra }));
  const withHeader = (request: WireRequest, name: string, value: string): WireRequest => ({
    ...request,
    headers: [...request.headers, [name, value]],
  });
  const withQuery = (request: WireRequest, text: string): WireRequest => ({
    ...request,
    target: request.target + text,
  });

  it.each([
    ["x-goog-copy-source", "/private/secret", "SIGNATURE_MISMATCH"],
    ["X-Goog-Acl", "public-read", "SIGNATURE_MISMATCH"],
    ["content-type", "text/html", "SIGNATURE_MISMATCH"],
    ["content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "SIGNATURE_MISMATCH"],
    ["x-goog-encryption-key", "k", "UNSIGNED_HEADER"],
    ["x-goog-encryption-key-sha256", "k", "UNSIGNED_HEADER"],
    ["x-amz-copy-source", "/private/secret", "UNSIGNED_HEADER"],
    ["authorization", "Bearer x", "AMBIGUOUS_AUTHENTICATION"],
  ] as const)("refuses the added header %s", async (name, value, code) => {
    await expectRefusal(verifier.verify(withHeader(put(), name, value)), code);
  });

  it.each(["content-type", "content-md5"])("refuses two of the header %s", async (name) => {
    await expectRefusal(verifier.verify(withHeader(withHeader(put(), name, "a"), name, "a")), "MALFORMED");
  });

  it("refuses every parameter that V2 does not sign, unless it is let through by name", async () => {
    const request = withQuery(wireRequest(sign()), "&generation=1");
    await expectRefusal(verifier.verify(request), "UNSIGNED_PARAMETER");
    const lax = gcsV2HmacVerifier({ keys: hmacKey, ...common, allowUnsigned: ["generation"] });
    const grant = await lax.verify(request);
    expect([grant.parameters, grant.unsignedParameters]).toEqual([[], [["generation", "1"]]]);
    await expectRefusal(lax.verify(withQuery(request, "&uploads=")), "UNSIGNED_PARAMETER");
    for (const name of ["acl2", "my-acl", "website2", "ACL"])
      await expectRefusal(lax.verify(withQuery(wireRequest(sign()), `&${name}`)), "UNSIGNED_PARAMETER");
    await expectRefusal(lax.verify(withQuery(wireRequest(sign()), "&acl")), "SIGNATURE_MISMATCH");
    await expectRefusal(lax.verify(withQuery(wireRequest(sign()), "&acl=1")), "MALFORMED");
    await expectRefusal(lax.verify(withQuery(wireRequest(sign()), "&acl&cors")), "MALFORMED");
  });

  it("refuses a bucket or path in another spelling, as V2 signs them as sent", async () => {
    const request = wireRequest(sign());
    await expectRefusal(
      verifier.verify({ ...request, target: request.target.replace("b.txt", "%62.txt") }),
      "SIGNATURE_MISMATCH",
    );
  });

  it("opens a resource at any of its origins, as V2 signs no host", async () => {
    const request = wireRequest(sign());
    const virtual = {
      ...request,
      authority: "media.storage.example.com",
      target: request.target.replace("/media/", "/"),
    };
    await expect(verifier.verify(virtual)).resolves.toMatchObject({ bucket: "media", object: "a/b.txt" });
    await expectRefusal(verifier.verify({ ...virtual, authority: "other.storage.example.com" }), "SIGNATURE_MISMATCH");
  });

  it("refuses a lifetime over maxLife", async () => {
    const short = gcsV2HmacVerifier({ keys: hmacKey, ...common, maxLife: 599 });
    await expectRefusal(short.verify(wireRequest(sign())), "KEY_SCOPE");
    await expect(short.verify(wireRequest(sign({ expiresIn: 599 })))).resolves.toBeDefined();
    for (const maxLife of [0, -1, Number.NaN]) {
      expect(codeOf(() => gcsV2HmacVerifier({ keys: hmacKey, ...common, maxLife }))).toBe("INVALID_INPUT");
    }
  });

  it("chooses the algorithm by the kind of key", async () => {
    const secretAccessKey = publicAccount.public_key.replace(/\s/g, "");
    const confused = gcsV2HmacSigner({
      credentials: { accessKeyId: account.client_email, secretAccessKey },
      endpoint,
      clock,
    });
    const request = wireRequest(confused.sign({ bucket: "media", object: "a", expiresIn: 600 }));
    await expectRefusal(verifier.verify(request), "SIGNATURE_MISMATCH");
  });

  it("accepts any of an account's keys", async () => {
    const keys = [{ ...publicAccount, public_key: foreignKey }, publicAccount];
    const link = await gcsV2Signer({ credentials: account, endpoint, clock }).sign({
      bucket: "media",
      object: "a",
      expiresIn: 600,
    });
    await expect(gcsV2Verifier({ keys, ...common }).verify(wireRequest(link))).resolves.toBeDefined();
  });

  it("reads no V4 URLs, and the V4 verifier reads no V2 URLs", async () => {
    const v4 = gcsVerifier({ keys: publicAccount, origins, clock });
    const link = await gcsSigner({ credentials: account, endpoint, clock }).sign({
      bucket: "b",
      object: "o",
      expiresIn: 9,
    });
    expect([v4.detects(wireRequest(sign())), verifier.detects(wireRequest(link))]).toEqual([false, false]);
    const both = withQuery(wireRequest(link), sign().url.replace(/^.*\?/, "&"));
    await expectRefusal(anyOf(v4, verifier).verify(both), "AMBIGUOUS_AUTHENTICATION");
    await expectRefusal(verifier.verify(both), "UNSIGNED_PARAMETER");
  });

  it("refuses obligations that its caller does not enforce", async () => {
    const lax = gcsV2HmacVerifier({ keys: hmacKey, origins, clock });
    for (const extra of [
      { bind: { contentLength: 5 } },
      { headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" } },
      { headers: { "x-goog-hash": "crc32c=AAAAAA==" } },
      { headers: { "x-goog-if-generation-match": "0" } },
    ]) {
      await expectRefusal(lax.verify(put(extra)), "UNENFORCED_CONSTRAINT");
    }
  });
});
