import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Verifier } from "../../src/index.ts";
import { type SymfonyVerifierOptions, symfonySigner, symfonyVerifier } from "../../src/schemes/symfony/index.ts";
import { clock, get, NOW, outcome } from "../edge-fixture.ts";

const secret = "foobar";
const origins = ["http://example.com"];

// https://github.com/symfony/http-foundation/blob/7.4/Tests/UriSignerTest.php (commit 54169d5)
const END = new Date("2038-01-01T00:00:00Z");
const published = [
  [
    "http://example.com/foo?foo=bar&baz=bay",
    undefined,
    {},
    "http://example.com/foo?_hash=rIOcC_F3DoEGo_vnESjSp7uU9zA9S_-OLhxgMexoPUM&baz=bay&foo=bar",
  ],
  [
    "http://example.com/foo?foo=bar&baz=bay",
    END,
    {},
    "http://example.com/foo?_expiration=2145916800&_hash=xLhnPMzV3KqqHaaUffBUJvtRDAZ4_Z9Y8Sw-gmS-82Q&baz=bay&foo=bar",
  ],
  [
    "http://example.com/foo?foo=bar&baz=bay",
    undefined,
    { parameters: { hash: "qux", expiration: "abc" } },
    "http://example.com/foo?baz=bay&foo=bar&qux=rIOcC_F3DoEGo_vnESjSp7uU9zA9S_-OLhxgMexoPUM",
  ],
  [
    "http://example.com/foo?foo=bar&baz=bay",
    END,
    { parameters: { hash: "qux", expiration: "abc" } },
    "http://example.com/foo?abc=2145916800&baz=bay&foo=bar&qux=kE4rK2MzeiwrYAKy-_GKvKA6bnzqCbACBdpC3yGnPVU",
  ],
  [
    "http://example.com/foo?foo=bar&baz=bay",
    undefined,
    { encoding: "base64" },
    "http://example.com/foo?_hash=rIOcC%2FF3DoEGo%2FvnESjSp7uU9zA9S%2F%2BOLhxgMexoPUM%3D&baz=bay&foo=bar",
  ],
] as const;

describe("the URLs of UriSigner's own tests", () => {
  it.each(published)("%s until %s with %j is signed and accepted", async (url, expiresAt, options, expected) => {
    const link = symfonySigner({ secret, ...options, clock }).sign({ url, expiresAt, withoutExpiry: "accept" });
    expect(link.url).toBe(expected);
    const verifier = symfonyVerifier({ secrets: secret, origins, ...options, clock, withoutExpiry: "accept" });
    expect((await verifier.verify(get(expected))).target).toBe("/foo?baz=bay&foo=bar");
    const strict = symfonyVerifier({ secrets: secret, origins, ...options, clock });
    expect(await outcome(strict, get(expected))).toBe(expiresAt === undefined ? "MALFORMED" : "accepted");
  });
});

const signer = symfonySigner({ secret, clock });
const verifier = (options: Partial<SymfonyVerifierOptions> = {}): Verifier =>
  symfonyVerifier({ secrets: secret, origins, clock, ...options });

