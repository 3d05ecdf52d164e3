import { expect, it } from "vitest";
import { akamaiSigner } from "../src/schemes/akamai/index.ts";
import { azureAccountSigner, azureSigner, azureUserDelegationSigner } from "../src/schemes/azure/index.ts";
import { bunnySigner } from "../src/schemes/bunny/index.ts";
import { cloudCdnCookieSigner, cloudCdnSigner } from "../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner } from "../src/schemes/cloudflare/index.ts";
import { cloudfrontCookieSigner, cloudfrontSigner } from "../src/schemes/cloudfront/index.ts";
import { cosSigner } from "../src/schemes/cos/index.ts";
import { fastlySigner } from "../src/schemes/fastly/index.ts";
import { gcsHmacFormSigner } from "../src/schemes/gcs/form/index.ts";
import { gcsHmacSigner, gcsSigner } from "../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner } from "../src/schemes/gcs/v2/index.ts";
import { imgixSigner } from "../src/schemes/imgix/index.ts";
import { imgproxySigner } from "../src/schemes/imgproxy/index.ts";
import { laravelSigner } from "../src/schemes/laravel/index.ts";
import { mediaCdnCookieSigner, mediaCdnSigner } from "../src/schemes/media-cdn/index.ts";
import { mediaCdnEd25519TokenSigner, mediaCdnTokenSigner } from "../src/schemes/media-cdn/token/index.ts";
import { nginxSigner } from "../src/schemes/nginx/index.ts";
import { ossSigner } from "../src/schemes/oss/index.ts";
import { ossV1Signer } from "../src/schemes/oss/v1/index.ts";
import { swiftSigner } from "../src/schemes/swift/index.ts";
import { symfonySigner } from "../src/schemes/symfony/index.ts";
import { uriSigningSigner } from "../src/schemes/uri-signing/index.ts";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY } from "./azure/fixture.ts";
import { RSA } from "./cloudfront/keys.ts";
import { clock } from "./edge-fixture.ts";
import { account } from "./gcs/account.ts";

// A program may make several signers with one object, whose members it changes in between.

const endpoint = "https://store.example.com";
const url = "https://media.example.com/hls/a.ts";
const stored = { bucket: "media", expiresIn: 60 };
const edge = { url, expiresIn: 60 };
const secret = "SecurityKey";
const HEX = "52a152a152a152a152a152a152a1";
const aliyun = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "s" };
const hmac = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "s" };
const ed25519 = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const google = { keyName: "k", key: "nZtRohdNF9m3cKM24IcK4w==" };
const container = { container: "media", blob: "a", permissions: "r", expiresIn: 60 };

