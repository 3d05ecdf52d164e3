import { akamaiSigner, akamaiVerifier } from "../../src/schemes/akamai/index.ts";
import {
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../../src/schemes/azure/index.ts";
import { bunnySigner, bunnyVerifier } from "../../src/schemes/bunny/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../../src/schemes/cloudflare/index.ts";
import { cloudfrontSigner, cloudfrontVerifier } from "../../src/schemes/cloudfront/index.ts";
import { cosSigner, cosVerifier } from "../../src/schemes/cos/index.ts";
import { gcsHmacSigner, gcsHmacVerifier, gcsSigner, gcsVerifier } from "../../src/schemes/gcs/index.ts";
import { gcsV2Signer, gcsV2Verifier } from "../../src/schemes/gcs/v2/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../../src/schemes/laravel/index.ts";
import {
  mediaCdnEd25519TokenSigner,
  mediaCdnPublicKey,
  mediaCdnSha1Key,
  mediaCdnTokenSigner,
  mediaCdnTokenVerifier,
} from "../../src/schemes/media-cdn/token/index.ts";
import { ossSigner, ossVerifier } from "../../src/schemes/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../../src/schemes/oss/v1/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../../src/schemes/s3/v2/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../../src/schemes/s3/v4a/index.ts";
import { swiftSigner, swiftVerifier } from "../../src/schemes/swift/index.ts";
import { symfonySigner, symfonyVerifier } from "../../src/schemes/symfony/index.ts";
import { uriSigningRegex, uriSigningSigner, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { EC, RSA } from "../cloudfront/keys.ts";
import type { Capabilities, Subject } from "./probe.ts";
import {
  access,
  accountKey,
  anyBucket,
  azure,
  blobAccount,
  cos,
  ed25519,
  edge,
  edgePrefix,
  endpoint,
  hexKey,
  mediaToken,
  ORIGIN,
  OTHER,
  object,
  oss,
  RESOURCE,
  secret,
  session,
  subject,
  uriKey,
  userDelegationKey,
} from "./subjects.ts";

/** A scheme in another shape than the table's: another addressing, kind of key, digest, version or place of the token. */
export interface Shape {
  readonly subject: Subject;
  /** The row of the table that holds for it. */
  readonly row: string;
  /** What its page says is otherwise. */
  readonly but?: Capabilities["constraints"];
}

type Common = { readonly origins: readonly string[] };
const wild = <C extends Common>(common: C): C => ({ ...common, origins: common.origins.map(anyBucket) });
const inHost = { otherOrigin: anyBucket(OTHER).replace("*", "media") };
const virtual = { endpoint, addressing: "virtual" } as const;
const account = { client_email: "a@p.iam.gserviceaccount.com", private_key: RSA.privateKey };
const publicAccount = { client_email: account.client_email, public_key: RSA.publicKey };
const inBucket = { bucket: "media", object: RESOURCE };
const sts = { ...oss, securityToken: "token" };
const tencent = { ...cos, sessionToken: "token" };
const below = { prefix: { value: "talks/", elsewhere: (url: string) => url.replace("keynote", "another") } };
const region = "eu-west-1";

export const shapes: readonly Shape[] = [
  {
    row: "s3",
    subject: subject(
      "s3, virtual host, session",
      (clock) => s3Signer({ ...virtual, region, credentials: session, clock }),
      (clock, common) => s3Verifier({ ...wild(common), credentials: session, clock }),
      object,
      inHost,
    ),
  },
  {
    row: "s3/v2",
    subject: subject(
      "s3/v2, virtual host, session",
      (clock) => s3V2Signer({ ...virtual, region, credentials: session, clock }),
      (clock, common) => s3V2Verifier({ ...wild(common), credentials: session, clock }),
      object,
      { header: "x-amz-meta-trace", query: "versionId", ...inHost },
    ),
  },
  {
    row: "s3/v4a",
    subject: subject(
      "s3/v4a, virtual host, session",
      (clock) => s3V4aSigner({ ...virtual, regionSet: ["*"], credentials: session, clock }),
      (clock, common) => s3V4aVerifier({ ...wild(common), credentials: session, clock }),
      object,
      inHost,
    ),
  },
  {
    row: "gcs",
    subject: subject(
      "gcs, account",
      (clock) => gcsSigner({ endpoint, credentials: account, clock }),
      (clock, common) => gcsVerifier({ ...common, keys: publicAccount, clock }),
      inBucket,
    ),
  },
  {
    row: "gcs",
    subject: subject(
      "gcs, account, bucket-bound",
      (clock) => gcsSigner({ endpoint, addressing: "bucket-bound", credentials: account, clock }),
      (clock, common) => {
        const buckets = { [ORIGIN]: "media", [OTHER]: "media" };
        return gcsVerifier({ ...common, buckets, keys: publicAccount, clock });
      },
      inBucket,
    ),
  },
  {
    row: "gcs",
    subject: subject(
      "gcs, HMAC, virtual host",
      (clock) => gcsHmacSigner({ ...virtual, credentials: access, clock }),
      (clock, common) => gcsHmacVerifier({ ...wild(common), keys: access, clock }),
      inBucket,
      inHost,
    ),
  },
  {
    row: "gcs/v2",
    subject: subject(
      "gcs/v2, account",
      (clock) => gcsV2Signer({ endpoint, credentials: account, clock }),
      (clock, common) => gcsV2Verifier({ ...common, keys: publicAccount, clock }),
      inBucket,
      { header: "x-goog-meta-trace", query: "generation" },
    ),
  },
  {
    row: "oss",
    subject: subject(
      "oss, virtual host, STS, host bound",
      (clock) => ossSigner({ ...virtual, region: "cn-hangzhou", credentials: sts, clock }),
      (clock, common) => ossVerifier({ ...wild(common), credentials: sts, clock }),
      { ...object, bindHost: true },
      { header: "x-oss-meta-trace", ...inHost },
    ),
  },
  {
    row: "oss/v1",
    subject: subject(
      "oss/v1, virtual host, STS",
      (clock) => ossV1Signer({ ...virtual, region: "cn-hangzhou", credentials: sts, clock }),
      (clock, common) => ossV1Verifier({ ...wild(common), credentials: sts, clock }),
      object,
      { header: "x-oss-meta-trace", query: "versionId", ...inHost },
    ),
  },
  {
    row: "cos",
    subject: subject(
      "cos, virtual host, STS",
      (clock) => cosSigner({ ...virtual, region: "ap-guangzhou", credentials: tencent, clock }),
      (clock, common) => cosVerifier({ ...wild(common), credentials: tencent, clock }),
      { bucket: "media-1250000000", key: RESOURCE },
      { otherOrigin: "https://media-1250000000.other.example.com" },
    ),
  },
  ...(["sha1", "sha512"] as const).map((digest) => {
    const key = { account: "AUTH_a", key: "mykey" };
    return {
      row: "swift",
      subject: subject(
        `swift, ${digest}, end as text`,
        // The digest makes the type of the signer.
        (clock) =>
          digest === "sha1"
            ? swiftSigner({ endpoint, ...key, digest, clock })
            : swiftSigner({ endpoint, ...key, digest, clock }),
        (clock, common) => swiftVerifier({ ...common, keys: { ...key, digests: [digest] }, clock }),
        { container: "media", object: RESOURCE, expiresAs: "iso" },
        below,
      ),
    };
  }),
  ...(["sha1", "sha256"] as const).flatMap((hash) =>
    [RSA, EC].map(({ privateKey, publicKey }) => ({
      row: "cloudfront",
      // ECDSA signs differently each time.
      ...(privateKey === EC.privateKey ? { but: { stableWindow: "refuses" } as const } : {}),
      subject: subject(
        `cloudfront, ${privateKey === EC.privateKey ? "ECDSA" : "RSA"}, ${hash}`,
        (clock) => cloudfrontSigner({ keyPairId: "K1", privateKey, hash, clock }),
        (clock, common) =>
          cloudfrontVerifier({ ...common, keys: { keyPairId: "K1", publicKey, hashes: [hash] }, clock }),
        edge,
        { prefix: edgePrefix },
      ),
    })),
  ),
  {
    row: "uri-signing",
    subject: subject(
      "uri-signing, in the path",
      (clock) => uriSigningSigner({ key: uriKey, clock }),
      (clock, common) =>
        uriSigningVerifier({ ...common, keySets: [{ keys: [uriKey] }], regex: uriSigningRegex, clock }),
      { ...edge, place: "path" },
      { prefix: edgePrefix },
    ),
  },
  {
    row: "bunny",
    subject: subject(
      "bunny, in the path",
      (clock) => bunnySigner({ secret, clock }),
      (clock, common) => bunnyVerifier({ ...common, secrets: secret, clock }),
      { ...edge, place: "path" },
      { prefix: edgePrefix },
    ),
  },
  {
    row: "akamai",
    subject: subject(
      "akamai, MD5, salt, escaped early",
      (clock) => akamaiSigner({ secret: hexKey, hash: "md5", salt: "s", escapeEarly: true, clock }),
      (clock, common) =>
        akamaiVerifier({ ...common, secrets: hexKey, hash: "md5", salt: "s", escapeEarly: true, clock }),
      edge,
      { prefix: edgePrefix },
    ),
  },
  {
    row: "cloudflare",
    subject: subject(
      "cloudflare, base64url",
      (clock) => cloudflareSigner({ secret, ttl: 3600, urlSafe: true, clock }),
      (clock, common) => cloudflareVerifier({ ...common, secrets: secret, ttl: 3600, urlSafe: true, clock }),
      { url: `${edge.url}?a=1` },
    ),
  },
  {
    row: "media-cdn/token",
    subject: subject(
      "media-cdn/token, SHA-1",
      (clock) => mediaCdnTokenSigner({ key: mediaCdnSha1Key(mediaToken), clock }),
      (clock, common) => mediaCdnTokenVerifier({ ...common, keys: mediaCdnSha1Key(mediaToken), clock }),
      edge,
      { prefix: edgePrefix },
    ),
  },
  {
    row: "media-cdn/token",
    subject: subject(
      "media-cdn/token, Ed25519",
      (clock) => mediaCdnEd25519TokenSigner({ privateKey: ed25519.privateKey, clock }),
      (clock, common) => mediaCdnTokenVerifier({ ...common, keys: mediaCdnPublicKey(ed25519.publicKey), clock }),
      edge,
      { prefix: edgePrefix },
    ),
  },
  {
    row: "imgproxy",
    subject: subject(
      "imgproxy, short, below a prefix",
      (clock) => imgproxySigner({ key: hexKey, salt: hexKey, signatureSize: 8, pathPrefix: "/i", clock }),
      (clock, common) => {
        const keys = { key: hexKey, salt: hexKey };
        return imgproxyVerifier({ ...common, keys, signatureSize: 8, pathPrefix: "/i", clock });
      },
      { url: `${ORIGIN}/i/rs:fit:300/plain/s3://media/talks/keynote.png` },
    ),
  },
  {
    row: "laravel",
    subject: subject(
      "laravel, relative",
      (clock) => laravelSigner({ secret, relative: true, clock }),
      (clock, common) => laravelVerifier({ ...common, secrets: secret, relative: true, clock }),
      edge,
    ),
  },
  {
    row: "symfony",
    subject: subject(
      "symfony, base64",
      (clock) => symfonySigner({ secret, encoding: "base64", clock }),
      (clock, common) => symfonyVerifier({ ...common, secrets: secret, encoding: "base64", clock }),
      edge,
    ),
  },
  {
    row: "azure",
    subject: subject(
      "azure, permissions of a stored policy",
      (clock) => azureSigner({ ...blobAccount, credentials: accountKey, clock }),
      (clock, common) => {
        const policies = () => ({ permissions: "rcw" });
        return azureVerifier({ ...common, credentials: { account: "myaccount", ...accountKey }, policies, clock });
      },
      { container: "media", identifier: "p" },
      { ...azure, request: (constraints) => ({ ...azure.request(constraints), permissions: undefined }) },
    ),
  },
  {
    row: "azure, user delegation",
    subject: subject(
      "azure, user delegation, newest version",
      (clock) =>
        azureUserDelegationSigner({ ...blobAccount, version: "2026-10-06", credentials: { userDelegationKey }, clock }),
      (clock, common) => {
        const credentials = { account: "myaccount", userDelegationKey };
        return azureUserDelegationVerifier({ ...common, credentials, clock });
      },
      { container: "media" },
      azure,
    ),
  },
];
