import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import {
  type CloudCdnVerifierOptions,
  cloudCdnCookieSigner,
  cloudCdnSigner,
  cloudCdnVerifier,
} from "../../src/schemes/cloud-cdn/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const key = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const _foreign = { keyName: "my-key", key: "AAAAAAAAAAAAAAAAAAAAAA" };
const origins = ["https://media.example.com"];
const url = "https://media.example.com/some/a%20b.png?w=1&w=2";

// https://github.com/GoogleCloudPlatform/python-docs-samples/blob/main/cdn/snippets_test.py (commit 522d018) and
// https://github.com/GoogleCloudPlatform/golang-samples/blob/main/cdn/signurl (the first two).
const published = [
  ["https://www.google.com/", 1549751401, "Expires=1549751401&KeyName=my-key&Signature=M_QO7BGHi2sGqrJO-MDr0uhDFuc="],
  [
    "https://www.example.com/some/path?some=query&another=param",
    1549751461,
    "Expires=1549751461&KeyName=my-key&Signature=sTqqGX5hUJmlRJ84koAIhWW_c3M=",
  ],
  [
    "http://35.186.234.33/index.html",
    1558131350,
    "Expires=1558131350&KeyName=my-key&Signature=fm6JZSmKNsB5sys8VGr-JE4LiiE=",
  ],
  ["http://www.example.com/", 1549751401, "Expires=1549751401&KeyName=my-key&Signature=OqDUFfHpN5Vxga6r80bhsgxKves="],
] as const;
const publishedPrefixes = [
  [
    "http://35.186.234.33/index.html",
    "/",
    "URLPrefix=aHR0cDovLzM1LjE4Ni4yMzQuMzMv&Expires=1549751401&KeyName=my-key&Signature=j7HYgoQ8dIOVsW3Rw4cpkjWfRMA=",
  ],
  [
    "http://www.example.com/some/path?some=query&another=param",
    "/some/",
    "URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9zb21lLw==&Expires=1549751401&KeyName=my-key&Signature=3th4ThmpS95I1TAKYyYSCSq3dnQ=",
  ],
] as const;
const originOf = (text: string): string => text.replace(/^(https?:\/\/[^/]+).*$/, "$1");

describe("Google's samples", () => {
  const THEN = new Date("2019-01-01T00:00:00Z");
  const signer = cloudCdnSigner({ ...key, clock: () => THEN });

  it.each(published)("%s is signed and accepted", async (exact, expires, tokens) => {
    const link = signer.sign({ url: exact, expiresAt: new Date(expires * 1000) });
    expect(link.url).toBe(`${exact}${exact.includes("?") ? "&" : "?"}${tokens}`);
    const verifier = cloudCdnVerifier({ keys: key, origins: [originOf(exact)], clock: () => THEN });
    expect(await verifier.verify(get(link.url))).toMatchObject({ keyId: "my-key", prefix: undefined });
  });

  it.each(publishedPrefixes)("%s below %s is signed and accepted", async (exact, prefix, tokens) => {
    const link = signer.sign({ url: exact, prefix, expiresAt: new Date(1549751401_000) });
    expect(link.url).toBe(`${exact}${exact.includes("?") ? "&" : "?"}${tokens}`);
    const verifier = cloudCdnVerifier({
      keys: key,
      origins: [originOf(exact)],
      allowUnsigned: ["some", "another"],
      clock: () => THEN,
    });
    expect(await verifier.verify(get(link.url))).toMatchObject({ prefix: `${originOf(exact)}${prefix}` });
  });

  it("a cookie is for a prefix of the URL where one is given", () => {
    const signer = cloudCdnCookieSigner({ ...key, clock: () => THEN });
    const whole = signer.sign({ url: "https://media.example.com/hls/", expiresIn: 60 });
    const url = "https://media.example.com/hls/clip/1.ts";
    expect(signer.sign({ url, prefix: "/hls/", expiresIn: 60 }).cookies).toEqual(whole.cookies);
    expect(() => signer.sign({ url, prefix: "/other/", expiresIn: 60 })).toThrow(/prefix/);
    expect(() => signer.sign({ url, expiresIn: 60 })).toThrow(/prefix/);
  });

  it("a cookie is signed and accepted", async () => {
    const { cookies } = cloudCdnCookieSigner({ ...key, clock: () => THEN }).sign({
      url: "http://www.example.com/foo/",
      expiresAt: new Date(1549751401_000),
    });
    const cookie =
      "URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9mb28v:Expires=1549751401:KeyName=my-key:Signature=Z9uYAu73YHioRScZDxnP-TnS274=";
    expect(cookies).toEqual({ "Cloud-CDN-Cookie": cookie });
    const verifier = cloudCdnVerifier({ keys: key, origins: ["http://www.example.com"], clock: () => THEN });
    const headers = [["Cookie", `a=b; Cloud-CDN-Cookie=${cookie}; c=d`]] as const;
    expect(await outcome(verifier, get("http://www.example.com/foo/bar.ts", { headers }))).toBe("accepted");
    expect(await outcome(verifier, get("http://www.example.com/fo", { headers }))).toBe("SIGNATURE_MISMATCH");
    // Without a slash at its end, as in the samples: it ends at a segment all the same.
    const file =
      "URLPrefix=aHR0cDovLzM1LjE4Ni4yMzQuMzMvaW5kZXguaHRtbA==:Expires=1549751401:KeyName=my-key:Signature=uImwlOBCPs91mlCyG9vyyZRrNWU=";
    const other = cloudCdnVerifier({ keys: key, origins: ["http://35.186.234.33"], clock: () => THEN });
    const withFile = { headers: [["Cookie", `Cloud-CDN-Cookie=${file}`]] } as const;
    expect(await outcome(other, get("http://35.186.234.33/index.html", withFile))).toBe("accepted");
    expect(await outcome(other, get("http://35.186.234.33/index.html.bak", withFile))).toBe("SIGNATURE_MISMATCH");
  });
});

