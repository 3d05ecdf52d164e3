import { describe, expect, it } from "vitest";
import { codeOf } from "./option-fixture.ts";
import { AT, subjects } from "./registry.ts";

// Requests that the compiler has not checked: from JavaScript or JSON, or with values that are not set.

type Sign = (request: never) => unknown;
const url = "https://media.example.com/talks/keynote.mp4";

/** The signer and the request of an example. `gcs` is short for `gcs, HMAC`. */
function partsOf(scheme: string): { readonly sign: Sign; readonly request: object } {
  const found = subjects.find(({ name }) => name === scheme || name === `${scheme}, HMAC`);
  if (found === undefined) throw new Error(`no example named ${scheme}`);
  const { request, signer } = found.example;
  // One signer for all tests: making it reads a key.
  const sign: Sign = signers.get(scheme) ?? signer(() => AT).sign;
  signers.set(scheme, sign);
  return { sign, request };
}

const signers = new Map<string, Sign>();

async function sign(scheme: string, more: object): Promise<unknown> {
  const { sign, request } = partsOf(scheme);
  return sign({ expiresIn: 60, ...request, ...more } as never);
}

const notBefore = new Date("2026-01-02T03:04:30Z");

describe("an invalid request", () => {
  it.each([
    ["cloudfront", { bind: { ip: [] } }],
    ["cloudfront", { bind: { ip: null } }],
    ["swift", { bind: { ip: [] } }],
    ["swift", { bind: { ip: null } }],
    ["swift", { bind: { ip: [["203.0.113.0/24"]] } }],
    ["media-cdn/token", { bind: { ip: [null] } }],
    ["oss", { method: "PUT", bind: { contentLength: 1.5 } }],
    ["oss", { method: "PUT", bind: { contentLength: "5 MB" } }],
    ["cos", { method: "PUT", bind: { contentLength: -1 } }],
    ["cos", { method: "PUT", bind: { contentLength: "" } }],
    ["s3", { method: "p ut" }],
    ["s3", { method: "" }],
    ["s3", { key: "" }],
    ["s3", { bind: { contentLength: 1.5 } }],
    ["s3", { bind: { contentLength: "5 MB" } }],
    ["s3", { bind: { contentLength: "" } }],
    ["s3", { bind: { contentLength: -1 } }],
    ["s3", { bind: { sha256: "A".repeat(64) } }],
    ["s3", { bind: { sha256: "a".repeat(65) } }],
    ["s3", { bind: { contentType: "c/d", headers: { "Content-Type": "a/b" } } }],
    ["s3", { headers: { "x-a": "é" } }],
    ["s3", { headers: { "x-a": "a\r\nb: c" } }],
    ["s3", { headers: { "x-a": null } }],
    ["s3", { headers: { "x a": "b" } }],
    ["s3", { headers: { Host: "other.example.com" } }],
    ["s3", { headers: { Authorization: "AWS a:b" } }],
    ["s3", { headers: { "x-a": "1", "X-A": "2" } }],
    ["s3", { query: { "X-Amz-Expires": "604800" } }],
    ["s3", { query: { "x-amz-signedheaders": "host" } }],
    ["s3", { query: { a: 5 } }],
    ["s3", { query: { a: "1" }, bind: { query: { a: "2" } } }],
    ["oss", { key: 5 }],
    ["cos", { key: null }],
    ["oss", { stableWindow: 0 }],
    ["cos", { stableWindow: 1.5 }],
    ["gcs", { stableWindow: -60 }],
    ["azure, user delegation", { bind: { contentType: "c/d", headers: { "content-type": "a/b" } } }],
    ["azure, user delegation", { bind: { headers: { "X-A": "1", "x-a": "2" } } }],
    ["azure, user delegation", { bind: { contentLength: Number.NaN } }],
    ["azure, user delegation", { bind: { contentLength: -1 } }],
    ["url", { bind: { contentType: "c/d", headers: { "content-type": "a/b" } } }],
    ["gcs", { bind: { sha256: "a".repeat(64), headers: { "x-goog-content-sha256": "b".repeat(64) } } }],
    ["gcs", { bind: { contentLength: {} } }],
    ["gcs", { bind: { contentLength: { maximum: 5 } } }],
    ["gcs/v2", { bind: { contentLength: { min: 6, max: 5 } } }],
    ["cloudfront", { url: `${url}*`, notBefore }],
    ["cloudfront", { url: `https://media.example.com/a*/b`, prefix: "/a*/" }],
    ["cloudfront", { url: new URL(url) }],
    ["cloudfront, cookies", { prefix: "/a/" }],
    ["cloudfront, cookies", { resource: "https://media.example.com:443/a/*" }],
    ["cloudfront, cookies", { resource: "https://Media.example.com/a/*" }],
    ["cloudfront, cookies", { resource: "https://media.example.com/a/../*" }],
    ["uri-signing", { claims: { aud: "cdn" } }],
    ["uri-signing", { claims: { nbf: 1_767_323_145 } }],
    ["uri-signing", { claims: { cdnistd: 1 } }],
    ["uri-signing", { encrypted: { subject: "cus_42" } }],
    ["uri-signing", { place: "header" }],
    ["bunny", { place: "foo" }],
    ["bunny", { speedLimit: 0 }],
    ["bunny", { speedLimit: 1.5 }],
    ["bunny", { countries: [] }],
    ["bunny", { countries: "DE" }],
    ["bunny", { url: `${url}?a=%FF` }],
    ["akamai", { acl: "/talks/*" }],
    ["media-cdn/token", { pathGlobs: "/talks/*" }],
    ["media-cdn", { place: "foo" }],
    ["swift", { expiresAs: "foo" }],
    ["symfony", { url: `${url}?a=%FF` }],
    ["url", { url: `${url}?a=%FF` }],
    ["url", { url: "https://media.example.com/%FF" }],
  ] as const)("%s: is refused for %j", async (scheme, more) => {
    expect(await codeOf(() => sign(scheme, more))).toBe("INVALID_INPUT");
  });

  it.each(["gcs", "azure", "swift", "url", "cloudfront"] as const)(
    "%s: names expiresIn or expiresAt if the lifetime is a string or over",
    async (scheme) => {
      const lives = [
        [{ expiresIn: "900" }, 'expiresIn is "900".*\\. Pass whole seconds from 1 to \\d+'],
        [{ expiresIn: Number.NaN }, "expiresIn is NaN.*\\. Pass whole seconds from 1 to \\d+"],
        [{ expiresIn: 900n }, "expiresIn is 900.*\\. Pass whole seconds from 1 to \\d+"],
        [
          { expiresIn: undefined, expiresAt: new Date(0) },
          'expiresAt is "1970-01-01T00:00:00.000Z". Pass a Date 1 to \\d+ ',
        ],
      ] as const;
      for (const [life, found] of lives) {
        const made = Promise.resolve().then(() => sign(scheme, life));
        await expect(made).rejects.toThrow(RegExp(`^${found}`));
      }
    },
  );

  it.each(["akamai", "azure", "cloudfront", "cos", "gcs", "media-cdn/token", "uri-signing", "url"] as const)(
    "%s: refuses a notBefore that is not a Date",
    async (scheme) => {
      expect(await codeOf(() => sign(scheme, { notBefore }))).toBe(scheme === "gcs" ? "INVALID_EXPIRY" : "made");
      for (const start of ["2026-01-02T03:04:30Z", 1_767_323_070, null, new Date(Number.NaN)]) {
        expect(await codeOf(() => sign(scheme, { notBefore: start }))).toBe("INVALID_INPUT");
      }
    },
  );

  it.each(["azure", "bunny", "cloudflare", "gcs/v2", "imgix", "media-cdn", "oss", "swift", "symfony"] as const)(
    "%s: reads notBefore and prefix from getters of a class",
    async (scheme) => {
      const { sign, request } = partsOf(scheme);
      const given = { expiresIn: 60, ...request, ...(scheme === "imgix" ? { withoutExpiry: "accept" } : {}) };
      const sees = async (name: string, value: unknown) => {
        class Asked {
          constructor() {
            Object.assign(this, given);
          }
        }
        Object.defineProperty(Asked.prototype, name, { get: () => value });
        return codeOf(() => (sign as Sign)(new Asked() as never));
      };
      expect(await sees("anything", 1)).toBe("made");
      // A scheme reads the options that it has by name, and refuses the others.
      const found = [await sees("notBefore", new Date("2099-01-01T00:00:00Z")), await sees("prefix", "none/")];
      expect(found).not.toContain("made");
    },
  );

  it.each(["url", "uri-signing", "bunny", "cloudflare", "media-cdn", "imgix", "symfony"] as const)(
    "%s: refuses a query parameter without a value",
    async (scheme) => {
      for (const query of [{ z: [] }, { z: undefined }, new URLSearchParams("z=1"), "z=1"]) {
        const more = { bind: { query }, ...(scheme === "imgix" ? { withoutExpiry: "accept" } : {}) };
        expect(await codeOf(() => sign(scheme, more))).toBe("INVALID_INPUT");
      }
    },
  );

  it.each(["oss", "cos", "gcs", "gcs/v2"] as const)("%s: refuses a bucket that is not a string", async (scheme) => {
    for (const bucket of [["media"], 5, {}, null]) {
      expect(await codeOf(() => sign(scheme, { bucket }))).toBe("INVALID_INPUT");
    }
  });

  it.each(["gcs", "gcs/v2"] as const)(
    "%s: refuses dot segments of an object beside a getter named key",
    async (scheme) => {
      const { sign, request } = partsOf(scheme);
      class Upload {
        readonly object = "talks/../private";
        constructor() {
          Object.assign(this, { expiresIn: 60, bucket: (request as { readonly bucket: string }).bucket });
        }
        get key() {
          return "talks";
        }
      }
      expect(await codeOf(() => (sign as Sign)(new Upload() as never))).toBe("DOT_SEGMENTS");
    },
  );

  // `Object.entries` of these is empty.
  it.each(["oss", "cos", "gcs", "gcs/v2", "azure, user delegation", "url", "media-cdn/token"] as const)(
    "%s: refuses headers as Headers or a Map",
    async (scheme) => {
      for (const headers of [new Headers({ "content-type": "a/b" }), new Map([["content-type", "a/b"]])]) {
        expect(await codeOf(() => sign(scheme, { bind: { headers } }))).toBe("INVALID_INPUT");
      }
      expect(await codeOf(() => sign(scheme, { bind: new Map([["headers", {}]]) }))).toBe("INVALID_INPUT");
    },
  );

  it.each(["oss", "cos", "gcs", "gcs/v2", "azure", "azure, user delegation"] as const)(
    "%s: accepts null for bind and response",
    async (scheme) => {
      expect(await codeOf(() => sign(scheme, { bind: null, ...(scheme === "gcs/v2" ? {} : { response: null }) }))).toBe(
        "made",
      );
    },
  );
});

