import type { Grant, ObligationKind, SignedRequest, Verifier } from "../../src/index.ts";
import { akamaiSigner, akamaiVerifier } from "../../src/schemes/akamai/index.ts";
import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../../src/schemes/azure/index.ts";
import { bunnySigner, bunnyVerifier } from "../../src/schemes/bunny/index.ts";
import { cloudCdnSigner, cloudCdnVerifier } from "../../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../../src/schemes/cloudflare/index.ts";
import { cloudfrontSigner, cloudfrontVerifier } from "../../src/schemes/cloudfront/index.ts";
import { cosSigner, cosVerifier } from "../../src/schemes/cos/index.ts";
import { fastlySigner, fastlyVerifier } from "../../src/schemes/fastly/index.ts";
import { gcsHmacSigner, gcsHmacVerifier } from "../../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier } from "../../src/schemes/gcs/v2/index.ts";
import { imgixSigner, imgixVerifier } from "../../src/schemes/imgix/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../../src/schemes/laravel/index.ts";
import { mediaCdnSigner, mediaCdnVerifier } from "../../src/schemes/media-cdn/index.ts";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../../src/schemes/media-cdn/token/index.ts";
import { nginxSigner, nginxVerifier } from "../../src/schemes/nginx/index.ts";
import { ossSigner, ossVerifier } from "../../src/schemes/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../../src/schemes/oss/v1/index.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "../../src/schemes/s3/express/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../../src/schemes/s3/v2/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { swiftSigner, swiftVerifier } from "../../src/schemes/swift/index.ts";
import { symfonySigner, symfonyVerifier } from "../../src/schemes/symfony/index.ts";
import { uriSigningRegex, uriSigningSigner, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";
import { RSA } from "../cloudfront/keys.ts";
import type { ProbeConstraints, Subject } from "./probe.ts";

type Clock = () => Date;

export const ORIGIN = "https://media.example.com";
export const OTHER = "https://other.example.com";
const ORIGINS = [ORIGIN, OTHER];
export const RESOURCE = "talks/keynote.mp4";
const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "uses",
  "response",
  "strip",
];

/** What all verifiers are told. */
type Common = { readonly origins: readonly string[]; readonly enforces: readonly ObligationKind[] };

/** A subject from a signer and a verifier that take a clock. */
export function subject<R>(
  scheme: string,
  signer: (clock: Clock) => { sign(request: R): SignedRequest | Promise<SignedRequest> },
  verifier: (clock: Clock, common: Common) => Verifier<Grant>,
  resource: object,
  {
    request = (constraints) => constraints,
    ...more
  }: Partial<Subject> & {
    /** In the scheme's own words. */
    readonly request?: (constraints: ProbeConstraints) => object;
  } = {},
): Subject {
  return {
    scheme,
    // What a scheme's own request type leaves out it must refuse at run time, too.
    sign: (constraints: ProbeConstraints, at) => signer(() => at).sign({ ...resource, ...request(constraints) } as R),
    verify: (request, at, scheme) => {
      const origins = ORIGINS.map((origin) => origin.replace("https:", scheme ?? "https:"));
      return verifier(() => at, { origins, enforces: ENFORCES }).verify(request);
    },
    otherOrigin: OTHER,
    ...more,
  };
}

export const access = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
export const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
export const cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };
export const urlKey = {
  kty: "oct",
  alg: "HS256",
  kid: "k1",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
} as const;
export const object = { bucket: "media", key: RESOURCE };
export const session = { ...access, sessionToken: "token" };
export const anyBucket = (origin: string): string => origin.replace("://", "://*.");
export const endpoint = ORIGIN;

export const blobAccount = { account: "myaccount", endpoint: `${ORIGIN}/myaccount` };
export const accountKey = { accountKey: urlKey.k.replace(/$/, "=") };
export const userDelegationKey = {
  ...{ signedObjectId: "o", signedTenantId: "t", signedService: "b", signedVersion: "2022-11-02" },
  ...{ signedStartsOn: "2026-01-01T00:00:00Z", signedExpiresOn: "2026-01-08T00:00:00Z", value: accountKey.accountKey },
};
/** Azure signs permissions, and no method. A prefix stands in the place of the blob. */
export const azure = {
  request: ({ method = "GET", prefix, ...constraints }: ProbeConstraints) => ({
    ...constraints,
    ...{ method, permissions: method === "PUT" ? "cw" : "r" },
    ...(prefix === undefined ? { blob: RESOURCE } : { prefix }),
  }),
  prefix: { value: "talks/", elsewhere: (url: string) => url.replace("/talks?", "/talks/another?") },
};

