import {
  type ExplainFormOptions,
  type ExplainKey,
  type ExplainOptions,
  explain,
  explainForm,
  type FormToExplain,
} from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const { url } = s3Signer({ region: "eu-west-1", credentials }).sign({ bucket: "media", key: "a", expiresIn: 60 });
const SECRET = "Sup3r-Secret!é";

/** Invalid keys. */
const unusable: readonly (readonly [scheme: string, key: unknown])[] = [
  ["s3", { accessKeyId: "AKID" }],
  ["s3", { accessKeyId: "AKID", secretAccessKey: 5 }],
  ["s3", { secretAccessKey: SECRET }],
  ["oss", { accessKeySecret: SECRET }],
  ["cos", { secretKey: SECRET }],
  ["azure", { accountKey: SECRET }],
  ["azure", { userDelegationKey: {} }],
  ["azure", { userDelegationKey: null }],
  ["gcs", { client_email: "a@example.com", private_key: SECRET }],
  ["gcs", { client_email: "a@example.com" }],
  ["cloudfront", { keyPairId: "K", publicKey: `-----BEGIN PUBLIC KEY-----\n${SECRET}\n-----END PUBLIC KEY-----` }],
  ["swift", { account: "AUTH_a", key: 5 }],
  ["url", { kty: "oct" }],
  ["url", { kty: "oct", kid: "k1", alg: "HS256" }],
  ["url", { kty: "oct", kid: "k1", alg: "HS256", k: SECRET }],
  ["nginx", { scheme: "nginx" }],
  ["akamai", { scheme: "akamai", secret: SECRET }],
  ["cloudflare", { scheme: "cloudflare", secret: SECRET }],
  // The secret in the wrong member.
  ["cloudflare", { scheme: "cloudflare", secret: "s", ttl: SECRET }],
  ["fastly", { scheme: "fastly", secret: SECRET }],
  ["cloud-cdn", { scheme: "cloud-cdn", keyName: "k", key: SECRET }],
  ["media-cdn", { scheme: "media-cdn", keyName: "k", publicKey: SECRET }],
  ["media-cdn/token", { scheme: "media-cdn/token" }],
  ["media-cdn/token", { scheme: "media-cdn/token", key: SECRET }],
  ["imgproxy", { scheme: "imgproxy", key: SECRET, salt: "00" }],
  ["uri-signing", { scheme: "uri-signing", key: SECRET }],
];

const ask = (options: unknown) => explain(url, options as ExplainOptions);

describe("explain with an invalid key", () => {
  it.each(unusable)("rejects a key of %s without showing it: %j", async (scheme, key) => {
    const error = await ask({ keys: [key] }).catch((thrown: unknown) => thrown as Error & { readonly code: string });
    expect(error).toMatchObject({ code: "INVALID_KEY" });
    expect((error as Error).message).toContain(`the given key of ${scheme}: `);
    expect(`${(error as Error).message} ${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(
      SECRET,
    );
  });

  it.each([[null], [5], [SECRET], [{}], [{ scheme: SECRET }], [{ scheme: null }], [{ scheme: Object.create(null) }]])(
    "rejects a key of no scheme: %j",
    async (key) => {
      const error = await ask({ keys: [key] }).catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({ code: "INVALID_KEY" });
      expect((error as Error).message).not.toContain(SECRET);
    },
  );

  it("rejects it for a form, too", async () => {
    const form = s3FormSigner({ region: "eu-west-1", credentials }).sign({ bucket: "media", key: "a", expiresIn: 60 });
    const keys = [{ accessKeyId: "AKID" }] as unknown as readonly ExplainKey[];
    await expect(explainForm(form, { keys })).rejects.toMatchObject({ code: "INVALID_KEY" });
  });
});

describe("explain with an invalid option", () => {
  it.each([
    { errorBody: 5 },
    { keys: "AKID" },
    { hosts: "minio:9000" },
    { request: { method: 5 } },
    { request: "GET" },
    { request: null },
    { request: { headers: { "content-type": 5 } } },
    { request: { headers: "ab" } },
    { request: { headers: null } },
    { request: { remoteAddress: "zzz" } },
    { request: { remoteAddress: "203.0.113.9:443" } },
    { request: { bodySha256: "nope" } },
    { request: { bodySha256: "A".repeat(64) } },
    { origin: "x" },
    { origin: "https://app.example.com/" },
    { origin: "https://App.example.com" },
    { origin: "https://app/path?x" },
    { origin: "*" },
    { origin: "https://app.example.com:443" },
    { origin: "http://app.example.com:80" },
    { origin: "https://bücher.example" },
    { origin: "NULL" },
    { reveal: "false" },
    { reveal: 1 },
    { clock: 5 },
    { clock: null },
    { clock: () => 5n },
    { clock: () => new Date(Number.NaN) },
    "options",
    null,
  ])("rejects %o", async (options) => {
    await expect(ask(options)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    const form = s3FormSigner({ region: "eu-west-1", credentials }).sign({ bucket: "media", key: "a", expiresIn: 60 });
    await expect(explainForm(form, options as ExplainFormOptions)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it.each([
    [null],
    ["https://media.example/"],
    [{ url: 5, fields: {} }],
    [{ url: "https://media.example/", fields: null }],
    [{ url: "https://media.example/", fields: "ab" }],
    [{ url: "https://media.example/", fields: { key: 5 } }],
    [{ url: "https://media.example/", fields: [["key"]] }],
  ])("rejects the form %j", async (form) => {
    await expect(explainForm(form as unknown as FormToExplain)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it.each([[null], [{ fields: null }], [{ url: 5 }], [{ fileName: 5 }], [{ fileSize: "5" }]])(
    "rejects the sent form %j",
    async (sent) => {
      const form = { url: "https://media.example/", fields: { key: "a" } };
      const options = { sent } as unknown as ExplainFormOptions;
      await expect(explainForm(form, options)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    },
  );

  it("rejects a URL that is no text", async () => {
    await expect(explain(undefined as unknown as string)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
