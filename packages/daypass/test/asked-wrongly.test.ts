import { akamaiSigner } from "daypass/akamai";
import { azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { bunnySigner } from "daypass/bunny";
import { cloudflareSigner } from "daypass/cloudflare";
import { cloudfrontCookieSigner, cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { gcsHmacSigner } from "daypass/gcs";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { imgixSigner } from "daypass/imgix";
import { mediaCdnSigner } from "daypass/media-cdn";
import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { uriSigningSigner } from "daypass/uri-signing";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { CREDENTIALS, DELEGATION_KEY } from "./azure/fixture.ts";
import { clock } from "./edge-fixture.ts";
import { codeOf, cos, hmac, oss, pem, url } from "./option-fixture.ts";

// What no compiler has seen: from JavaScript, from JSON, or computed to nothing.
type Sign = (request: never) => unknown;
const delegated = { account: "myaccount", credentials: { userDelegationKey: DELEGATION_KEY }, clock };

const signers = {
  akamai: [akamaiSigner({ secret: "52a1", clock }).sign, { url }],
  azure: [
    azureSigner({ account: "myaccount", credentials: CREDENTIALS, clock }).sign,
    { container: "c", blob: "b", permissions: "r" },
  ],
  "azure, user delegation": [
    azureUserDelegationSigner(delegated).sign,
    { container: "c", blob: "b", permissions: "cw" },
  ],
  bunny: [bunnySigner({ secret: "secret", clock }).sign, { url }],
  cloudflare: [cloudflareSigner({ secret: "secret", ttl: 900, clock }).sign, { url }],
  cloudfront: [cloudfrontSigner(pem).sign, { url }],
  "cloudfront, cookies": [cloudfrontCookieSigner(pem).sign, {}],
  cos: [cosSigner({ region: "ap-guangzhou", credentials: cos, clock }).sign, { bucket: "media-1", key: "a" }],
  gcs: [gcsHmacSigner({ credentials: hmac, clock }).sign, { bucket: "media", object: "a" }],
  "gcs/v2": [gcsV2HmacSigner({ credentials: hmac, clock }).sign, { bucket: "media", object: "a" }],
  imgix: [imgixSigner({ secret: "secret", clock }).sign, { url }],
  "media-cdn": [mediaCdnSigner({ keyName: "k", privateKey: "A".repeat(43), clock }).sign, { url }],
  "media-cdn/token": [mediaCdnTokenSigner({ key: { secret: "A".repeat(43) }, clock }).sign, { url }],
  oss: [ossSigner({ region: "cn-hangzhou", credentials: oss, clock }).sign, { bucket: "media", key: "a" }],
  s3: [
    s3Signer({ region: "eu-west-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, clock })
      .sign,
    { bucket: "media", key: "a" },
  ],
  swift: [
    swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_a", key: "k", clock }).sign,
    { container: "c", object: "o" },
  ],
  symfony: [symfonySigner({ secret: "secret", clock }).sign, { url }],
  "uri-signing": [
    uriSigningSigner({ key: { kty: "oct", alg: "HS256", kid: "k", k: "A".repeat(43) }, clock }).sign,
    { url },
  ],
  url: [urlSigner({ key: { kty: "oct", alg: "HS256", kid: "k", k: "A".repeat(43) }, clock }).sign, { url }],
} as const satisfies Record<string, readonly [Sign, object]>;

async function sign(scheme: keyof typeof signers, more: object): Promise<unknown> {
  const [sign, request] = signers[scheme];
  return (sign as Sign)({ expiresIn: 60, ...request, ...more } as never);
}

const notBefore = new Date("2026-01-02T03:04:30Z");

describe("what a signer is asked for in a wrong way is refused, not dropped", () => {
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
    ["s3", { method: "put" }],
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
    ["s3", { response: { contenttype: "a/b" } }],
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
    ["akamai", { acl: "/hls/*" }],
    ["media-cdn/token", { pathGlobs: "/hls/*" }],
    ["media-cdn", { place: "foo" }],
    ["swift", { expiresAs: "foo" }],
    ["symfony", { url: `${url}?a=%FF` }],
    ["url", { url: `${url}?a=%FF` }],
    ["url", { url: "https://media.example.com/%FF" }],
  ] as const)("%s: %j", async (scheme, more) => {
    expect(await codeOf(() => sign(scheme, more))).toBe("INVALID_INPUT");
  });

  it.each(["gcs", "azure", "swift", "url", "cloudfront"] as const)(
    "%s: a life as a text, and one that is over, by the name of the option",
    async (scheme) => {
      const lives = [
        [{ expiresIn: "900" }, "string 900"],
        [{ expiresIn: Number.NaN }, "number NaN"],
        [{ expiresIn: 900n }, "bigint 900"],
        [{ expiresIn: undefined, expiresAt: new Date(0) }, "number -"],
      ] as const;
      for (const [life, found] of lives) {
        const made = Promise.resolve().then(() => sign(scheme, life));
        await expect(made).rejects.toThrow(RegExp(`^expected expiresIn as integer, 1 to \\d+ s, found ${found}`));
      }
    },
  );

  it.each(["akamai", "azure", "cloudfront", "cos", "gcs", "media-cdn/token", "uri-signing", "url"] as const)(
    "%s: a start that is no Date",
    async (scheme) => {
      expect(await codeOf(() => sign(scheme, { notBefore }))).toBe(scheme === "gcs" ? "INVALID_EXPIRY" : "made");
      for (const start of ["2026-01-02T03:04:30Z", 1_767_323_070, null, new Date(Number.NaN)]) {
        expect(await codeOf(() => sign(scheme, { notBefore: start }))).toBe("INVALID_INPUT");
      }
    },
  );

  it.each(["azure", "bunny", "cloudflare", "gcs/v2", "imgix", "media-cdn", "oss", "swift", "symfony"] as const)(
    "%s: a start or a prefix that a class has as a getter",
    async (scheme) => {
      const [sign, request] = signers[scheme];
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
      // A scheme reads its own options by name and refuses others.
      const found = [await sees("notBefore", new Date("2099-01-01T00:00:00Z")), await sees("prefix", "none/")];
      expect(found).not.toContain("made");
    },
  );

  it.each(["url", "uri-signing", "bunny", "cloudflare", "media-cdn", "imgix", "symfony"] as const)(
    "%s: a parameter without a value",
    async (scheme) => {
      for (const query of [{ z: [] }, { z: undefined }, new URLSearchParams("z=1"), "z=1"]) {
        const more = { bind: { query }, ...(scheme === "imgix" ? { withoutExpiry: "accept" } : {}) };
        expect(await codeOf(() => sign(scheme, more))).toBe("INVALID_INPUT");
      }
    },
  );

  it.each(["oss", "cos", "gcs", "gcs/v2"] as const)("%s: a bucket that is no text", async (scheme) => {
    for (const bucket of [["media"], 5, {}, null]) {
      expect(await codeOf(() => sign(scheme, { bucket }))).toBe("INVALID_INPUT");
    }
  });

  it.each(["gcs", "gcs/v2"] as const)("%s: an object with dot segments beside the getter of a key", async (scheme) => {
    const [sign, request] = signers[scheme];
    class Upload {
      readonly object = "talks/../private";
      constructor() {
        Object.assign(this, { expiresIn: 60, bucket: request.bucket });
      }
      get key() {
        return "talks";
      }
    }
    expect(await codeOf(() => (sign as Sign)(new Upload() as never))).toBe("DOT_SEGMENTS");
  });

  // `Object.entries` finds nothing in them.
  it.each(["oss", "cos", "gcs", "gcs/v2", "azure, user delegation", "url", "media-cdn/token"] as const)(
    "%s: headers as Headers or a Map",
    async (scheme) => {
      for (const headers of [new Headers({ "content-type": "a/b" }), new Map([["content-type", "a/b"]])]) {
        expect(await codeOf(() => sign(scheme, { bind: { headers } }))).toBe("INVALID_INPUT");
      }
      expect(await codeOf(() => sign(scheme, { bind: new Map([["headers", {}]]) }))).toBe("INVALID_INPUT");
    },
  );

  it.each(["oss", "cos", "gcs", "gcs/v2", "azure", "azure, user delegation"] as const)(
    "%s: null for nothing to bind",
    async (scheme) => {
      expect(await codeOf(() => sign(scheme, { bind: null, ...(scheme === "gcs/v2" ? {} : { response: null }) }))).toBe(
        "made",
      );
    },
  );
});

describe("what a holder can change is called unbound", () => {
  const unbound = async (scheme: keyof typeof signers, more: object) =>
    ((await sign(scheme, more)) as { readonly unbound: readonly string[] }).unbound.join();

  it.each(["oss", "cos", "gcs/v2"] as const)("%s: the body, unless a digest of it is bound", async (scheme) => {
    expect(await unbound(scheme, {})).toContain("body");
    const headers = { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };
    expect(await unbound(scheme, { method: "PUT", bind: { headers } })).not.toContain("body");
  });

  it.each([
    ["bunny", { prefix: "/hls/" }],
    ["akamai", { prefix: "/hls/" }],
    ["akamai", { acl: ["/hls/*"] }],
    ["media-cdn", { prefix: "/hls/" }],
    ["media-cdn/token", { prefix: "/hls/" }],
    ["media-cdn/token", { pathGlobs: ["/hls/*"] }],
  ] as const)("%s: the path that %j leaves open", async (scheme, more) => {
    expect(await unbound(scheme, {})).not.toContain("path");
    expect(await unbound(scheme, more)).toContain("path");
  });
});

describe("a constraint that cannot be bound is refused with what to do", () => {
  it.each([
    ["gcs", { prefix: "a/" }, /upload form/],
    ["cos", { prefix: "a/" }, /leave it out/],
    ["oss", { notBefore }, /leave it out/],
    ["oss", { bind: { contenttype: "a/b" } }, /check its name/],
    ["imgix", { bind: { ip: "203.0.113.9" } }, /leave it out/],
    ["uri-signing", { bind: { ip: "203.0.113.9" } }, /encrypted\.ip/],
    ["uri-signing", { bind: { sha256: "a".repeat(64) } }, /leave it out/],
    ["media-cdn", { notBefore }, /media-cdn\/token/],
    ["media-cdn", { response: { contentType: "a/b" } }, /leave it out/],
    ["azure", { bind: { contentLength: { max: 9 } } }, /an exact one/],
  ] as const)("%s: %j", async (scheme, more, text) => {
    await expect(sign(scheme, more)).rejects.toMatchObject({ code: "UNSUPPORTED_CONSTRAINT" });
    await expect(sign(scheme, more)).rejects.toThrow(text);
  });
});
