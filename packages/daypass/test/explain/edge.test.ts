import { createHash } from "node:crypto";
import { akamaiSigner } from "daypass/akamai";
import { bunnySigner } from "daypass/bunny";
import { cloudCdnCookieSigner, cloudCdnSigner } from "daypass/cloud-cdn";
import { cloudflareSigner } from "daypass/cloudflare";
import { type CauseCode, type EdgeExplainKey, type ExplainOptions, explain, redactUrl } from "daypass/explain";
import { fastlySigner } from "daypass/fastly";
import { imgixSigner } from "daypass/imgix";
import { imgproxySigner } from "daypass/imgproxy";
import { laravelSigner } from "daypass/laravel";
import { mediaCdnSigner } from "daypass/media-cdn";
import { mediaCdnPublicKey, mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { nginxSigner } from "daypass/nginx";
import { symfonySigner } from "daypass/symfony";
import { uriSigningSigner } from "daypass/uri-signing";
import { describe, expect, it } from "vitest";

const AT = new Date("2026-01-02T03:04:05Z");
const at = { clock: () => AT };
const now = new Date("2026-01-02T03:14:05Z");
const HEX = "52a152a152a152a152a152a152a152a1";
const SECRET = "a-long-secret";
const url = "https://cdn.example.com/talks/2026/keynote.mp4";
const CDN_KEY = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const ED25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const MEDIA_SECRET = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const URI_KEY = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;

/** Changes of a URL in transit. */
const CHANGES = {
  later: (text) => text.replace(/176732\d{4}/, (end) => String(Number(end) + 3600)),
  added: (text) => text.replace("?", "?utm_source=mail&"),
  cased: (text) => text.replace("keynote", "Keynote"),
  slashed: (text) => text.replace("/talks", "//talks"),
  elsewhere: (text) => text.replace("cdn.example.com", "cdn.example.com:8443"),
  moved: (text) => text.replace("/talks/", "/other/"),
  respelt: (text) => text.replace("+", "%20"),
} satisfies Record<string, (text: string) => string>;

interface Case {
  readonly key: EdgeExplainKey;
  /** Members of another key. */
  readonly wrong: object;
  sign(expiresIn: number): Promise<string> | string;
  /** The expected cause of each change. */
  readonly changes: Readonly<Partial<Record<keyof typeof CHANGES, CauseCode | undefined>>>;
}

const cases: readonly Case[] = [
  {
    key: { scheme: "nginx", secret: SECRET },
    wrong: { secret: "another-secret" },
    sign: (expiresIn) => nginxSigner({ secret: SECRET, ...at }).sign({ url, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: undefined, cased: "PATH", slashed: "PATH", elsewhere: undefined },
  },
  {
    key: { scheme: "bunny", secret: SECRET },
    wrong: { secret: "another-secret" },
    sign: (expiresIn) => bunnySigner({ secret: SECRET, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY", elsewhere: undefined },
  },
  {
    key: { scheme: "akamai", secret: HEX },
    wrong: { secret: "00ff00ff" },
    sign: (expiresIn) => akamaiSigner({ secret: HEX, ...at }).sign({ url, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: undefined, cased: "PATH" },
  },
  {
    key: { scheme: "cloudflare", secret: SECRET, ttl: 3600 },
    wrong: { secret: "another-secret", ttl: 3600 },
    sign: (expiresIn) =>
      cloudflareSigner({ secret: SECRET, ttl: 3600, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { added: "QUERY", slashed: "PATH", elsewhere: undefined },
  },
  {
    key: { scheme: "cloud-cdn", ...CDN_KEY },
    wrong: { keyName: "my-key", key: "AAAAAAAAAAAAAAAAAAAAAA" },
    sign: (expiresIn) => cloudCdnSigner({ ...CDN_KEY, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY", slashed: "PATH", elsewhere: "HOST" },
  },
  {
    key: { scheme: "media-cdn", keyName: "edge", publicKey: ED25519.publicKey },
    wrong: { keyName: "edge", publicKey: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" },
    sign: async (expiresIn) =>
      (
        await mediaCdnSigner({ keyName: "edge", privateKey: ED25519.privateKey, ...at }).sign({
          url: `${url}?w=1`,
          expiresIn,
        })
      ).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY", elsewhere: "HOST" },
  },
  {
    key: { scheme: "media-cdn/token", key: MEDIA_SECRET },
    wrong: { key: { secret: "AAAAAAAAAAAAAAAAAAAAAA" } },
    sign: (expiresIn) =>
      mediaCdnTokenSigner({ key: MEDIA_SECRET, ...at }).sign({ url, prefix: "/talks/", expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: undefined, moved: "PATH" },
  },
  {
    key: { scheme: "fastly", secret: "b2xkLXNlY3JldA==" },
    wrong: { secret: "bmV3LXNlY3JldA==" },
    sign: (expiresIn) => fastlySigner({ secret: "b2xkLXNlY3JldA==", ...at }).sign({ url, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: undefined, slashed: "PATH" },
  },
  {
    key: { scheme: "imgix", secret: SECRET },
    wrong: { secret: "another-secret" },
    sign: (expiresIn) => imgixSigner({ secret: SECRET, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY" },
  },
  {
    key: { scheme: "imgproxy", key: HEX, salt: `${HEX}00` },
    wrong: { key: "00ff00ff", salt: "00" },
    sign: (expiresIn) =>
      imgproxySigner({ key: HEX, salt: `${HEX}00`, ...at }).sign({
        url: "https://img.example.com/rs:fit:300/plain/s3://bucket/keynote.png",
        expiresIn,
      }).url,
    changes: { later: "EXPIRES_CHANGED", cased: "WRONG_SECRET" },
  },
  {
    key: { scheme: "laravel", secret: SECRET },
    wrong: { secret: "another-secret" },
    sign: (expiresIn) => laravelSigner({ secret: SECRET, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY", elsewhere: "HOST" },
  },
  {
    key: { scheme: "symfony", secret: SECRET },
    wrong: { secret: "another-secret" },
    sign: (expiresIn) => symfonySigner({ secret: SECRET, ...at }).sign({ url: `${url}?w=1+2`, expiresIn }).url,
    changes: { later: "EXPIRES_CHANGED", added: "QUERY", respelt: "QUERY", elsewhere: "HOST" },
  },
  {
    key: { scheme: "uri-signing", key: URI_KEY },
    wrong: { key: { ...URI_KEY, k: "DwECAwQFBgcICQoLDA0ODw" } },
    sign: (expiresIn) => uriSigningSigner({ key: URI_KEY, ...at }).sign({ url: `${url}?w=1`, expiresIn }).url,
    changes: { added: "QUERY", elsewhere: "HOST" },
  },
];

const ask = (text: string, options: ExplainOptions = {}) => explain(text, { clock: () => now, ...options });
const causeOf = async (text: string, options?: ExplainOptions) => (await ask(text, options)).cause?.code;
const trapsOf = async (text: string, options?: ExplainOptions) =>
  (await ask(text, options)).traps.map(({ name }) => name);

it("returns an open URI for a token of RFC 9246 without cdniuc", async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "HS256", kid: "k1" })}.${part({ exp: 1767326645 })}.${"A".repeat(43)}`;
  const { binds, leavesOpen, traps } = await ask(`${url}?URISigningPackage=${token}`);
  expect(binds).toEqual(["end"]);
  expect(leavesOpen).toContain("URI");
  expect(traps.map(({ name }) => name)).toContain("every-uri");
});

describe.each(cases.map((one) => [one.key.scheme, one] as const))("explain for %s", (scheme, one) => {
  const { key, wrong, sign, changes } = one;

  it("returns scheme and expiry of a good URL, and no cause", async () => {
    const made = await sign(3600);
    for (const keys of [[], [key]]) {
      const explanation = await ask(made, { keys });
      expect([explanation.scheme, explanation.cause]).toEqual([scheme, undefined]);
      expect(explanation.summary).toMatch(/\.$/);
      expect(explanation.binds.length).toBeGreaterThan(0);
      expect(explanation.leavesOpen).toContain("method");
      if (scheme !== "cloudflare" || keys.length > 0)
        expect(explanation.endsAt?.toISOString()).toBe("2026-01-02T04:04:05.000Z");
      expect(JSON.stringify(explanation)).not.toContain(SECRET);
    }
  });

  it("returns EXPIRED for an expired URL, and WRONG_SECRET for another key", async () => {
    expect(await causeOf(await sign(60), { keys: [key] })).toBe("EXPIRED");
    const other = { ...key, ...wrong } as EdgeExplainKey;
    expect(await causeOf(await sign(3600), { keys: [other] })).toBe("WRONG_SECRET");
  });

  it.each(Object.entries(changes))("returns the cause of the change: %s", async (change, code) => {
    const made = await sign(3600);
    const changed = CHANGES[change as keyof typeof CHANGES](made);
    expect(changed).not.toBe(made);
    expect([changed, await causeOf(changed, { keys: [key] })]).toEqual([changed, code]);
  });

  it("hides the signature in every text", async () => {
    const made = await sign(3600);
    const redacted = redactUrl(made);
    const signature = /[A-Za-z0-9_%-]{22,}/.exec(
      made.replace(/^.*?(hmac=|Signature=|s=|signature=|_hash=|_|md5=|-1-|HS256-|\d-|\.com\/|\.)/, ""),
    )?.[0];
    expect(signature).toBeDefined();
    expect(redacted).not.toContain(signature);
    expect(redacted).toContain("REDACTED");
    expect(JSON.stringify(await ask(made))).not.toContain(signature);
  });
});

describe("explain with a key that has other options", () => {
  const swap: readonly (readonly [string, Promise<string> | string, EdgeExplainKey, RegExp])[] = [
    [
      "another expression",
      nginxSigner({ secret: SECRET, expression: "$secure_link_expires$uri$remote_addr $secret", ...at }).sign({
        ...{ url, expiresIn: 3600, bind: { ip: "203.0.113.9" } },
      }).url,
      { scheme: "nginx", secret: SECRET },
      /\$remote_addr/,
    ],
    [
      "base64 for base64url",
      symfonySigner({ secret: SECRET, encoding: "base64", ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "symfony", secret: SECRET },
      /base64/,
    ],
    [
      "a relative signature",
      laravelSigner({ secret: SECRET, relative: true, ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "laravel", secret: SECRET },
      /relative/,
    ],
    [
      "APP_KEY without its prefix",
      laravelSigner({ secret: SECRET, ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "laravel", secret: `base64:${SECRET}` },
      /base64:/,
    ],
    [
      "another hash",
      akamaiSigner({ secret: HEX, hash: "sha1", ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "akamai", secret: HEX },
      /SHA1/,
    ],
    [
      "another hash",
      fastlySigner({ secret: "b2xk", hash: "sha256", ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "fastly", secret: "b2xk" },
      /SHA256/,
    ],
    [
      "the flag 's'",
      cloudflareSigner({ secret: SECRET, ttl: 3600, urlSafe: true, ...at }).sign({ url, expiresIn: 3600 }).url,
      { scheme: "cloudflare", secret: SECRET, ttl: 3600 },
      /flag 's'/,
    ],
    [
      "key and salt exchanged",
      imgproxySigner({ key: HEX, salt: "00ff", ...at }).sign({
        url: "https://img.example.com/plain/a.png",
        expiresIn: 3600,
      }).url,
      { scheme: "imgproxy", key: "00ff", salt: HEX },
      /exchanged/,
    ],
    [
      "padding",
      mediaCdnSigner({ keyName: "edge", privateKey: ED25519.privateKey, padded: true, ...at })
        .sign({ url, expiresIn: 3600 })
        .then((link) => link.url),
      { scheme: "media-cdn", keyName: "edge", publicKey: ED25519.publicKey },
      /padding/,
    ],
  ];

  it.each(swap)("returns the difference: %s", async (_what, made, key, sentence) => {
    const request = { remoteAddress: "203.0.113.9" };
    const { cause } = await ask(await made, { keys: [key], request });
    expect(cause?.code).toBe("SIGNATURE");
    expect(cause?.sentence).toMatch(sentence);
  });

  it("returns the damage of a secret", async () => {
    // Daypass signers reject a line break.
    const ours = new URL(nginxSigner({ secret: SECRET, ...at }).sign({ url, expiresIn: 3600 }).url);
    const expires = ours.searchParams.get("expires");
    const md5 = createHash("md5").update(`${expires}${ours.pathname} ${SECRET}\n`).digest("base64url");
    const made = `${url}?md5=${md5}&expires=${expires}`;
    const { cause } = await ask(made, { keys: [{ scheme: "nginx", secret: SECRET }] });
    expect(cause?.sentence).toMatch(/line feed/);
  });
});

describe("explain for a token with a client address", () => {
  const expression = "$secure_link_expires$uri$remote_addr $secret";
  const key = { scheme: "nginx", secret: SECRET, expression } as const;
  const made = nginxSigner({ secret: SECRET, expression, ...at }).sign({
    url,
    expiresIn: 3600,
    bind: { ip: "203.0.113.9" },
  }).url;

  it("returns a trap if the address is not given", async () => {
    expect(await causeOf(made, { keys: [key] })).toBeUndefined();
    expect(await trapsOf(made, { keys: [key] })).toContain("signed-address");
    expect(await causeOf(made, { keys: [key], request: { remoteAddress: "203.0.113.9" } })).toBeUndefined();
  });

  it("returns IP for the address of a proxy", async () => {
    const request = { remoteAddress: "10.0.0.1", headers: { "x-forwarded-for": "203.0.113.9" } };
    expect(await causeOf(made, { keys: [key], request })).toBe("IP");
  });

  it("compares the address in a token", async () => {
    const token = akamaiSigner({ secret: HEX, ...at }).sign({ url, expiresIn: 3600, bind: { ip: "203.0.113.9" } }).url;
    const keys = [{ scheme: "akamai", secret: HEX }] as const;
    expect(await causeOf(token, { keys, request: { remoteAddress: "203.0.113.9" } })).toBeUndefined();
    expect(await causeOf(token, { keys, request: { remoteAddress: "10.0.0.1" } })).toBe("IP");
  });
});

describe("explain without a key", () => {
  it.each([
    ["plain-md5", nginxSigner({ secret: SECRET, ...at }).sign({ url, expiresIn: 60 }).url],
    ["no-expiry", imgixSigner({ secret: SECRET }).sign({ url, withoutExpiry: "accept" }).url],
    ["unseparated-fields", fastlySigner({ secret: "b2xk", ...at }).sign({ url, expiresIn: 60 }).url],
    ["unsigned-parameter", `${fastlySigner({ secret: "b2xk", ...at }).sign({ url, expiresIn: 60 }).url}&download=1`],
    ["end-in-the-rule", cloudflareSigner({ secret: SECRET, ttl: 60, ...at }).sign({ url, expiresIn: 60 }).url],
    [
      "loose-prefix",
      `${url}?URLPrefix=aHR0cHM6Ly9jZG4uZXhhbXBsZS5jb20vdGFsa3M&Expires=1&KeyName=k&Signature=${"A".repeat(27)}=`,
    ],
    ["milliseconds", `${url}?md5=${"A".repeat(22)}&expires=1767326645000`],
  ])("returns the trap %s", async (trap, text) => {
    expect(await trapsOf(text)).toContain(trap);
  });

  it.each([
    ["nginx", `${url}?md5=_e4Nc3iduzkWRm01TBBNYw==&expires=2147483647`],
    ["laravel", `${url}?signature=${"a".repeat(64)}&expires=x`],
    ["cloud-cdn", `${url}?KeyName=k&Signature=AAAA`],
    ["media-cdn", "https://h/a/edge-cache-token=Expires=1&KeyName=k&Signature=x/b"],
    ["akamai", `${url}?hdnts=exp=1~acl=/x*~hmac=${"0".repeat(64)}`],
    ["uri-signing", `${url}?URISigningPackage=a.b.c`],
  ])("recognises an unreadable URL of %s", async (scheme, text) => {
    const { cause, ...explanation } = await ask(text);
    expect(explanation.scheme).toBe(scheme);
    expect(cause?.code).toBe(scheme === "akamai" ? "PATH" : "MALFORMED");
  });

  it("recognises configured names by the key", async () => {
    const parameters = { signature: "sig1", expires: "until" };
    const made = nginxSigner({ secret: SECRET, parameters, ...at }).sign({ url, expiresIn: 3600 }).url;
    await expect(ask(made)).rejects.toMatchObject({ code: "NO_SIGNATURE" });
    const { scheme, cause, endsAt } = await ask(made, { keys: [{ scheme: "nginx", secret: SECRET, parameters }] });
    expect([scheme, cause, endsAt?.getTime()]).toEqual(["nginx", undefined, AT.getTime() + 3_600_000]);
  });

  it("reads the cookies of the request", async () => {
    const { cookies } = cloudCdnCookieSigner({ ...CDN_KEY, ...at }).sign({
      ...{ url: "https://cdn.example.com/talks/", expiresIn: 3600 },
    });
    const request = { headers: { cookie: `a=b; Cloud-CDN-Cookie=${cookies["Cloud-CDN-Cookie"]}` } };
    const keys = [{ scheme: "cloud-cdn", ...CDN_KEY }] as const;
    const explanation = await ask(url, { request, keys });
    expect([explanation.scheme, explanation.cause, explanation.grants.resource]).toEqual([
      ...["cloud-cdn", undefined, "everything below https://cdn.example.com/talks/"],
    ]);
    expect(await causeOf("https://cdn.example.com/other/a.mp4", { request, keys })).toBe("PATH");
  });

  it("returns UNKNOWN_KEY for a key of another name", async () => {
    const made = cloudCdnSigner({ ...CDN_KEY, ...at }).sign({ url, expiresIn: 3600 }).url;
    const keys = [{ scheme: "cloud-cdn", ...CDN_KEY, keyName: "other" }] as const;
    expect(await causeOf(made, { keys })).toBe("UNKNOWN_KEY");
  });

  it("returns WRONG_SECRET for an Ed25519 token", async () => {
    const token = `${url}?edge-cache-token=FullPath~Expires=1767326645~Signature=${"A".repeat(86)}`;
    const keys = [{ scheme: "media-cdn/token", key: mediaCdnPublicKey(ED25519.publicKey) }] as const;
    expect(await causeOf(token, { keys })).toBe("WRONG_SECRET");
  });
});
