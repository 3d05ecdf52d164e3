import { azureUserDelegationSigner } from "daypass/azure";
import { type ExplainKey, type ExplainOptions, explain } from "daypass/explain";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { mediaCdnTokenSigner } from "daypass/media-cdn/token";
import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

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

interface Signed {
  readonly scheme: string;
  readonly key: ExplainKey;
  /** The signed header. */
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

describe.each(schemes)("explain with a signed header of $scheme", (scheme) => {
  const keys = [scheme.key];

  it("returns no cause if the sent headers are unknown", async () => {
    expect(await causeOf(scheme, {})).toBeUndefined();
  });

  it("does not try the key if the value is unknown", async () => {
    const cause = await causeOf(scheme, { keys });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not given") });
    expect(cause?.sentence).toContain(scheme.name);
  });

  it("reports an expired URL first", async () => {
    const late = () => new Date("2026-11-24T13:00:00Z");
    expect(await causeOf(scheme, { keys, clock: late })).toMatchObject({ code: "EXPIRED" });
  });

  it("returns no cause for the signed value", async () => {
    expect(await causeOf(scheme, { keys, request: { headers: scheme.sign().headers } })).toBeUndefined();
  });

  it("reports another value", async () => {
    const cause = await causeOf(scheme, { keys, request: { headers: { [scheme.name]: "other" } } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("another value was signed") });
    expect(cause?.sentence).toMatch(/changed, or signed with a different key/);
  });

  it("reports a missing header", async () => {
    const cause = await causeOf(scheme, { keys, request: { headers: {} } });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not sent") });
  });
});

describe("explain with a header that a Cloud Storage V2 URL does not name", () => {
  const credentials = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "secret" };
  const { url: signed, headers } = gcsV2HmacSigner({ credentials, clock }).sign({
    ...{ bucket: "media", object: "a", method: "PUT", expiresIn: 900 },
    bind: { contentLength: { min: 1, max: 777 } },
  });
  const ask = async (options: ExplainOptions) => (await explain(signed, { clock: soon, ...options })).cause;

  it("does not blame the key if the sent headers are unknown", async () => {
    expect(await ask({})).toBeUndefined();
    const cause = await ask({ keys: [credentials] });
    expect(cause).toMatchObject({ code: "HEADER", sentence: expect.stringContaining("was not given") });
  });

  it("accepts the signed value and reports another one", async () => {
    const keys = [credentials];
    expect(await ask({ keys, request: { method: "PUT", headers } })).toBeUndefined();
    const other = { "x-goog-content-length-range": "1,778" };
    expect(await ask({ keys, request: { method: "PUT", headers: other } })).toMatchObject({
      code: "HEADER",
      sentence: expect.stringContaining("x-goog-content-length-range"),
    });
  });
});

describe("explain with a signed content-length", () => {
  const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
    ...{ bucket: "media", key: "a.txt", method: "PUT", expiresIn: 900, bind: { contentLength: 1234 } },
  });
  const request = { method: "PUT", headers: { accept: "*/*" } };

  it("does not report it as missing from a list of headers: every client sends it", async () => {
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