const verifier = (options: Partial<CloudCdnVerifierOptions> = {}): Verifier =>
  cloudCdnVerifier({ keys: key, origins, clock, ...options });
const signer = cloudCdnSigner({ ...key, clock });

describe("one exact URL", () => {
  it("binds every byte, and the signature stands last", async () => {
    const { url: made } = signer.sign({ url, expiresIn: 60 });
    expect(await outcome(verifier(), get(made))).toBe("accepted");
    expect((await verifier().verify(get(made))).target).toBe("/some/a%20b.png?w=1&w=2");
    expect(await outcome(verifier(), get(`${made}&x=1`))).toBe("MALFORMED");
    expect(await outcome(verifier(), get(made.replace("w=1", "w=3")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier(), get(made.replace("a%20b", "%61%20b")))).toBe("SIGNATURE_MISMATCH");
    expect(await outcome(verifier({ origins: ["http://media.example.com"] }), get(made))).toBe("SIGNATURE_MISMATCH");
  });

  it("refuses an exact URL with an added URLPrefix", async () => {
    const { url: made } = signer.sign({ url: "https://media.example.com/a", expiresIn: 60 });
    const prefix = `URLPrefix=${Buffer.from("https://media.example.com/").toString("base64url")}`;
    expect(await outcome(verifier(), get(made.replace("Expires=", `${prefix}&Expires=`)))).toBe("SIGNATURE_MISMATCH");
  });
});

describe("a prefix", () => {
  const { url: made } = signer.sign({ url: "https://media.example.com/hls/1/a.ts", prefix: "/hls/1/", expiresIn: 60 });

  it.each([
    ["/hls/1/b.ts", "accepted"],
    ["/hls/1/x/c.ts", "accepted"],
    ["/hls/12/b.ts", "SIGNATURE_MISMATCH"],
    ["/hls/1", "SIGNATURE_MISMATCH"],
    ["/hls/1/../2/b.ts", "MALFORMED"],
    ["/hls/1/%2e%2e/2/b.ts", "MALFORMED"],
    ["/hls/1/..%2f2/b.ts", "MALFORMED"],
    ["/hls/1/%252e%252e/x", "MALFORMED"],
    ["/hls/1//b.ts", "MALFORMED"],
  ])("and %s: %s", async (path, expected) => {
    expect(await outcome(verifier(), get(made.replace("/hls/1/a.ts", path)))).toBe(expected);
  });

  it("leaves the query open, so its parameters are refused unless they are allowed", async () => {
    expect(await outcome(verifier(), get(`${made}&x=1`))).toBe("UNSIGNED_PARAMETER");
    expect(await outcome(verifier({ allowUnsigned: ["x"] }), get(`${made}&x=1`))).toBe("accepted");
    const link = signer.sign({ url: "https://media.example.com/hls/1/a.ts?x=1", prefix: "/hls/1/", expiresIn: 60 });
    expect(link.warnings).toEqual([expect.stringContaining("x in the query is not signed")]);
  });
});

it("refuses a signature in the query and another in the cookie, and two cookies", async () => {
  const { url: made } = signer.sign({ url: "https://media.example.com/a/b", expiresIn: 60 });
  const { cookies } = cloudCdnCookieSigner({ ...key, clock }).sign({
    url: "https://media.example.com/a/",
    expiresIn: 60,
  });
  const cookie = `Cloud-CDN-Cookie=${cookies["Cloud-CDN-Cookie"]}`;
  expect(await outcome(verifier(), get(made, { headers: [["cookie", cookie]] }))).toBe("AMBIGUOUS_AUTHENTICATION");
  const plain = get("https://media.example.com/a/b", { headers: [["cookie", `${cookie}; ${cookie}`]] });
  expect(await outcome(verifier(), plain)).toBe("MALFORMED");
  expect(await outcome(verifier(), { ...plain, headers: [["cookie", cookie]] })).toBe("accepted");
  expect(await outcome(verifier(), { ...plain, headers: [["cookie", `${cookie}:x=1`]] })).toBe("MALFORMED");
});

it.each([
  [{ prefix: "/some" }, "INVALID_INPUT"],
  [{ prefix: "/other/" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ prefix: "/some/", bind: { query: { w: "1" } } }, "UNSUPPORTED_CONSTRAINT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
  [{ url: `${url}&Expires=1` }, "INVALID_INPUT"],
  [{ url: `${url}&KeyName=1` }, "INVALID_INPUT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url, expiresIn: 60, ...wish } as never)).toThrowError(expect.objectContaining({ code }));
});

it.each([
  { key: "" },
  { key: "AAAA" },
  { keyName: "a b" },
  { keyName: "" },
  { keyName: undefined as unknown as string },
])("refuses the key %j", (part) => {
  expect(() => cloudCdnSigner({ ...key, ...part })).toThrowError(expect.objectContaining({ code: "INVALID_KEY" }));
  expect(() => cloudCdnVerifier({ keys: { ...key, ...part }, origins })).toThrowError(
    expect.objectContaining({ code: "INVALID_KEY" }),
  );
});
