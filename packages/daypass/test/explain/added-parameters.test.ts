import { bunnySigner } from "daypass/bunny";
import { cloudCdnSigner } from "daypass/cloud-cdn";
import { cloudflareSigner } from "daypass/cloudflare";
import { cloudfrontSigner } from "daypass/cloudfront";
import { type ExplainKey, explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { imgixSigner } from "daypass/imgix";
import { laravelSigner } from "daypass/laravel";
import { mediaCdnSigner } from "daypass/media-cdn";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { symfonySigner } from "daypass/symfony";
import { uriSigningSigner } from "daypass/uri-signing";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { rsaPem } from "../rsa-pair.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const url = "https://cdn.example.com/a/b.txt?w=1&h=2";
const expiresIn = 900;
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
const secret = "a-long-secret";
const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const uriKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
const cdnKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const ed25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const object = { bucket: "media", key: "a/b.txt", expiresIn };
const s3 = s3Signer({ region: "eu-west-1", credentials, clock });

type Link = { readonly url: string };
interface Signed {
  readonly scheme: string;
  readonly key: ExplainKey;
  sign(): Link | Promise<Link>;
}

const schemes: readonly Signed[] = [
  // As SDKs make them: parameters besides those of the signature.
  { scheme: "s3", key: credentials, sign: () => s3.sign({ ...object, query: { "x-id": "GetObject" } }) },
  {
    scheme: "s3 with headers of the answer",
    key: credentials,
    sign: () => s3.sign({ ...object, response: { contentDisposition: "attachment" }, query: { "x-id": "GetObject" } }),
  },
  {
    scheme: "gcs",
    key: credentials,
    sign: () =>
      gcsHmacSigner({ credentials, clock }).sign({
        bucket: "media",
        object: "a",
        expiresIn,
        query: { generation: "7" },
      }),
  },
  {
    scheme: "oss",
    key: oss,
    sign: () => ossSigner({ region: "cn-hangzhou", credentials: oss, clock }).sign(object),
  },
  {
    scheme: "cloudfront",
    key: { keyPairId: "K1", publicKey: rsaPem.publicKey },
    sign: () => cloudfrontSigner({ keyPairId: "K1", privateKey: rsaPem.privateKey, clock }).sign({ url, expiresIn }),
  },
  { scheme: "url", key: jwk, sign: () => urlSigner({ key: jwk, clock }).sign({ url, expiresIn }) },
  {
    scheme: "uri-signing",
    key: { scheme: "uri-signing", key: uriKey },
    sign: () => uriSigningSigner({ key: uriKey, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "bunny",
    key: { scheme: "bunny", secret },
    sign: () => bunnySigner({ secret, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "imgix",
    key: { scheme: "imgix", secret },
    sign: () => imgixSigner({ secret, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "laravel",
    key: { scheme: "laravel", secret },
    sign: () => laravelSigner({ secret, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "symfony",
    key: { scheme: "symfony", secret },
    sign: () => symfonySigner({ secret, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "cloudflare",
    key: { scheme: "cloudflare", secret, ttl: 10_800 },
    sign: () => cloudflareSigner({ secret, ttl: 10_800, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "cloud-cdn",
    key: { scheme: "cloud-cdn", ...cdnKey },
    sign: () => cloudCdnSigner({ ...cdnKey, clock }).sign({ url, expiresIn }),
  },
  {
    scheme: "media-cdn",
    key: { scheme: "media-cdn", keyName: "edge", publicKey: ed25519.publicKey },
    sign: () => mediaCdnSigner({ keyName: "edge", privateKey: ed25519.privateKey, clock }).sign({ url, expiresIn }),
  },
];

describe.each(schemes)("parameters that were added to a URL of $scheme", ({ key, sign }) => {
  it.each([
    [
      "trackers",
      "utm_source=mail&utm_medium=x&utm_campaign=y&gclid=z",
      /utm_source, utm_medium, utm_campaign and gclid/,
    ],
    ["others", "za=1&zb=2&zc=3&zd=4&ze=5", /za, zb, zc, zd and ze/],
  ])("are named: %s", async (_, added, names) => {
    const { cause } = await explain(`${(await sign()).url}&${added}`, { clock: soon, keys: [key] });
    expect(cause).toMatchObject({ code: "QUERY" });
    expect(cause?.sentence).toMatch(names);
  });
});

it("says of a token for one URI that it is for another one, and not which", async () => {
  const { url: signed } = await uriSigningSigner({ key: uriKey, clock }).sign({ url, expiresIn });
  const { cause } = await explain(`${signed}&utm_source=mail`, { clock: soon });
  expect(cause).toMatchObject({ code: "PATH" });
  expect(cause?.sentence).toMatch(/for one that it does not show, and not for .* with its query/);
});