type Make = (options: never) => { sign(request: never): unknown };
const signers: readonly (readonly [name: string, make: Make, options: object, request: object])[] = [
  ["azure", azureSigner, { account: ACCOUNT, credentials: CREDENTIALS, endpoint, version: "2020-12-06" }, container],
  [
    "azure, delegation",
    azureUserDelegationSigner,
    { account: ACCOUNT, credentials: { userDelegationKey: DELEGATION_KEY } },
    container,
  ],
  [
    "azure, account",
    azureAccountSigner,
    { account: ACCOUNT, credentials: CREDENTIALS },
    { ...container, resourceTypes: "o" },
  ],
  ["gcs", gcsSigner, { credentials: account, endpoint, addressing: "virtual" }, { ...stored, object: "a" }],
  ["gcs by HMAC", gcsHmacSigner, { credentials: hmac, endpoint, addressing: "virtual" }, { ...stored, object: "a" }],
  [
    "gcs by a function",
    gcsHmacSigner,
    { credentials: () => ({ ...hmac }), endpoint, addressing: "virtual" },
    { ...stored, object: "a" },
  ],
  [
    "gcs/form by a function",
    gcsHmacFormSigner,
    { credentials: () => ({ ...hmac }), endpoint, addressing: "virtual" },
    { ...stored, object: "a" },
  ],
  [
    "gcs/v2 by a function",
    gcsV2HmacSigner,
    { credentials: () => ({ ...hmac }), endpoint, addressing: "virtual" },
    { ...stored, object: "a" },
  ],
  ["gcs/v2", gcsV2HmacSigner, { credentials: hmac, endpoint, addressing: "virtual" }, { ...stored, object: "a" }],
  ["oss", ossSigner, { region: "cn-hangzhou", credentials: aliyun, addressing: "path" }, { ...stored, key: "a" }],
  [
    "oss, a cloud box",
    ossSigner,
    { region: "cn-hangzhou", cloudBoxId: "cb-1", credentials: aliyun },
    { ...stored, key: "a" },
  ],
  ["oss/v1", ossV1Signer, { region: "cn-hangzhou", credentials: aliyun }, { ...stored, key: "a" }],
  [
    "cos",
    cosSigner,
    { region: "ap-guangzhou", credentials: { secretId: "A", secretKey: "s" } },
    { ...stored, key: "a" },
  ],
  [
    "swift",
    swiftSigner,
    { endpoint, account: "AUTH_test", key: "mykey" },
    { container: "media", object: "a", expiresIn: 60 },
  ],
  [
    "swift, SHA-512",
    swiftSigner,
    { endpoint, account: "AUTH_test", key: "mykey", digest: "sha512" },
    { container: "media", object: "a", expiresIn: 60 },
  ],
  [
    "nginx",
    nginxSigner,
    { secret, expression: "$secure_link_expires|$uri $secret", parameters: { signature: "m", expires: "e" } },
    edge,
  ],
  ["bunny", bunnySigner, { secret }, edge],
  [
    "akamai",
    akamaiSigner,
    { secret: HEX, hash: "sha1", salt: "s", parameter: "hdnts", escapeEarly: true },
    { ...edge, data: "a b" },
  ],
  ["cloudflare", cloudflareSigner, { secret, ttl: 900, parameter: "v", urlSafe: true }, edge],
  ["cloud-cdn", cloudCdnSigner, google, edge],
  ["cloud-cdn, cookies", cloudCdnCookieSigner, google, { url: "https://media.example.com/hls/", expiresIn: 60 }],
  ["media-cdn", mediaCdnSigner, { keyName: "k", privateKey: ed25519, padded: true }, edge],
  [
    "media-cdn, cookies",
    mediaCdnCookieSigner,
    { keyName: "k", privateKey: ed25519 },
    { url: "https://media.example.com/hls/", expiresIn: 60 },
  ],
  ["media-cdn/token", mediaCdnTokenSigner, { key: { secret: "A".repeat(22) }, parameter: "t" }, edge],
  ["media-cdn/token, Ed25519", mediaCdnEd25519TokenSigner, { privateKey: ed25519, parameter: "t" }, edge],
  ["imgproxy", imgproxySigner, { key: HEX, salt: HEX, signatureSize: 16, pathPrefix: "/hls" }, edge],
  ["imgix", imgixSigner, { secret }, edge],
  ["fastly", fastlySigner, { secret: "b2xk", hash: "sha256", parameter: "t" }, edge],
  ["laravel", laravelSigner, { secret, relative: true }, edge],
  ["symfony", symfonySigner, { secret, encoding: "base64", parameters: { hash: "h", expiration: "e" } }, edge],
  ["cloudfront", cloudfrontSigner, { keyPairId: "K1", privateKey: RSA.privateKey, hash: "sha256" }, edge],
  [
    "cloudfront, cookies",
    cloudfrontCookieSigner,
    { keyPairId: "K1", privateKey: RSA.privateKey, hash: "sha256" },
    { resource: url, expiresIn: 60 },
  ],
  [
    "uri-signing",
    uriSigningSigner,
    { key: { kty: "oct", alg: "HS256", kid: "k1", k: "A".repeat(22) }, issuer: "csp", attribute: "T" },
    edge,
  ],
];

it.each(signers)("%s: keeps its options when the object changes", async (_, make, given, request) => {
  const options: Record<string, unknown> = { ...given, clock };
  const signer = make(options as never);
  const fresh = make({ ...given, clock } as never);
  const before = JSON.stringify(await signer.sign(request as never));
  expect(JSON.stringify(await fresh.sign(request as never))).toBe(before);
  for (const name of Object.keys(options)) options[name] = name === "clock" ? () => new Date(0) : "other";
  expect(JSON.stringify(await signer.sign(request as never))).toBe(before);
});

// Signers of Cloud Storage copy their options.
const readers = signers.filter(([name]) => !name.startsWith("gcs"));
it.each(readers)("%s: reads options from getters of a class", async (_, make, given, request) => {
  const plain = { ...given, clock };
  const inherited: object = Object.create(plain);
  const [one, other] = [plain, inherited].map((options) => make(options as never));
  expect(JSON.stringify(await other?.sign(request as never))).toBe(JSON.stringify(await one?.sign(request as never)));
});