export const secret = "SecurityKey";
export const hexKey = "52a152a152a152a152a152a152a152a1";
export const cdnKey = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
export const ed25519 = {
  privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
export const mediaToken = { secret: "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8" };
export const uriKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODw" } as const;
const cloudfrontKey = { keyPairId: "K2JCJMDEHXQW5F", privateKey: RSA.privateKey, hash: "sha256" } as const;
const cloudfrontKeys = { keyPairId: "K2JCJMDEHXQW5F", publicKey: RSA.publicKey, hashes: ["sha256"] } as const;
export const edge = { url: `${ORIGIN}/talks/2026/keynote.mp4` };
export const edgePrefix = { value: "/talks/", elsewhere: (url: string) => url.replace("keynote", "another") };

/** Every scheme that makes a URL. A new one adds its line. */
export const subjects: readonly Subject[] = [
  subject(
    "s3",
    (clock) => s3Signer({ region: "eu-west-1", endpoint, credentials: access, clock }),
    (clock, common) => s3Verifier({ ...common, credentials: access, clock }),
    object,
  ),
  subject(
    "s3/v2",
    (clock) => s3V2Signer({ region: "eu-west-1", endpoint, credentials: access, clock }),
    (clock, common) => s3V2Verifier({ ...common, credentials: access, clock }),
    object,
    { header: "x-amz-meta-trace", query: "versionId" },
  ),
  subject(
    "s3/express",
    (clock) => s3ExpressSigner({ region: "eu-west-1", endpoint, credentials: session, clock }),
    (clock, common) =>
      s3ExpressVerifier({ ...common, origins: common.origins.map(anyBucket), credentials: session, clock }),
    { bucket: "media--use1-az4--x-s3", key: RESOURCE },
    { otherOrigin: "https://media--use1-az4--x-s3.other.example.com" },
  ),
  subject(
    "s3/v4a",
    (clock) => s3V4aSigner({ endpoint, regionSet: ["*"], credentials: access, clock }),
    (clock, common) => s3V4aVerifier({ ...common, credentials: access, clock }),
    object,
  ),
  subject(
    "gcs",
    (clock) => gcsHmacSigner({ endpoint, credentials: access, clock }),
    (clock, common) => gcsHmacVerifier({ ...common, keys: access, clock }),
    { bucket: "media", object: RESOURCE },
  ),
  subject(
    "gcs/v2",
    (clock) => gcsV2HmacSigner({ endpoint, credentials: access, clock }),
    (clock, common) => gcsV2HmacVerifier({ ...common, keys: access, clock }),
    { bucket: "media", object: RESOURCE },
    { header: "x-goog-meta-trace", query: "generation" },
  ),
  subject(
    "oss",
    (clock) => ossSigner({ region: "cn-hangzhou", endpoint, addressing: "path", credentials: oss, clock }),
    (clock, common) => ossVerifier({ ...common, credentials: oss, clock }),
    object,
    { header: "x-oss-meta-trace" },
  ),
  subject(
    "oss/v1",
    (clock) => ossV1Signer({ region: "cn-hangzhou", endpoint, addressing: "path", credentials: oss, clock }),
    (clock, common) => ossV1Verifier({ ...common, credentials: oss, clock }),
    object,
    { header: "x-oss-meta-trace", query: "versionId" },
  ),
  subject(
    "azure",
    (clock) => azureSigner({ ...blobAccount, credentials: accountKey, clock }),
    (clock, common) => azureVerifier({ ...common, credentials: { account: "myaccount", ...accountKey }, clock }),
    { container: "media" },
    azure,
  ),
  subject(
    "azure, user delegation",
    (clock) => azureUserDelegationSigner({ ...blobAccount, credentials: { userDelegationKey }, clock }),
    (clock, common) => {
      const credentials = { account: "myaccount", userDelegationKey };
      return azureUserDelegationVerifier({ ...common, credentials, clock });
    },
    { container: "media" },
    azure,
  ),
  subject(
    "azure, account",
    (clock) => azureAccountSigner({ ...blobAccount, credentials: accountKey, clock }),
    (clock, common) => azureAccountVerifier({ ...common, credentials: { account: "myaccount", ...accountKey }, clock }),
    { container: "media", resourceTypes: "o" },
    azure,
  ),
  subject(
    "cos",
    (clock) => cosSigner({ region: "ap-guangzhou", endpoint, addressing: "path", credentials: cos, clock }),
    (clock, common) => cosVerifier({ ...common, credentials: cos, clock }),
    { bucket: "media-1250000000", key: RESOURCE },
  ),
  subject(
    "swift",
    (clock) => swiftSigner({ endpoint, account: "AUTH_a", key: "mykey", digest: "sha256", clock }),
    (clock, common) => swiftVerifier({ ...common, keys: { account: "AUTH_a", key: "mykey" }, clock }),
    { container: "media", object: RESOURCE },
    { prefix: { value: "talks/", elsewhere: (url) => url.replace("keynote", "another") } },
  ),
  subject(
    "url",
    (clock) => urlSigner({ key: urlKey, clock }),
    (clock, common) => urlVerifier({ ...common, keys: [urlKey], clock }),
    { url: `${ORIGIN}/talks/2026/keynote.mp4` },
    {
      request: ({ method = "GET", ...constraints }) => ({ ...constraints, methods: [method] }),
      prefix: { value: "/talks/2026/", elsewhere: (url) => url.replace("keynote", "another") },
    },
  ),
  subject(
    "cloudfront",
    (clock) => cloudfrontSigner({ ...cloudfrontKey, clock }),
    (clock, common) => cloudfrontVerifier({ ...common, keys: cloudfrontKeys, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "uri-signing",
    (clock) => uriSigningSigner({ key: uriKey, clock }),
    (clock, common) => uriSigningVerifier({ ...common, keySets: [{ keys: [uriKey] }], regex: uriSigningRegex, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "nginx",
    (clock) => nginxSigner({ secret, clock }),
    (clock, common) => nginxVerifier({ ...common, secrets: secret, clock }),
    edge,
  ),
  subject(
    "bunny",
    (clock) => bunnySigner({ secret, clock }),
    (clock, common) => bunnyVerifier({ ...common, secrets: secret, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "akamai",
    (clock) => akamaiSigner({ secret: hexKey, clock }),
    (clock, common) => akamaiVerifier({ ...common, secrets: hexKey, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "cloudflare",
    (clock) => cloudflareSigner({ secret, ttl: 3600, clock }),
    (clock, common) => cloudflareVerifier({ ...common, secrets: secret, ttl: 3600, clock }),
    edge,
  ),
  subject(
    "cloud-cdn",
    (clock) => cloudCdnSigner({ ...cdnKey, clock }),
    (clock, common) => cloudCdnVerifier({ ...common, keys: cdnKey, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "media-cdn",
    (clock) => mediaCdnSigner({ keyName: "edge", privateKey: ed25519.privateKey, clock }),
    (clock, common) => mediaCdnVerifier({ ...common, keys: { keyName: "edge", publicKey: ed25519.publicKey }, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "media-cdn/token",
    (clock) => mediaCdnTokenSigner({ key: mediaToken, clock }),
    (clock, common) => mediaCdnTokenVerifier({ ...common, keys: mediaToken, clock }),
    edge,
    { prefix: edgePrefix },
  ),
  subject(
    "imgproxy",
    (clock) => imgproxySigner({ key: hexKey, salt: hexKey, clock }),
    (clock, common) => imgproxyVerifier({ ...common, keys: { key: hexKey, salt: hexKey }, clock }),
    { url: `${ORIGIN}/rs:fit:300/plain/s3://media/talks/keynote.png` },
  ),
  subject(
    "imgix",
    (clock) => imgixSigner({ secret, clock }),
    (clock, common) => imgixVerifier({ ...common, secrets: secret, clock }),
    edge,
  ),
  subject(
    "fastly",
    (clock) => fastlySigner({ secret: "b2xk", clock }),
    (clock, common) => fastlyVerifier({ ...common, secrets: "b2xk", clock }),
    edge,
  ),
  subject(
    "laravel",
    (clock) => laravelSigner({ secret, clock }),
    (clock, common) => laravelVerifier({ ...common, secrets: secret, clock }),
    edge,
  ),
  subject(
    "symfony",
    (clock) => symfonySigner({ secret, clock }),
    (clock, common) => symfonyVerifier({ ...common, secrets: secret, clock }),
    edge,
  ),
];
