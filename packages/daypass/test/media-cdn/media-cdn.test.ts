import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import {
  type MediaCdnVerifierOptions,
  mediaCdnCookieSigner,
  mediaCdnSigner,
  mediaCdnVerifier,
} from "../../src/schemes/media-cdn/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const publicOf = (privateKey: string): string => {
  const der = Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from(privateKey, "base64url"),
  ]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64url");
};
// https://github.com/GoogleCloudPlatform/python-docs-samples/blob/main/media_cdn/snippets_test.py (commit 1573817)
const SAMPLE_KEY = "BxwXXNjeGaoWqjr7GHEymRJkP4SaOC12dTGixk7Yr8I=";
const signing = { keyName: "my-key", privateKey: SAMPLE_KEY };
const key = { keyName: "my-key", publicKey: publicOf(SAMPLE_KEY) };
// RFC 8032 section 7.1, test 1.
const _foreign = { keyName: "my-key", publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
const origins = ["https://media.example.com"];

describe("Google's samples", () => {
  const THEN = new Date("2022-04-01T00:00:00Z");
  const expiresAt = new Date(1650848400_000);
  const signer = mediaCdnSigner({ ...signing, padded: true, clock: () => THEN });
  const verifier = (origin: string): Verifier =>
    mediaCdnVerifier({
      keys: key,
      origins: [origin],
      padded: true,
      allowUnsigned: ["some", "another"],
      clock: () => THEN,
    });

  it.each([
    [
      "http://35.186.234.33/index.html",
      "?Expires=1650848400&KeyName=my-key&Signature=16-oE9GZ5U9S_LYrW8RplZhvMfI7RGtGRY0C-Ahh6YAwiJ0UaEi6rQuPxfm6R-cBPfs8MwRGiu2fAoS1JOoKCA==",
    ],
    [
      "http://www.example.com/some/path?some=query&another=param",
      "&Expires=1650848400&KeyName=my-key&Signature=Li_D6rxUh1Kj54JbmUuAms2wmjJHJUcMXJHgYxjL4LqYH02wSX-4gCayXgklNSDpfBfSHnbdC_wvcdyXvADGDw==",
    ],
  ])("%s is signed and accepted", async (url, rest) => {
    const link = await signer.sign({ url, expiresAt });
    expect(link.url).toBe(url + rest);
    expect(await outcome(verifier(url.replace(/^(http:\/\/[^/]+).*$/, "$1")), get(link.url))).toBe("accepted");
  });

  it("a prefix is signed and accepted", async () => {
    const url = "http://www.example.com/some/path?some=query&another=param";
    const link = await signer.sign({ url, prefix: "/some/", expiresAt });
    expect(link.url).toBe(
      `${url}&URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9zb21lLw==&Expires=1650848400&KeyName=my-key&Signature=pVN8HKc6Be-PDczd9NjqSui3HHaoCLUN5iDv6JhQ77uKigsCih6z_cMTGjeXhgGASh1zr-ZPrOnxWJxxGWxsBg==`,
    );
    expect(await outcome(verifier("http://www.example.com"), get(link.url))).toBe("accepted");
  });

  it("a cookie is signed and accepted", async () => {
    const { cookies } = await mediaCdnCookieSigner({ ...signing, padded: true, clock: () => THEN }).sign({
      url: "http://www.example.com/foo/",
      expiresAt,
    });
    expect(cookies).toEqual({
      "Edge-Cache-Cookie":
        "URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9mb28v:Expires=1650848400:KeyName=my-key:Signature=I0BnupL1tKbXklf1rK50nlC9JMh4HBLogTKByatOFRvALofT159BegB26Z2WmrI-ZAgAp8Q-1__bWtFdMAqCAA==",
    });
    const headers = [["cookie", `Edge-Cache-Cookie=${cookies["Edge-Cache-Cookie"]}`]] as const;
    expect(await outcome(verifier("http://www.example.com"), get("http://www.example.com/foo/x", { headers }))).toBe(
      "accepted",
    );
  });

  // media_cdn/dualtoken_test.py (commit 145a68f), whose key is the shared secret of the others.
  it("a signature in the path is signed and accepted", async () => {
    const privateKey = "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=";
    const link = await mediaCdnSigner({ keyName: "test-key", privateKey, padded: true, clock: () => THEN }).sign({
      url: "https://example.com/test-filename",
      prefix: "/",
      place: "path",
      expiresAt: new Date(1663070400_000),
    });
    expect(link.url).toBe(
      "https://example.com/edge-cache-token=Expires=1663070400&KeyName=test-key&Signature=2hvmMKXW_e0bY3ViJNDSgoXDGvNj2L-UYTseTgtj96Va0S4FYxehka1k4hzWo2_87B9zqr_Ne4MMEdRfHUMUBw==/test-filename",
    );
    const accepting = mediaCdnVerifier({
      keys: { keyName: "test-key", publicKey: publicOf(privateKey) },
      origins: ["https://example.com"],
      padded: true,
      clock: () => THEN,
    });
    const grant = await accepting.verify(get(link.url));
    expect(grant).toMatchObject({ path: "/test-filename", target: "/test-filename", prefix: "https://example.com/" });
  });
});

const verifier = (options: Partial<MediaCdnVerifierOptions> = {}): Verifier =>
  mediaCdnVerifier({ keys: key, origins, clock, ...options });

describe("a signature in the path", () => {
  const made = mediaCdnSigner({ ...signing, clock }).sign({
    url: "https://media.example.com/hls/1/a.m3u8",
    prefix: "/hls/1/",
    place: "path",
    expiresIn: 60,
  });

  it.each([
    ["/a.m3u8", "/b/c.ts", "accepted"],
    ["/a.m3u8", "/../x", "MALFORMED"],
    ["/a.m3u8", "/%2e%2e/x", "MALFORMED"],
    ["/a.m3u8", "/edge-cache-token=x/y", "MALFORMED"],
    ["/hls/1/", "/hls/2/", "SIGNATURE_MISMATCH"],
    ["/hls/1/", "/", "SIGNATURE_MISMATCH"],
    ["Expires=", "Expires=1", "SIGNATURE_MISMATCH"],
    ["&KeyName", "&X=1&KeyName", "MALFORMED"],
  ])("with %s replaced by %s: %s", async (from, to, expected) => {
    const { url } = await made;
    expect(await outcome(verifier(), get(url))).toBe("accepted");
    expect(await outcome(verifier(), get(url.replace(from, to)))).toBe(expected);
  });
});

it("refuses parameters that would bind more than is understood", async () => {
  for (const name of ["IPRanges", "HeaderName", "HeaderValue", "Starts"]) {
    const { url } = await mediaCdnSigner({ ...signing, clock }).sign({
      url: `https://media.example.com/a?${name}=MTAuMC4wLjAvOA`,
      expiresIn: 60,
    });
    expect(await outcome(verifier(), get(url))).toBe("MALFORMED");
  }
});

it("accepts one spelling of the signature, padded or not", async () => {
  const { url } = await mediaCdnSigner({ ...signing, clock }).sign({
    url: "https://media.example.com/a",
    expiresIn: 60,
  });
  expect(await outcome(verifier(), get(url))).toBe("accepted");
  expect(await outcome(verifier(), get(`${url}==`))).toBe("MALFORMED");
  expect(await outcome(verifier({ padded: true }), get(url))).toBe("MALFORMED");
  expect(await outcome(verifier({ padded: true }), get(`${url}==`))).toBe("accepted");
});

it.each([
  [{ place: "path" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ prefix: "/", bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
])("refuses to sign %j with %s", async (wish, code) => {
  const request = { url: "https://media.example.com/a", expiresIn: 60, ...wish };
  await expect(mediaCdnSigner({ ...signing, clock }).sign(request as never)).rejects.toMatchObject({ code });
});

it("refuses keys of another length, and public keys of small order", () => {
  expect(() => mediaCdnSigner({ ...signing, privateKey: "AAAA" })).toThrowError(
    expect.objectContaining({ code: "INVALID_KEY" }),
  );
  // A variable that is not set must not become a name.
  expect(() => mediaCdnSigner({ ...signing, keyName: undefined as unknown as string })).toThrowError(
    expect.objectContaining({ code: "INVALID_KEY" }),
  );
  for (const publicKey of ["AAAA", "A".repeat(43), `AQ${"A".repeat(41)}`]) {
    expect(() => mediaCdnVerifier({ keys: { ...key, publicKey }, origins })).toThrowError(
      expect.objectContaining({ code: "INVALID_KEY" }),
    );
  }
});
