import { akamaiSigner, akamaiVerifier } from "daypass/akamai";
import { bunnySigner } from "daypass/bunny";
import { cloudflareSigner } from "daypass/cloudflare";
import { cloudfrontCookieSigner, cloudfrontSigner, cloudfrontVerifier } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import { fastlySigner } from "daypass/fastly";
import { gcsHmacSigner, gcsSigner } from "daypass/gcs";
import { imgixSigner } from "daypass/imgix";
import { laravelSigner, laravelVerifier } from "daypass/laravel";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "daypass/media-cdn/token";
import { nginxSigner } from "daypass/nginx";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { symfonySigner, symfonyVerifier } from "daypass/symfony";
import { uriSigningSigner, uriSigningVerifier } from "daypass/uri-signing";
import { describe, expect, it } from "vitest";
import { RSA } from "./cloudfront/keys.ts";
import { clock } from "./edge-fixture.ts";
import { codeOf, cos, hmac, oss, pem } from "./option-fixture.ts";

// Options from JavaScript, from JSON, or from an environment variable that is not set.
describe("invalid options", () => {
  it("refuses a key pair id that is not set", async () => {
    for (const keyPairId of [undefined, null, 7]) {
      const named = { keyPairId: keyPairId as unknown as string };
      const key = { ...named, publicKey: RSA.publicKey, hashes: ["sha1"] as const };
      expect(await codeOf(() => cloudfrontSigner({ ...pem, ...named }))).toBe("INVALID_KEY");
      expect(await codeOf(() => cloudfrontCookieSigner({ ...pem, ...named }))).toBe("INVALID_KEY");
      expect(await codeOf(() => cloudfrontVerifier({ keys: key, origins: ["https://media.example.com"] }))).toBe(
        "INVALID_KEY",
      );
    }
  });

  it.each([undefined, null, 7])("refuses an account or container of Swift that is %s", async (name) => {
    const options = { endpoint: "https://swift.example.com", account: "AUTH_test", key: "mykey" };
    const wish = { container: "media", object: "a.txt", expiresIn: 60 };
    expect(await codeOf(() => swiftSigner({ ...options, account: name as never }))).toBe("INVALID_INPUT");
    expect(await codeOf(() => swiftSigner(options).sign({ ...wish, container: name as never }))).toBe("INVALID_INPUT");
    expect(await codeOf(() => swiftSigner(options).sign(wish))).toBe("made");
  });

  it("refuses credentials with a line break, as files and pasted values have", async () => {
    for (const text of ["secret\n", "\nsecret", "AKID\nsecret"]) {
      const made = (names: object) => () => ossSigner({ region: "cn-hangzhou", credentials: { ...oss, ...names } });
      expect(await codeOf(made({ accessKeySecret: text }))).toBe("INVALID_KEY");
      expect(await codeOf(made({ accessKeyId: text }))).toBe("INVALID_KEY");
      expect(await codeOf(made({ securityToken: text }))).toBe("INVALID_KEY");
    }
  });

  it("refuses credentials whose expiration is not an instant", async () => {
    for (const expiration of [new Date(Number.NaN), new Date(0), "soon"]) {
      const credentials = { ...oss, expiration: expiration as Date };
      expect(await codeOf(() => ossSigner({ region: "cn-hangzhou", credentials }))).toBe("INVALID_KEY");
    }
  });

  it("names the part of an access key that is empty", () => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "token" };
    const part = { region: "eu-west-1", credentials };
    expect(() => s3Signer(part)).not.toThrow();
    for (const name of ["accessKeyId", "secretAccessKey"] as const)
      expect(() => s3Signer({ ...part, credentials: { ...credentials, [name]: "" } })).toThrow(
        `credentials.${name} is empty. Is the environment variable set?`,
      );
    for (const expiration of [new Date(Number.NaN), new Date(-1), "tomorrow" as never])
      expect(() => s3Signer({ ...part, credentials: { ...credentials, expiration } })).toThrow(
        "credentials.expiration is not a valid Date",
      );
  });

  // A verifier for an origin that no request can have would refuse every request as WRONG_ORIGIN.
  it.each([
    "https://media.example.com//",
    "https://Media.example.com",
    "https://media.example.com:443",
    "https://media.example.com:65536",
    "https://media.example.com.",
    "https://*.example.com",
    "media.example.com",
    "",
  ])("an origin that is spelled %j", async (origin) => {
    const made = (origins: readonly string[]) => codeOf(() => akamaiVerifier({ secrets: "52a1", origins }));
    expect(await made([origin])).toBe("INVALID_INPUT");
    expect(await made(["https://media.example.com", origin])).toBe("INVALID_INPUT");
    expect(await made(["https://media.example.com"])).toBe("made");
  });

  it("refuses an empty list of origins, and one origin twice", async () => {
    for (const origins of [[], undefined, ["https://a.example", "https://a.example"]]) {
      const made = () => akamaiVerifier({ secrets: "52a1", origins: origins as never });
      expect(await codeOf(made)).toBe("INVALID_INPUT");
    }
  });

  it.each([
    () => akamaiSigner({ secret: "52a1", hash: "sha512" as "sha256" }),
    () => akamaiSigner({ secret: "52a1", parameter: "" }),
    () => akamaiSigner({ secret: "52a1", parameter: "a b" }),
    () => cloudflareSigner({ secret: "secret", ttl: 900, parameter: "a=b" }),
    () => fastlySigner({ secret: "c2VjcmV0", hash: "md5" as "sha1" }),
    () => gcsHmacSigner({ credentials: hmac, universeDomain: "" }).sign({ bucket: "b", object: "a", expiresIn: 60 }),
  ])("%s", async (make) => {
    expect(await codeOf(make)).toBe("INVALID_INPUT");
  });

  it.each([
    (secret: never) => uriSigningSigner({ key: secret }),
    (secret: never) => uriSigningVerifier({ keySets: [{ keys: [secret] }], origins: ["https://media.example.com"] }),
    (secret: never) => mediaCdnTokenSigner({ key: secret }),
    (secret: never) => mediaCdnTokenVerifier({ keys: secret, origins: ["https://media.example.com"] }),
    (secret: never) => mediaCdnTokenVerifier({ keys: [secret], origins: ["https://media.example.com"] }),
  ])("a secret in the place of a key, which no error quotes: %s", (make) => {
    let thrown: unknown;
    try {
      make("a-secret-as-plain-text" as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "INVALID_KEY" });
    expect(String(thrown)).not.toContain("a-secret");
    expect(() => make(null as never)).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
  });

  // The last line of a file ends with a line break. Every URL would be refused, and no error would say why.
  it.each([
    ["bunny", bunnySigner],
    ["cloudflare", (given: { secret: string }) => cloudflareSigner({ ...given, ttl: 60 })],
    ["imgix", imgixSigner],
    ["nginx", nginxSigner],
  ] as const)("a secret to sign with that has a line break: %s", async (_, signer) => {
    for (const secret of ["a-secret\n", "a-secret\r\n", "\na-secret", "a-\nsecret"]) {
      const refused = expect.objectContaining({ code: "INVALID_KEY", message: expect.not.stringContaining("a-") });
      expect(() => signer({ secret })).toThrow(refused);
      expect(() => signer({ secret })).toThrow(/^secret contains a line break\. Trim/);
    }
    expect(await codeOf(() => signer({ secret: " a secret " }))).toBe("made");
  });

  it("accepts a secret of PHP with a line break, because PHP applications read it from a file unchanged", async () => {
    const secret = "a-secret\n";
    const origins = ["https://media.example.com"];
    for (const [signer, verifier] of [
      [laravelSigner, laravelVerifier],
      [symfonySigner, symfonyVerifier],
    ] as const) {
      const link = signer({ secret, clock }).sign({ url: "https://media.example.com/a", expiresIn: 60 });
      const request = { method: "GET", target: link.url.slice(25), authority: "media.example.com", headers: [] };
      await expect(verifier({ secrets: secret, origins, clock }).verify(request)).resolves.toMatchObject({
        id: link.id,
      });
      expect(await codeOf(() => signer({ secret: "" }))).toBe("INVALID_KEY");
    }
  });

  it("names the option of a missing secret", () => {
    expect(() => laravelSigner({} as { secret: string })).toThrow(/^secret is undefined\. Is the environment/);
    expect(() => laravelVerifier({ origins: ["https://a.example"] } as never)).toThrow(
      /^secrets is undefined\. Is the environment/,
    );
  });

  it.each(["http://127.0.0.1:4443", "http://[::1]"])(
    "refuses a bucket in front of an IP address: %s",
    async (endpoint) => {
      const at = { endpoint, addressing: "virtual" } as const;
      expect(await codeOf(() => gcsHmacSigner({ credentials: hmac, ...at }))).toBe("INVALID_INPUT");
      expect(await codeOf(() => ossSigner({ region: "cn-hangzhou", credentials: oss, ...at }))).toBe("INVALID_INPUT");
      expect(await codeOf(() => cosSigner({ credentials: cos, ...at }))).toBe("INVALID_INPUT");
    },
  );

  it.each(["http://:4443", "http://"])("refuses an endpoint without a host: %s", async (endpoint) => {
    for (const addressing of ["path", "virtual"] as const) {
      const at = { endpoint, addressing };
      expect(await codeOf(() => gcsHmacSigner({ credentials: hmac, ...at }))).toBe("INVALID_INPUT");
      expect(await codeOf(() => ossSigner({ region: "cn-hangzhou", credentials: oss, ...at }))).toBe("INVALID_INPUT");
      expect(await codeOf(() => cosSigner({ credentials: cos, ...at }))).toBe("INVALID_INPUT");
    }
  });

  it("signs for the endpoint's host as clients write it", () => {
    const at = { endpoint: "http://127.1:4443", clock };
    const { url } = gcsHmacSigner({ credentials: hmac, ...at }).sign({ bucket: "media", object: "a", expiresIn: 60 });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:4443\/media\/a\?/);
  });

  it("refuses a clock that is broken, before 1970, or not in milliseconds", async () => {
    const wish = { bucket: "media", key: "a", expiresIn: 60 };
    const at = Date.parse("2026-01-02T03:04:05Z");
    for (const [ms, code] of [
      [at, "made"],
      ...[Number.NaN, -1, at * 1000, at * 1e6, Number.POSITIVE_INFINITY].map(
        (wrong) => [wrong, "INVALID_INPUT"] as const,
      ),
    ] as const) {
      const options = { region: "eu-west-1", credentials: hmac, clock: () => new Date(ms) };
      expect(await codeOf(() => s3Signer(options).sign(wish))).toBe(code);
      expect(await codeOf(() => s3V2Signer(options).sign(wish))).toBe(code);
      const edge = cloudflareSigner({ secret: "s", ttl: 60, clock: () => ms as unknown as Date });
      expect(await codeOf(() => edge.sign({ url: "https://a.example/b", expiresIn: 60 }))).toBe(code);
    }
  });

  it("refuses an expiration of credentials that is not a Date", async () => {
    const expiration = "soon" as unknown as Date;
    expect(await codeOf(() => gcsHmacSigner({ credentials: { ...hmac, expiration } }))).toBe("INVALID_KEY");
    const account = { client_email: "a@b.example", signBytes: async () => new Uint8Array(256), expiration };
    expect(await codeOf(() => gcsSigner({ credentials: account }))).toBe("INVALID_KEY");
  });
});
