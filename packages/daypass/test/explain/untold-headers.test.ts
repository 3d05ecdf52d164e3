import { azureUserDelegationSigner } from "daypass/azure";
import { type ExplainKey, type ExplainOptions, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { credentials } from "./broken-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => signedAt;
const soon = () => new Date("2026-11-24T12:05:00Z");
const url = "https://cdn.example.com/a/b.txt";
const bind = { headers: { "x-tenant": "acme" } };
const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const secret = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
const userDelegationKey = {
  ...{ signedObjectId: "o", signedTenantId: "t", signedService: "b", signedVersion: "2026-04-06" },
  ...{ signedStartsOn: new Date("2026-11-24T00:00:00Z"), signedExpiresOn: new Date("2026-11-26T00:00:00Z") },
  value: Buffer.alloc(32, 1).toString("base64"),
};

const _object = { bucket: "media-1250000000", key: "a.txt", expiresIn: 900 };
const _oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
const _cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };

interface Signed {
  readonly scheme: string;
  readonly key: ExplainKey;
  /** The header that it signs. */
  readonly name: string;
  sign(): { readonly url: string; readonly headers: Readonly<Record<string, string>> };
}

const schemes: readonly Signed[] = [
  {
    scheme: "url",
    key: jwk,
    name: "x-tenant",
    sign: () => urlSigner({ key: jwk, clock }).sign({ url, bind, expiresIn: 900 }),
  },
  {
    scheme: "media-cdn/token",
    key: { scheme: "media-cdn/token", key: secret },
    name: "x-tenant",
    sign: () => mediaCdnTokenSigner({ key: secret, clock }).sign({ url, bind, expiresIn: 900 }),
  },
  {
    scheme: "azure",
    key: { userDelegationKey },
    name: "x-tenant",
    sign: () =>
      azureUserDelegationSigner({
        account: "acme",
        credentials: { userDelegationKey },
        version: "2026-04-06",
        clock,
      }).sign({ container: "media", blob: "a.txt", permissions: "r", bind, expiresIn: 900 }),
  },
];

const causeOf = async (of: Signed, options: ExplainOptions) =>
  (await explain(of.sign().url, { clock: soon, ...options })).cause;

describe.each(schemes)("a signed header of $scheme", (scheme) => {
  const keys = [scheme.key];

  it("is no fault where nobody has told what was sent", async () => {
    expect(await causeOf(scheme, {})).toBeUndefined();
  });

  it("leaves the key untried where its value is not told", async () => {
    const cause = await causeOf(scheme, { keys });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not given") });
    expect(cause?.sentence).toContain(scheme.name);
  });

  it("does not hide an end that has passed", async () => {
    const late = () => new Date("2026-11-24T13:00:00Z");
    expect(await causeOf(scheme, { keys, clock: late })).toMatchObject({ code: "EXPIRED" });
  });

  it("fits with the value that was signed", async () => {
    expect(await causeOf(scheme, { keys, request: { headers: scheme.sign().headers } })).toBeUndefined();
  });

  it("is the cause where another value was sent", async () => {
    const cause = await causeOf(scheme, { keys, request: { headers: { [scheme.name]: "other" } } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("another value was signed") });
    // Nothing tells it from these.
    expect(cause?.sentence).toMatch(/changed, or signed with a different key/);
  });

  it("is the cause where it was not sent", async () => {
    const cause = await causeOf(scheme, { keys, request: { headers: {} } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not sent") });
  });
});

describe("a header that the URL of Cloud Storage's V2 does not name", () => {
  const credentials = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "secret" };
  const { url: signed, headers } = gcsV2HmacSigner({ credentials, clock }).sign({
    ...{ bucket: "media", object: "a", method: "PUT", expiresIn: 900 },
    bind: { contentLength: { min: 1, max: 777 } },
  });
  const ask = async (options: ExplainOptions) => (await explain(signed, { clock: soon, ...options })).cause;

  it("is not taken for a wrong key where nobody has told what was sent", async () => {
    expect(await ask({})).toBeUndefined();
    const cause = await ask({ keys: [credentials] });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not given") });
  });

  it("fits as it was signed, and is the cause where it was sent with another value", async () => {
    const keys = [credentials];
    expect(await ask({ keys, request: { method: "PUT", headers } })).toBeUndefined();
    const other = { "x-goog-content-length-range": "1,778" };
    expect(await ask({ keys, request: { method: "PUT", headers: other } })).toMatchObject({
      code: "HEADER",
      sentence: expect.stringContaining("x-goog-content-length-range"),
    });
  });
});

describe("content-length, which every client sends and few tools list", () => {
  const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
    ...{ bucket: "media", key: "a.txt", method: "PUT", expiresIn: 900, bind: { contentLength: 1234 } },
  });
  const request = { method: "PUT", headers: { accept: "*/*" } };

  it("is not called missing where a list of what was sent lacks it", async () => {
    expect((await explain(url, { clock, request })).cause).toBeUndefined();
    const { cause } = await explain(url, { clock, request, keys: [credentials] });
    expect(cause).toMatchObject({
      code: "HEADER",
      sentence: expect.stringMatching(/content-length, whose value was not given/),
    });
    const told = { ...request, headers: { "Content-Length": "1234" } };
    expect((await explain(url, { clock, request: told, keys: [credentials] })).cause).toBeUndefined();
  });
});