describe("unbound of a signed request", () => {
  const unbound = async (scheme: string, more: object) =>
    ((await sign(scheme, more)) as { readonly unbound: readonly string[] }).unbound.join();

  it.each(["oss", "cos", "gcs/v2"] as const)("%s: names the body unless its digest is bound", async (scheme) => {
    expect(await unbound(scheme, {})).toContain("body");
    const headers = { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };
    expect(await unbound(scheme, { method: "PUT", bind: { headers } })).not.toContain("body");
  });

  it.each([
    ["bunny", { prefix: "/talks/" }],
    ["akamai", { prefix: "/talks/" }],
    ["akamai", { acl: ["/talks/*"] }],
    ["media-cdn", { prefix: "/talks/" }],
    ["media-cdn/token", { prefix: "/talks/" }],
    ["media-cdn/token", { pathGlobs: ["/talks/*"] }],
  ] as const)("%s: names the path that %j leaves open", async (scheme, more) => {
    expect(await unbound(scheme, {})).not.toContain("path");
    expect(await unbound(scheme, more)).toContain("path");
  });
});

describe("the error for an unsupported constraint", () => {
  it.each([
    ["gcs", { prefix: "a/" }, /upload form/],
    ["cos", { prefix: "a/" }, /leave it out/],
    ["oss", { notBefore }, /leave it out/],
    ["oss", { bind: { contenttype: "a/b" } }, /Did you mean bind: \{ contentType \}\?/],
    ["imgix", { bind: { ip: "203.0.113.9" } }, /leave it out/],
    ["uri-signing", { bind: { ip: "203.0.113.9" } }, /encrypted\.ip/],
    ["uri-signing", { bind: { sha256: "a".repeat(64) } }, /leave it out/],
    ["media-cdn", { notBefore }, /media-cdn\/token/],
    ["media-cdn", { response: { contentType: "a/b" } }, /leave it out/],
    ["azure", { bind: { contentLength: { max: 9 } } }, /an exact one/],
  ] as const)("%s: says what to do instead of %j", async (scheme, more, text) => {
    await expect(sign(scheme, more)).rejects.toMatchObject({ code: "UNSUPPORTED_CONSTRAINT" });
    await expect(sign(scheme, more)).rejects.toThrow(text);
  });
});
