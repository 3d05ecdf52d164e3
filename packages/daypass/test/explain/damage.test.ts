import { azureSigner } from "daypass/azure";
import { cloudflareSigner } from "daypass/cloudflare";
import { type ExplainKey, type ExplainOptions, explain } from "daypass/explain";
import { gcsSigner } from "daypass/gcs";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { imgixSigner } from "daypass/imgix";
import { laravelSigner } from "daypass/laravel";
import { s3Signer } from "daypass/s3";
import { s3V4aSigner } from "daypass/s3/v4a";
import { symfonySigner } from "daypass/symfony";
import { describe, expect, it } from "vitest";
import { account } from "../gcs/account.ts";
import { credentials, errorXml } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:05:00Z");
const at = { clock: () => new Date("2026-11-24T12:00:00Z") };
const accountKey = Buffer.alloc(32, 7).toString("base64");
const SECRET = "a-long-secret";
const ROUTE = { url: "https://h.example.com/talks/keynote.mp4", expiresIn: 900 };

const s3 = s3Signer({ region: "eu-west-1", credentials, ...at }).sign({
  bucket: "media",
  key: "a.txt",
  expiresIn: 900,
});
const azure = azureSigner({ account: "acme", credentials: { accountKey }, ...at });
const cloudflare = { scheme: "cloudflare", secret: SECRET, ttl: 900 } as const;
const urls: readonly (readonly [name: string, url: string, key: ExplainKey])[] = [
  ["S3", s3.url, credentials],
  ["Azure", azure.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 }).url, { accountKey }],
  ["Cloudflare", cloudflareSigner({ secret: SECRET, ttl: 900, ...at }).sign(ROUTE).url, cloudflare],
  ["imgix", imgixSigner({ secret: SECRET, ...at }).sign(ROUTE).url, { scheme: "imgix", secret: SECRET }],
  ["Laravel", laravelSigner({ secret: SECRET, ...at }).sign(ROUTE).url, { scheme: "laravel", secret: SECRET }],
  ["Symfony", symfonySigner({ secret: SECRET, ...at }).sign(ROUTE).url, { scheme: "symfony", secret: SECRET }],
];

const damages: readonly (readonly [what: string, damage: (url: string) => string, sentence: RegExp])[] = [
  ["a line break", (url) => `${url.slice(0, 60)}\r\n  ${url.slice(60)}`, /line break/],
  ["the source of a mail", (url) => url.replaceAll("=", "=3D").replace(/^(.{76})/, "$1=\r\n"), /quoted-printable/],
  ["a zero-width space", (url) => `${url}\u200b`, /an invisible character/],
  ...[".", ",", ")", ">", ";", ")."].map(
    (end) => [`${end} behind it`, (url: string) => url + end, /^The URL ends with/] as const,
  ),
  ["a space behind it", (url) => `${url}%20`, /^The URL ends with/],
  ["two of them", (url) => `${url.slice(0, 60)}\n${url.slice(60)}.`, /line break.*ends with/],
];

const causeOf = async (url: string, options: ExplainOptions) => (await explain(url, { clock, ...options })).cause;

describe.each(urls)("explain with a damaged URL of %s", (_, url, key) => {
  it.each(damages)("reports %s, with the key and without", async (_, damage, sentence) => {
    for (const keys of [[], [key]]) {
      const cause = await causeOf(damage(url), { keys });
      expect(cause?.sentence).toMatch(sentence);
      expect(cause?.code).toBe("MALFORMED");
    }
  });

  it("reports no damage for the good URL", async () => {
    expect(await causeOf(url, { keys: [key] })).toBeUndefined();
    expect(await causeOf(` ${url}\n`, { keys: [key] })).toBeUndefined();
  });
});