describe("the query", () => {
  // What PHP 8.4 makes of them; conformance/test/php.test.ts asks it again.
  it.each([
    ["b=1&a=2", "a=2&b=1"],
    ["_x=1&Z=2&a=3", "Z=2&_x=1&a=3"],
    ["a=b%20c&d=e+f&g=~*'", "a=b+c&d=e+f&g=%7E%2A%27"],
    ["f%5Bx%5D=1&e=2&f%5By%5D=3", "e=2&f%5Bx%5D=1&f%5By%5D=3"],
    ["f[b][1]=1&f[a]=2&f[b][0]=3", "f%5Bb%5D%5B1%5D=1&f%5Bb%5D%5B0%5D=3&f%5Ba%5D=2"],
    ["flag", "flag="],
    ["%C3%A9=1&z=2&%F0%9F%9A%80=3&%EF%BF%BD=4", "z=2&%C3%A9=1&%EF%BF%BD=4&%F0%9F%9A%80=3"],
  ])("%s is signed as %s", async (query, expected) => {
    const link = signer.sign({ url: `http://example.com/foo?${query.replace("'", "%27")}`, withoutExpiry: "accept" });
    expect(link.url.replace(/&?_hash=[^&]*/, "").replace("?&", "?")).toBe(`http://example.com/foo?${expected}`);
    expect(await outcome(verifier({ withoutExpiry: "accept" }), get(link.url))).toBe("accepted");
  });

  it.each([
    "a.b=1",
    "a%20b=1",
    "a[]=1",
    "a[=1",
    "a]=1",
    "a[b=1",
    "a=1&a=2",
    "a=1&a[b]=2",
    "a[b]=1&a=2",
    "=1",
    "[a]=1",
    "a%00=1",
  ])("%s is refused: PHP would read other names", (query) => {
    expect(() => signer.sign({ url: `http://example.com/foo?${query}`, expiresIn: 60 })).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });

  it("accepts the query only in the signer's spelling", async () => {
    const { url } = signer.sign({ url: "http://example.com/foo?b=1&a=x%20y", expiresIn: 60 });
    for (const other of [`${url}&`, url.replace("x+y", "x%20y"), url.replace("a=x+y&b=1", "b=1&a=x+y"), `${url}&c=1`]) {
      const same = other.endsWith("&");
      expect(await outcome(verifier(), get(other)), other).toBe(same ? "accepted" : "SIGNATURE_MISMATCH");
    }
  });

  it("arrays of hashes and ends are refused, not skipped", async () => {
    const text = "http://example.com/foo?_expiration[]=1";
    const hash = createHmac("sha256", secret).update(text).digest("base64url");
    const lax = verifier({ withoutExpiry: "accept" });
    for (const other of [
      `${text}&_hash=${hash}`,
      `${text.replace("[]", "%5B%5D")}&_hash=${hash}`,
      `http://example.com/foo?_hash=${hash}&_hash[]=1`,
    ]) {
      expect(await outcome(lax, get(other)), other).toBe("MALFORMED");
    }
  });
});

it("an expiry of 0, which UriSigner ignores, has passed", async () => {
  const text = "http://example.com/foo?_expiration=0";
  const hash = createHmac("sha256", secret).update(text).digest("base64url");
  expect(await outcome(verifier({ withoutExpiry: "accept" }), get(`${text}&_hash=${hash}`))).toBe("EXPIRED");
});

it("binds scheme and host", async () => {
  const { url } = signer.sign({ url: "http://example.com/foo", expiresIn: 60 });
  expect(await outcome(verifier({ origins: ["https://example.com"] }), get(url))).toBe("SIGNATURE_MISMATCH");
});

it.each([
  [{ url: "http://example.com/foo?_hash=1" }, "INVALID_INPUT"],
  [{ url: "http://example.com/foo?_expiration=1" }, "INVALID_INPUT"],
  [{ url: "http://example.com/foo?_hash[a]=1" }, "INVALID_INPUT"],
  [{ url: "http://example.com/foo?_hash%5Ba%5D=1" }, "INVALID_INPUT"],
  [{ url: "http://example.com/foo?_expiration[a]=1", expiresIn: undefined, withoutExpiry: "accept" }, "INVALID_INPUT"],
  [{ bind: { ip: "10.0.0.1" } }, "UNSUPPORTED_CONSTRAINT"],
  [{ notBefore: NOW }, "UNSUPPORTED_CONSTRAINT"],
])("refuses to sign %j with %s", (wish, code) => {
  expect(() => signer.sign({ url: "http://example.com/foo", expiresIn: 60, ...wish } as never)).toThrowError(
    expect.objectContaining({ code }),
  );
});
