import { azureSigner } from "daypass/azure";
import { bunnySigner } from "daypass/bunny";
import { cloudCdnSigner } from "daypass/cloud-cdn";
import { cloudflareSigner } from "daypass/cloudflare";
import { cloudfrontSigner } from "daypass/cloudfront";
import { cosSigner } from "daypass/cos";
import type { ExplainKey } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { imgixSigner } from "daypass/imgix";
import { laravelSigner } from "daypass/laravel";
import { mediaCdnSigner } from "daypass/media-cdn";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { uriSigningSigner } from "daypass/uri-signing";
import { urlSigner } from "daypass/url";
import { rsaPem } from "../rsa-pair.ts";

// One good URL of each scheme, signed at one time, with the key that signed it.

export const signedAt = new Date("2026-11-24T12:00:00Z");
export const clock = (): Date => signedAt;
/** While every URL is valid. */
export const soon = (): Date => new Date("2026-11-24T12:05:00Z");
/** After every URL has expired. */
export const late = (): Date => new Date("2026-11-24T13:00:00Z");
export const expiresIn = 900;
/** The end in seconds since 1970. */
export const END: number = signedAt.getTime() / 1000 + expiresIn;
export const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

export interface Signed {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Wish {
  readonly method?: string;
  readonly key?: string;
  readonly bind?: { readonly contentType?: string; readonly headers?: Readonly<Record<string, string>> };
  readonly id?: string;
  readonly secret?: string;
}

/** A store whose URLs an access key signs. */
export interface Store {
  readonly name: string;
  keyOf(id: string, secret: string): ExplainKey;
  sign(wish?: Wish): Signed;
}

const access = (accessKeyId: string, secretAccessKey: string) => ({ accessKeyId, secretAccessKey });
const alibaba = (accessKeyId: string, accessKeySecret: string) => ({ accessKeyId, accessKeySecret });
const tencent = (secretId: string, secretKey: string) => ({ secretId, secretKey });

function store<K extends ExplainKey>(
  name: string,
  keyOf: (id: string, secret: string) => K,
  sign: (key: K, request: Request, rest: Omit<Request, "key">) => Signed,
): Store {
  return {
    name,
    keyOf,
    sign: ({ id = "AKIDEXAMPLE", secret = SECRET, method = "GET", key = "a/b.txt", bind = {} } = {}) => {
      const rest = { bucket: "media", method, bind, expiresIn };
      return sign(keyOf(id, secret), { ...rest, key }, rest);
    },
  };
}

interface Request extends Required<Pick<Wish, "method" | "key" | "bind">> {
  readonly bucket: string;
  readonly expiresIn: number;
}

export const stores: readonly Store[] = [
  store("S3", access, (credentials, request) => s3Signer({ region: "eu-west-1", credentials, clock }).sign(request)),
  store("S3 V2", access, (credentials, request) =>
    s3V2Signer({ region: "us-east-1", credentials, clock }).sign(request),
  ),
  store("Cloud Storage", access, (credentials, { key: object }, rest) =>
    gcsHmacSigner({ credentials, clock }).sign({ ...rest, object }),
  ),
  store("Cloud Storage V2", access, (credentials, { key: object }, rest) =>
    gcsV2HmacSigner({ credentials, clock }).sign({ ...rest, object }),
  ),
  store("OSS", alibaba, (credentials, request) =>
    ossSigner({ region: "cn-hangzhou", credentials, clock }).sign(request),
  ),
  store("OSS V1", alibaba, (credentials, request) =>
    ossV1Signer({ region: "cn-hangzhou", credentials, clock }).sign(request),
  ),
  store("COS", tencent, (credentials, request) =>
    cosSigner({ region: "ap-guangzhou", credentials, clock }).sign({ ...request, bucket: "media-1250000000" }),
  ),
];

/** A good URL of any scheme, and its key. */
export interface Sample {
  readonly name: string;
  readonly key: ExplainKey;
  sign(): { readonly url: string } | Promise<{ readonly url: string }>;
}

export const JWK = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
export const accountKey: string = Buffer.alloc(32, 7).toString("base64");
const route = { url: "https://cdn.example.com/a/b.txt?w=1&h=2", expiresIn };
const secret = "a-long-secret";
const uriKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
const cdnKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const cloudflare = { secret, ttl: 10_800 };
const ed25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

/** URLs of single objects, and of routes with a query, which edge tokens sign. */
export const samples: readonly Sample[] = [
  ...stores.map(({ name, keyOf, sign }) => ({ name, key: keyOf("AKIDEXAMPLE", SECRET), sign: () => sign() })),
  {
    name: "Azure",
    key: { accountKey },
    sign: () =>
      azureSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
        ...{ container: "media", blob: "a/b.txt", permissions: "r", expiresIn },
      }),
  },
  {
    name: "Swift",
    key: { account: "AUTH_t", key: "kk" },
    sign: () =>
      swiftSigner({ endpoint: "https://s.example.com", account: "AUTH_t", key: "kk", clock }).sign({
        ...{ container: "c", object: "o", expiresIn },
      }),
  },
  {
    name: "CloudFront",
    key: { keyPairId: "K1", publicKey: rsaPem.publicKey },
    sign: () => cloudfrontSigner({ keyPairId: "K1", privateKey: rsaPem.privateKey, clock }).sign(route),
  },
  { name: "Daypass", key: JWK, sign: () => urlSigner({ key: JWK, clock }).sign(route) },
  {
    name: "URI Signing",
    key: { scheme: "uri-signing", key: uriKey },
    sign: () => uriSigningSigner({ key: uriKey, clock }).sign(route),
  },
  { name: "Bunny", key: { scheme: "bunny", secret }, sign: () => bunnySigner({ secret, clock }).sign(route) },
  { name: "imgix", key: { scheme: "imgix", secret }, sign: () => imgixSigner({ secret, clock }).sign(route) },
  { name: "Laravel", key: { scheme: "laravel", secret }, sign: () => laravelSigner({ secret, clock }).sign(route) },
  { name: "Symfony", key: { scheme: "symfony", secret }, sign: () => symfonySigner({ secret, clock }).sign(route) },
  {
    name: "Cloudflare",
    key: { scheme: "cloudflare", ...cloudflare },
    sign: () => cloudflareSigner({ ...cloudflare, clock }).sign(route),
  },
  {
    name: "Cloud CDN",
    key: { scheme: "cloud-cdn", ...cdnKey },
    sign: () => cloudCdnSigner({ ...cdnKey, clock }).sign(route),
  },
  {
    name: "Media CDN",
    key: { scheme: "media-cdn", keyName: "edge", publicKey: ed25519.publicKey },
    sign: () => mediaCdnSigner({ keyName: "edge", privateKey: ed25519.privateKey, clock }).sign(route),
  },
];

/** The sample of a name. */
export function sample(name: string): Sample {
  return samples.find((one) => one.name === name) as Sample;
}
