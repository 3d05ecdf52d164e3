import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../../src/azure/index.ts";
import { cosSigner, cosVerifier } from "../../src/cos/index.ts";
import { gcsHmacSigner, gcsHmacVerifier } from "../../src/gcs/index.ts";
import type { Grant, ObligationKind, SignedRequest, Verifier } from "../../src/index.ts";
import { ossSigner, ossVerifier } from "../../src/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../../src/oss/v1/index.ts";
import { s3Signer, s3Verifier } from "../../src/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../../src/s3/v2/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../../src/s3/v4a/index.ts";
import { swiftSigner, swiftVerifier } from "../../src/swift/index.ts";
import { urlSigner, urlVerifier } from "../../src/url/index.ts";
import type { ProbeConstraints, Subject } from "./probe.ts";

type Clock = () => Date;

const ORIGIN = "https://media.example.com";
const OTHER = "https://other.example.com";
const ORIGINS = [ORIGIN, OTHER];
const RESOURCE = "talks/keynote.mp4";
const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "uses",
  "response",
  "strip",
];

/** A subject from a signer and a verifier that take a clock. */
function subject<R>(
  scheme: string,
  signer: (clock: Clock) => { sign(request: R): SignedRequest | Promise<SignedRequest> },
  verifier: (clock: Clock) => Verifier<Grant>,
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
    verify: (request, at) => verifier(() => at).verify(request),
    otherOrigin: OTHER,
    ...more,
  };
}

const access = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
const cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };
const urlKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const common = { origins: ORIGINS, enforces: ENFORCES } as const;
const object = { bucket: "media", key: RESOURCE };
const endpoint = ORIGIN;

const blobAccount = { account: "myaccount", endpoint: `${ORIGIN}/myaccount` };
const accountKey = { accountKey: urlKey.k.replace(/$/, "=") };
const userDelegationKey = {
  ...{ signedObjectId: "o", signedTenantId: "t", signedService: "b", signedVersion: "2022-11-02" },
  ...{ signedStartsOn: "2026-01-01T00:00:00Z", signedExpiresOn: "2026-01-08T00:00:00Z", value: accountKey.accountKey },
};
/** Azure signs permissions, and no method. A prefix stands in the place of the blob. */
const azure = {
  request: ({ method = "GET", prefix, ...constraints }: ProbeConstraints) => ({
    ...constraints,
    ...{ method, permissions: method === "PUT" ? "cw" : "r" },
    ...(prefix === undefined ? { blob: RESOURCE } : { prefix }),
  }),
  prefix: { value: "talks/", elsewhere: (url: string) => url.replace("/talks?", "/talks/another?") },
};

/** Every scheme that makes a URL. A new one adds its line. */
export const subjects: readonly Subject[] = [
  subject(
    "s3",
    (clock) => s3Signer({ region: "eu-west-1", endpoint, credentials: access, clock }),
    (clock) => s3Verifier({ ...common, credentials: access, clock }),
    object,
  ),
  subject(
    "s3/v2",
    (clock) => s3V2Signer({ region: "eu-west-1", endpoint, credentials: access, clock }),
    (clock) => s3V2Verifier({ ...common, credentials: access, clock }),
    object,
    { header: "x-amz-meta-trace", query: "versionId" },
  ),
  subject(
    "s3/v4a",
    (clock) => s3V4aSigner({ endpoint, regionSet: ["*"], credentials: access, clock }),
    (clock) => s3V4aVerifier({ ...common, credentials: access, clock }),
    object,
  ),
  subject(
    "gcs",
    (clock) => gcsHmacSigner({ endpoint, credentials: access, clock }),
    (clock) => gcsHmacVerifier({ ...common, keys: access, clock }),
    { bucket: "media", object: RESOURCE },
  ),
  subject(
    "oss",
    (clock) => ossSigner({ region: "cn-hangzhou", endpoint, addressing: "path", credentials: oss, clock }),
    (clock) => ossVerifier({ ...common, credentials: oss, clock }),
    object,
    { header: "x-oss-meta-trace" },
  ),
  subject(
    "oss/v1",
    (clock) => ossV1Signer({ region: "cn-hangzhou", endpoint, addressing: "path", credentials: oss, clock }),
    (clock) => ossV1Verifier({ ...common, credentials: oss, clock }),
    object,
    { header: "x-oss-meta-trace", query: "versionId" },
  ),
  subject(
    "azure",
    (clock) => azureSigner({ ...blobAccount, credentials: accountKey, clock }),
    (clock) => azureVerifier({ ...common, credentials: { account: "myaccount", ...accountKey }, clock }),
    { container: "media" },
    azure,
  ),
  subject(
    "azure, user delegation",
    (clock) => azureUserDelegationSigner({ ...blobAccount, credentials: { userDelegationKey }, clock }),
    (clock) => {
      const credentials = { account: "myaccount", userDelegationKey };
      return azureUserDelegationVerifier({ ...common, credentials, clock });
    },
    { container: "media" },
    azure,
  ),
  subject(
    "azure, account",
    (clock) => azureAccountSigner({ ...blobAccount, credentials: accountKey, clock }),
    (clock) => azureAccountVerifier({ ...common, credentials: { account: "myaccount", ...accountKey }, clock }),
    { container: "media", resourceTypes: "o" },
    azure,
  ),
  subject(
    "cos",
    (clock) => cosSigner({ region: "ap-guangzhou", endpoint, addressing: "path", credentials: cos, clock }),
    (clock) => cosVerifier({ ...common, credentials: cos, clock }),
    { bucket: "media-1250000000", key: RESOURCE },
  ),
  subject(
    "swift",
    (clock) => swiftSigner({ endpoint, account: "AUTH_a", key: "mykey", digest: "sha256", clock }),
    (clock) => swiftVerifier({ ...common, keys: { account: "AUTH_a", key: "mykey" }, clock }),
    { container: "media", object: RESOURCE },
    { prefix: { value: "talks/", elsewhere: (url) => url.replace("keynote", "another") } },
  ),
  subject(
    "url",
    (clock) => urlSigner({ key: urlKey, clock }),
    (clock) => urlVerifier({ ...common, keys: [urlKey], clock }),
    { url: `${ORIGIN}/talks/2026/keynote.mp4` },
    {
      request: ({ method = "GET", ...constraints }) => ({ ...constraints, methods: [method] }),
      prefix: { value: "/talks/2026/", elsewhere: (url) => url.replace("keynote", "another") },
    },
  ),
];