describe("explain with a damaged URL", () => {
  const broken = `${s3.url.slice(0, 60)}\n${s3.url.slice(60)}`;

  it("explains the damage of the URL rather than the error that the server answered", async () => {
    const errorBody = errorXml("AuthorizationQueryParametersError", "X-Amz-Algorithm only supports AWS4-HMAC-SHA256");
    const explanation = await explain(broken, { clock, errorBody, request: { method: "GET", url: broken } });
    expect(explanation).toMatchObject({ cause: { code: "MALFORMED" }, endsAt: s3.expiresAt });
    expect(explanation.cause?.sentence).toContain("line break");
  });

  it("reports the damage of an expired URL, and the end as well", async () => {
    const late = () => new Date("2027-01-01T00:00:00Z");
    const cause = await causeOf(broken, { clock: late, keys: [credentials] });
    expect(cause?.sentence).toContain("line break");
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL has expired/);
  });

  it("reports certain damage even if the key does not fit", async () => {
    const cause = await causeOf(broken, { keys: [{ ...credentials, secretAccessKey: "another" }] });
    expect(cause?.sentence).toContain("line break");
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL was signed with a different secret/);
  });

  it("reports a second fault that the key proves", async () => {
    const keys = [{ ...credentials, secretAccessKey: `${credentials.secretAccessKey}\n` }];
    const cause = await causeOf(`${s3.url}.`, { keys });
    expect(cause?.sentence).toMatch(/^The URL ends with/);
    expect(cause?.evidence.at(-1)).toMatch(/^Besides: .*its spaces and line ends cut off/);
  });

  it("reports HTML escapes and other damage together", async () => {
    for (const keys of [[], [credentials]]) {
      const cause = await causeOf(`${s3.url.replaceAll("&", "&amp;")}.`, { keys });
      expect(cause).toMatchObject({ code: "HTML_ESCAPED", sentence: expect.stringContaining("&amp;") });
      expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL ends with/);
    }
  });

  it.each([
    ["Handlebars", (url: string) => url.replaceAll("&", "&amp;").replaceAll("=", "&#x3D;"), "&#x3D;"],
    ["another template", (url: string) => url.replaceAll("=", "&#61;"), "&#61;"],
    ["PHP's JSON", (url: string) => url.replaceAll("/", "\\/"), "\\/"],
    ["Gson's JSON", (url: string) => url.replaceAll("&", "\\u0026").replaceAll("=", "\\u003d"), "\\u003d"],
    ["a shell", (url: string) => url.replace(/[?&=]/g, "\\$&"), "\\?"],
    ["a shell, without a ?", (url: string) => url.replaceAll("&", "\\&"), "\\&"],
    ["an answer to a mail", (url: string) => url.replace(/.{60}/g, "$&\n> "), "line break"],
  ])("reports a URL copied out of %s, and its end as well", async (_, damage, what) => {
    const late = () => new Date("2026-11-25T00:00:00Z");
    for (const keys of [[], [credentials]]) {
      const { cause, endsAt } = await explain(damage(s3.url), { clock: late, keys });
      expect(cause?.sentence).toContain(what);
      expect(cause?.evidence.at(-1)).toMatch(/^Besides: The URL has expired/);
      expect(endsAt).toEqual(new Date("2026-11-24T12:15:00Z"));
    }
  });

  it.each([
    [
      "sig",
      azure.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 }).url.replace(/&sig=.*/, ""),
    ],
    ["Signature", "https://cdn.example.com/a.mp4?Expires=1767323945&KeyName=my-key"],
  ])("rejects a URL that lost its signature, and names the parameter: %s", async (missing, url) => {
    await expect(explain(url, { clock })).rejects.toMatchObject({
      code: "NO_SIGNATURE",
      message: expect.stringMatching(new RegExp(`^the URL has no ${missing}, because its end was cut off`)),
    });
  });

  it("names a missing and a repeated parameter", async () => {
    const lacks = await explain(s3.url.split("&", 1)[0] as string, { clock });
    expect(lacks.cause).toMatchObject({
      code: "MALFORMED",
      sentence: expect.stringMatching(/lacks X-Amz-Cred.*shell/),
    });
    const twice = await explain(`${s3.url}&X-Amz-Signature=0`, { clock });
    expect(twice.cause).toMatchObject({ code: "MALFORMED", sentence: expect.stringContaining("comes twice") });
  });

  it("finishes for a text of backslashes", async () => {
    const text = `https://example.com/${"\\".repeat(200_000)}!`;
    await expect(explain(text)).rejects.toThrow();
  });

  it("looks for no damage in a text that is longer than any URL", async () => {
    const sentences = [8000, 17_000].map(async (length) => {
      const url = s3.url.replace("a.txt", "a".repeat(length));
      return (await causeOf(`${url}.`, {}))?.sentence;
    });
    expect(await Promise.all(sentences)).toEqual([
      expect.stringMatching(/^The URL ends with/),
      expect.not.stringMatching(/^The URL ends with/),
    ]);
  });

  it("reports no damage if the key fits", async () => {
    const signer = s3Signer({ region: "eu-west-1", credentials, ...at });
    for (const key of ["a\nb.txt", "a.txt.", "a\u200bb"]) {
      const { url } = signer.sign({ bucket: "media", key, query: { note: "x=3D." }, expiresIn: 900 });
      expect(await causeOf(url, { keys: [credentials] })).toBeUndefined();
      expect(await causeOf(url, {})).toBeUndefined();
    }
  });
});

describe("explain with a URL whose end was cut off", () => {
  const v4a = s3V4aSigner({ region: "eu-west-1", credentials, ...at });
  const cut = (url: string) => url.slice(0, -10);
  it.each<readonly [string, () => string | Promise<string>, ExplainKey]>([
    [
      "Cloud Storage, RSA",
      async () =>
        (await gcsSigner({ credentials: account, ...at }).sign({ bucket: "media", object: "a", expiresIn: 900 })).url,
      account,
    ],
    [
      "Cloud Storage V2",
      () => gcsV2HmacSigner({ credentials, ...at }).sign({ bucket: "media", object: "a", expiresIn: 900 }).url,
      credentials,
    ],
    ["S3 V4A", async () => (await v4a.sign({ bucket: "media", key: "a", expiresIn: 900 })).url, credentials],
    ["Azure", () => urls[1]?.[1] ?? "", { accountKey }],
    ["Cloudflare", () => urls[2]?.[1] ?? "", cloudflare],
    ["Symfony", () => urls[5]?.[1] ?? "", { scheme: "symfony", secret: SECRET }],
  ])("reports the cut: %s", async (_, sign, key) => {
    const url = cut(await sign());
    for (const keys of [[], [key]]) {
      const cause = await causeOf(url, { keys });
      expect(cause?.code).toMatch(/^(?:MALFORMED|SIGNATURE)$/);
      expect(cause?.sentence).toMatch(/cut off|base64/);
    }
  });

  it("distinguishes it from a URL with something appended", async () => {
    expect((await causeOf(`${urls[1]?.[1]}x`, {}))?.sentence).toContain("something follows it");
    expect((await causeOf(urls[1]?.[1].slice(0, -1) ?? "", {}))?.sentence).toContain("cut off");
  });
});
