import { createHash, createHmac } from "node:crypto";
import type { FormVerifier, SignedForm } from "../src/forms/form.ts";
import type { Grant, ObligationKind, SignedRequest, Verifier, WireRequest } from "../src/index.ts";
import { akamaiSigner, akamaiVerifier } from "../src/schemes/akamai/index.ts";
import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../src/schemes/azure/index.ts";
import { bunnySigner, bunnyVerifier } from "../src/schemes/bunny/index.ts";
import { cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "../src/schemes/cloud-cdn/index.ts";
import { cloudflareSigner, cloudflareVerifier } from "../src/schemes/cloudflare/index.ts";
import { cloudfrontCookieSigner, cloudfrontSigner, cloudfrontVerifier } from "../src/schemes/cloudfront/index.ts";
import { cosSigner, cosVerifier } from "../src/schemes/cos/index.ts";
import { fastlySigner, fastlyVerifier } from "../src/schemes/fastly/index.ts";
import {
  gcsFormSigner,
  gcsFormVerifier,
  gcsHmacFormSigner,
  gcsHmacFormVerifier,
} from "../src/schemes/gcs/form/index.ts";
import { gcsHmacSigner, gcsHmacVerifier, gcsSigner, gcsVerifier } from "../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier, gcsV2Signer, gcsV2Verifier } from "../src/schemes/gcs/v2/index.ts";
import { imgixSigner, imgixVerifier } from "../src/schemes/imgix/index.ts";
import { imgproxySigner, imgproxyVerifier } from "../src/schemes/imgproxy/index.ts";
import { laravelSigner, laravelVerifier } from "../src/schemes/laravel/index.ts";
import { mediaCdnCookieSigner, mediaCdnSigner, mediaCdnVerifier } from "../src/schemes/media-cdn/index.ts";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../src/schemes/media-cdn/token/index.ts";
import { nginxSigner, nginxVerifier } from "../src/schemes/nginx/index.ts";
import { ossSigner, ossVerifier } from "../src/schemes/oss/index.ts";
import { ossV1Signer, ossV1Verifier } from "../src/schemes/oss/v1/index.ts";
import { s3ExpressSigner, s3ExpressVerifier } from "../src/schemes/s3/express/index.ts";
import { s3FormSigner, s3FormVerifier } from "../src/schemes/s3/form/index.ts";
import { s3FormV2Signer, s3FormV2Verifier } from "../src/schemes/s3/form/v2/index.ts";
import { s3HeaderVerifier } from "../src/schemes/s3/header/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { s3V2HeaderVerifier } from "../src/schemes/s3/v2/header/index.ts";
import { s3V2Signer, s3V2Verifier } from "../src/schemes/s3/v2/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../src/schemes/s3/v4a/index.ts";
import { swiftSigner, swiftVerifier } from "../src/schemes/swift/index.ts";
import { symfonySigner, symfonyVerifier } from "../src/schemes/symfony/index.ts";
import { uriSigningSigner, uriSigningVerifier } from "../src/schemes/uri-signing/index.ts";
import { urlSigner, urlVerifier } from "../src/schemes/url/index.ts";
import { RSA } from "./cloudfront/keys.ts";
import { account, foreignKey, hmacKey, publicAccount } from "./gcs/account.ts";

export const AT = new Date("2026-01-02T03:04:05Z");
export const LIFE = 900;
const clock = (): Date => AT;
export const ORIGIN = "https://media.example.com";
export const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "uses",
  "response",
  "strip",
];

interface Options {
  readonly clock: () => Date;
  readonly enforces: readonly ObligationKind[];
}

/** One verifier as the suites see it. A form is a request here whose headers are its fields. */
export interface EveryVerifier {
  readonly name: string;
  readonly form: boolean;
  /** A request that it accepts from `AT` on, for `LIFE` seconds. */
  readonly request: () => Promise<WireRequest>;
  /** What it was signed with, what has the same id and another secret, and what nobody may configure. */
  readonly right: unknown;
  readonly wrong: unknown;
  readonly empty: readonly unknown[];
  /** Who signed, as it stands in the request; `undefined` where a request does not say. */
  readonly keyId: string | undefined;
  /** Whether the path may be another one below a prefix. */
  readonly below: boolean;
  /** Where the signature stands, if not in a query parameter, header, cookie or field of its own. */
  readonly signature: RegExp;
  readonly verifier: (keys: unknown, options?: Partial<Options>) => Verifier<Grant>;
  /** A request that it accepts from a caller who enforces what the grant asks; `undefined` where grants ask for nothing. */
  readonly obliged: (() => Promise<WireRequest>) | undefined;
}

interface Row<K> {
  readonly right: K;
  readonly wrong: K;
  readonly empty?: readonly unknown[];
  readonly keyId?: string;
  readonly origins?: readonly string[];
  readonly signature: RegExp;
  // `never`: each scheme has a type of its own for keys, and what is handed in is wrong on purpose at times.
  readonly verifier: (keys: never, options: Options & { readonly origins: readonly string[] }) => Verifier<Grant>;
  readonly request: () => WireRequest | Promise<WireRequest>;
  readonly obliged?: () => WireRequest | Promise<WireRequest>;
}

function row<K>(
  name: string,
  { empty = [], keyId, origins = [ORIGIN], verifier, request, obliged, ...rest }: Row<K>,
  form = false,
): EveryVerifier {
  return {
    ...rest,
    name,
    form,
    below: /prefix|policy|cookie|azure, account/.test(name),
    empty,
    keyId,
    request: async () => request(),
    obliged: obliged && (async () => obliged()),
    verifier: (keys, options = {}) => verifier(keys as never, { origins, clock, enforces: ENFORCES, ...options }),
  };
}

function formRow<K>(
  name: string,
  {
    verifier,
    request,
    obliged,
    ...rest
  }: Omit<Row<K>, "verifier" | "request" | "obliged"> & {
    readonly verifier: (keys: never, options: Options) => FormVerifier;
    readonly request: () => SignedForm | Promise<SignedForm>;
    readonly obliged: () => SignedForm | Promise<SignedForm>;
  },
): EveryVerifier {
  const adapted = (keys: never, options: Options): Verifier<Grant> => {
    const { detects, verify } = verifier(keys, options);
    return {
      detects: ({ headers }) => detects(headers),
      verify: ({ headers }) => verify({ bucket: "media", fields: headers }),
    };
  };
  const posted = (form: () => SignedForm | Promise<SignedForm>) => async (): Promise<WireRequest> => {
    const { fields } = await form();
    return { method: "POST", target: "/", authority: "media.example.com", headers: Object.entries(fields) };
  };
  return row(name, { ...rest, verifier: adapted, request: posted(request), obliged: posted(obliged) }, true);
}

export function wire({ url, method, headers }: Pick<SignedRequest, "url" | "method" | "headers">): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers), remoteAddress: "203.0.113.9" };
}

function withCookies({ cookies }: { readonly cookies: Readonly<Record<string, string>> }): WireRequest {
  const cookie = Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");
  const target = "/talks/keynote.mp4";
  return { method: "GET", target, authority: "media.example.com", headers: [["cookie", cookie]] };
}

const life = { expiresIn: LIFE };
const response = { contentDisposition: "attachment" };
const endpoint = ORIGIN;
const object = { bucket: "media", key: "talks/keynote.mp4", ...life };
const gcsObject = { bucket: "media", object: "talks/keynote.mp4", ...life };
const edge = { url: `${ORIGIN}/talks/keynote.mp4`, ...life };
const below = { url: `${ORIGIN}/talks/`, ...life };

const aws = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const awsKeys = {
  right: aws,
  wrong: { ...aws, secretAccessKey: "another" },
  empty: [{ ...aws, secretAccessKey: "" }, { ...aws, accessKeyId: "" }, { accessKeyId: "AKIDEXAMPLE" }],
  keyId: "AKIDEXAMPLE",
};
const session = { ...aws, sessionToken: "AgV4dG9rZW4+/=" };
const sessionKeys = {
  ...awsKeys,
  right: session,
  wrong: { ...session, secretAccessKey: "another" },
  empty: [...awsKeys.empty, { ...session, sessionToken: "" }],
};
const expressObject = { ...object, bucket: "media--use1-az4--x-s3" };
const express = () => s3ExpressSigner({ region: "us-east-1", credentials: session, clock });
const gcsHmacKeys = {
  right: hmacKey,
  wrong: { ...hmacKey, secretAccessKey: "another" },
  empty: [
    { ...hmacKey, secretAccessKey: "" },
    { ...hmacKey, accessKeyId: "" },
  ],
  keyId: hmacKey.accessKeyId,
};
const gcsAccountKeys = {
  right: publicAccount,
  wrong: { ...publicAccount, public_key: foreignKey },
  empty: [
    { ...publicAccount, public_key: "" },
    { ...publicAccount, client_email: "" },
  ],
  keyId: publicAccount.client_email,
};
const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
const ossKeys = {
  right: oss,
  wrong: { ...oss, accessKeySecret: "another" },
  empty: [
    { ...oss, accessKeySecret: "" },
    { ...oss, accessKeyId: "" },
  ],
  keyId: "LTAIEXAMPLE",
};
const ossStyle = { region: "cn-hangzhou", endpoint, addressing: "path", credentials: oss, clock } as const;
const cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };
const base64Key = (byte: number, length = 32): string => Buffer.alloc(length, byte).toString("base64");
const azure = { account: "myaccount", accountKey: base64Key(1) };
const azureKeys = {
  right: azure,
  wrong: { ...azure, accountKey: base64Key(2) },
  empty: [
    { ...azure, accountKey: "" },
    { ...azure, account: "" },
  ],
};
const azureStyle = { account: "myaccount", endpoint: `${ORIGIN}/myaccount`, clock };
const azureBlob = { container: "media", blob: "talks/keynote.mp4", permissions: "r", ...life };
const delegation = (value: string) => ({
  ...{ signedObjectId: "o", signedTenantId: "t", signedService: "b", signedVersion: "2022-11-02" },
  ...{ signedStartsOn: "2026-01-01T00:00:00Z", signedExpiresOn: "2026-01-08T00:00:00Z", value },
});
const delegated = (value: string) => ({ account: "myaccount", userDelegationKey: delegation(value) });
const secrets = { right: "SecurityKey", wrong: "another", empty: ["", undefined] };
const HEX = "52a152a152a152a152a152a152a152a1";
const hex = { right: HEX, wrong: HEX.replaceAll("5", "6"), empty: ["", "5"] };
const google = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
const googleKeys = {
  right: google,
  wrong: { ...google, key: "AAAAAAAAAAAAAAAAAAAAAA==" },
  empty: [{ ...google, key: "" }],
  keyId: "my-key",
};
// RFC 8032 section 7.1, tests 1 and 2.
const ED25519_SEED = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ed25519Keys = {
  right: { keyName: "edge", publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
  wrong: { keyName: "edge", publicKey: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" },
  empty: [{ keyName: "edge", publicKey: "" }],
  keyId: "edge",
};
const cloudfront = { keyPairId: "K2JCJMDEHXQW5F", privateKey: RSA.privateKey, hash: "sha256", clock } as const;
const cloudfrontKeys = {
  right: { keyPairId: "K2JCJMDEHXQW5F", publicKey: RSA.publicKey, hashes: ["sha256"] },
  wrong: { keyPairId: "K2JCJMDEHXQW5F", publicKey: foreignKey, hashes: ["sha256"] },
  empty: [{ keyPairId: "K2JCJMDEHXQW5F", publicKey: "" }],
  keyId: "K2JCJMDEHXQW5F",
};
const jwk = (byte: number, length = 32) =>
  ({ kty: "oct", alg: "HS256", kid: "k1", k: Buffer.alloc(length, byte).toString("base64url") }) as const;
const swiftKey = { account: "AUTH_a", key: "mykey" };
const mediaSecret = (byte: number) => ({ secret: Buffer.alloc(32, byte).toString("base64url") });

/** SigV4 in the Authorization header, by hand from AWS's page: the library signs URLs only. */
function s3HeaderRequest(): WireRequest {
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
  const time = "20260102T030405Z";
  const scope = "20260102/eu-west-1/s3/aws4_request";
  const headers = { host: "media.example.com", "x-amz-content-sha256": sha(""), "x-amz-date": time };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `GET\n/media/a.txt\n\n${lines.join("")}\n${names}\n${sha("")}`;
  let key = Buffer.from(`AWS4${aws.secretAccessKey}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key)
    .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha(canonical)}`)
    .digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const { host: authority, ...sent } = headers;
  return { method: "GET", target: "/media/a.txt", authority, headers: Object.entries({ ...sent, authorization }) };
}

/** SigV2 in the Authorization header. */
function s3V2HeaderRequest(): WireRequest {
  const date = AT.toUTCString();
  const text = `GET\n\n\n${date}\n/media/a.txt`;
  const signature = createHmac("sha1", aws.secretAccessKey).update(text).digest("base64");
  const headers = { date, authorization: `AWS AKIDEXAMPLE:${signature}` };
  return {
    method: "GET",
    target: "/media/a.txt",
    authority: "media.example.com",
    headers: Object.entries(headers),
  };
}

/** Every verifier of the library. A new one adds its row. */
export const everyVerifier: readonly EveryVerifier[] = [
  row("s3", {
    ...awsKeys,
    signature: /X-Amz-Signature=([^&]+)/,
    verifier: (credentials, options) => s3Verifier({ credentials, ...options }),
    obliged: () =>
      wire(s3Signer({ region: "eu-west-1", endpoint, credentials: aws, clock }).sign({ ...object, response })),
    request: () => wire(s3Signer({ region: "eu-west-1", endpoint, credentials: aws, clock }).sign(object)),
  }),
  row("s3/express", {
    ...sessionKeys,
    origins: ["https://*.s3express-use1-az4.us-east-1.amazonaws.com"],
    signature: /X-Amz-Signature=([^&]+)/,
    verifier: (credentials, options) => s3ExpressVerifier({ credentials, ...options }),
    obliged: () => wire(express().sign({ ...expressObject, response })),
    request: () => wire(express().sign(expressObject)),
  }),
  row("s3/v2", {
    ...awsKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (credentials, options) => s3V2Verifier({ credentials, ...options }),
    obliged: () =>
      wire(s3V2Signer({ region: "eu-west-1", endpoint, credentials: aws, clock }).sign({ ...object, response })),
    request: () => wire(s3V2Signer({ region: "eu-west-1", endpoint, credentials: aws, clock }).sign(object)),
  }),
  row("s3/v4a", {
    ...awsKeys,
    signature: /X-Amz-Signature=([^&]+)/,
    verifier: (credentials, options) => s3V4aVerifier({ credentials, ...options }),
    obliged: async () =>
      wire(await s3V4aSigner({ regionSet: ["*"], endpoint, credentials: aws, clock }).sign({ ...object, response })),
    request: async () => wire(await s3V4aSigner({ regionSet: ["*"], endpoint, credentials: aws, clock }).sign(object)),
  }),
  row("s3/header", {
    ...awsKeys,
    signature: /Signature=([^&]+)/,
    verifier: (credentials, options) => s3HeaderVerifier({ credentials, ...options }),
    obliged: s3HeaderRequest,
    request: s3HeaderRequest,
  }),
  row("s3/v2/header", {
    ...awsKeys,
    signature: /^AWS AKIDEXAMPLE:(.+)$/,
    verifier: (credentials, options) => s3V2HeaderVerifier({ credentials, ...options }),
    request: s3V2HeaderRequest,
  }),
  formRow("s3/form", {
    ...awsKeys,
    signature: /^x-amz-signature$/i,
    verifier: (credentials, options) => s3FormVerifier({ credentials, ...options }),
    obliged: () => s3FormSigner({ region: "eu-west-1", credentials: aws, clock }).sign({ ...object, contentLength: 5 }),
    request: () => s3FormSigner({ region: "eu-west-1", credentials: aws, clock }).sign(object),
  }),
  formRow("s3/form/v2", {
    ...awsKeys,
    signature: /^signature$/,
    verifier: (credentials, options) => s3FormV2Verifier({ credentials, ...options }),
    obliged: () =>
      s3FormV2Signer({ region: "eu-west-1", credentials: aws, clock }).sign({ ...object, contentLength: 5 }),
    request: () => s3FormV2Signer({ region: "eu-west-1", credentials: aws, clock }).sign(object),
  }),
  row("gcs, HMAC", {
    ...gcsHmacKeys,
    signature: /X-Goog-Signature=([^&]+)/,
    verifier: (keys, options) => gcsHmacVerifier({ keys, ...options }),
    obliged: () => wire(gcsHmacSigner({ credentials: hmacKey, endpoint, clock }).sign({ ...gcsObject, response })),
    request: () => wire(gcsHmacSigner({ credentials: hmacKey, endpoint, clock }).sign(gcsObject)),
  }),
  row("gcs, account", {
    ...gcsAccountKeys,
    signature: /X-Goog-Signature=([^&]+)/,
    verifier: (keys, options) => gcsVerifier({ keys, ...options }),
    obliged: async () =>
      wire(await gcsSigner({ credentials: account, endpoint, clock }).sign({ ...gcsObject, response })),
    request: async () => wire(await gcsSigner({ credentials: account, endpoint, clock }).sign(gcsObject)),
  }),
  row("gcs/v2, HMAC", {
    ...gcsHmacKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (keys, options) => gcsV2HmacVerifier({ keys, ...options }),
    obliged: () =>
      wire(
        gcsV2HmacSigner({ credentials: hmacKey, endpoint, clock }).sign({
          ...gcsObject,
          method: "PUT",
          bind: { contentLength: 5 },
        }),
      ),
    request: () => wire(gcsV2HmacSigner({ credentials: hmacKey, endpoint, clock }).sign(gcsObject)),
  }),
  row("gcs/v2, account", {
    ...gcsAccountKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (keys, options) => gcsV2Verifier({ keys, ...options }),
    obliged: async () =>
      wire(
        await gcsV2Signer({ credentials: account, endpoint, clock }).sign({
          ...gcsObject,
          method: "PUT",
          bind: { contentLength: 5 },
        }),
      ),
    request: async () => wire(await gcsV2Signer({ credentials: account, endpoint, clock }).sign(gcsObject)),
  }),
  formRow("gcs/form, HMAC", {
    ...gcsHmacKeys,
    signature: /^x-goog-signature$/,
    verifier: (keys, options) => gcsHmacFormVerifier({ keys, ...options }),
    obliged: () => gcsHmacFormSigner({ credentials: hmacKey, clock }).sign({ ...gcsObject, contentLength: 5 }),
    request: () => gcsHmacFormSigner({ credentials: hmacKey, clock }).sign(gcsObject),
  }),
  formRow("gcs/form, account", {
    ...gcsAccountKeys,
    signature: /^x-goog-signature$/,
    verifier: (keys, options) => gcsFormVerifier({ keys, ...options }),
    obliged: () => gcsFormSigner({ credentials: account, clock }).sign({ ...gcsObject, contentLength: 5 }),
    request: () => gcsFormSigner({ credentials: account, clock }).sign(gcsObject),
  }),
  row("azure", {
    ...azureKeys,
    signature: /[?&]sig=([^&]+)/,
    verifier: (credentials, options) => azureVerifier({ credentials, ...options }),
    obliged: () => wire(azureSigner({ credentials: azure, ...azureStyle }).sign({ ...azureBlob, response })),
    request: () => wire(azureSigner({ credentials: azure, ...azureStyle }).sign(azureBlob)),
  }),
  row("azure, account", {
    ...azureKeys,
    signature: /[?&]sig=([^&]+)/,
    verifier: (credentials, options) => azureAccountVerifier({ credentials, ...options }),
    request: () =>
      wire(azureAccountSigner({ credentials: azure, ...azureStyle }).sign({ ...azureBlob, resourceTypes: "o" })),
  }),
  row("azure, user delegation", {
    right: delegated(base64Key(1)),
    wrong: delegated(base64Key(2)),
    empty: [delegated("")],
    signature: /[?&]sig=([^&]+)/,
    verifier: (credentials, options) => azureUserDelegationVerifier({ credentials, ...options }),
    request: () =>
      wire(
        azureUserDelegationSigner({
          credentials: { userDelegationKey: delegation(base64Key(1)) },
          ...azureStyle,
        }).sign(azureBlob),
      ),
  }),
  row("oss", {
    ...ossKeys,
    signature: /x-oss-signature=([^&]+)/,
    verifier: (credentials, options) => ossVerifier({ credentials, ...options }),
    obliged: () => wire(ossSigner(ossStyle).sign({ ...object, response })),
    request: () => wire(ossSigner(ossStyle).sign(object)),
  }),
  row("oss/v1", {
    ...ossKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (credentials, options) => ossV1Verifier({ credentials, ...options }),
    obliged: () => wire(ossV1Signer(ossStyle).sign({ ...object, response })),
    request: () => wire(ossV1Signer(ossStyle).sign(object)),
  }),
  row("cos", {
    right: cos,
    wrong: { ...cos, secretKey: "another" },
    empty: [
      { ...cos, secretKey: "" },
      { ...cos, secretId: "" },
    ],
    keyId: "AKIDEXAMPLE",
    signature: /q-signature=([^&]+)/,
    verifier: (credentials, options) => cosVerifier({ credentials, ...options }),
    obliged: () => {
      const signer = cosSigner({ region: "ap-guangzhou", endpoint, addressing: "path", credentials: cos, clock });
      return wire(signer.sign({ ...object, bucket: "media-1250000000", response }));
    },
    request: () => {
      const signer = cosSigner({ region: "ap-guangzhou", endpoint, addressing: "path", credentials: cos, clock });
      return wire(signer.sign({ ...object, bucket: "media-1250000000" }));
    },
  }),
  row("swift", {
    right: swiftKey,
    wrong: { ...swiftKey, key: "another" },
    empty: [
      { ...swiftKey, key: "" },
      { ...swiftKey, account: "" },
    ],
    keyId: "AUTH_a",
    signature: /temp_url_sig=([^&]+)/,
    verifier: (keys, options) => swiftVerifier({ keys, ...options }),
    request: () => {
      const signer = swiftSigner({ ...swiftKey, endpoint, digest: "sha256", clock });
      return wire(signer.sign({ container: "media", object: "talks/keynote.mp4", ...life }));
    },
  }),
  row("url", {
    right: jwk(1),
    wrong: jwk(2),
    empty: [{ ...jwk(1), k: "" }, jwk(1, 8), { ...jwk(1), kid: "" }],
    keyId: "k1",
    signature: /dp-signature=([^&]+)/,
    verifier: (keys, options) => urlVerifier({ keys: typeof keys === "function" ? keys : [keys].flat(), ...options }),
    obliged: () => wire(urlSigner({ key: jwk(1), clock }).sign({ ...edge, uses: 1 })),
    request: () => wire(urlSigner({ key: jwk(1), clock }).sign(edge)),
  }),
  row("cloudfront", {
    ...cloudfrontKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (keys, options) => cloudfrontVerifier({ keys, ...options }),
    request: async () => wire(await cloudfrontSigner(cloudfront).sign(edge)),
  }),
  row("cloudfront, policy", {
    ...cloudfrontKeys,
    signature: /[?&]Signature=([^&]+)/,
    verifier: (keys, options) => cloudfrontVerifier({ keys, ...options }),
    request: async () => wire(await cloudfrontSigner(cloudfront).sign({ ...edge, prefix: "/talks/" })),
  }),
  row("cloudfront, cookies", {
    ...cloudfrontKeys,
    signature: /CloudFront-Signature=([^;]+)/,
    verifier: (keys, options) => cloudfrontVerifier({ keys, ...options }),
    request: async () =>
      withCookies(await cloudfrontCookieSigner(cloudfront).sign({ resource: `${ORIGIN}/talks/*`, ...life })),
  }),
  row("uri-signing", {
    right: jwk(1),
    wrong: jwk(2),
    empty: [{ ...jwk(1), k: "" }, jwk(1, 8), { ...jwk(1), kid: "" }],
    signature: /URISigningPackage=[^.]+\.[^.]+\.([\w-]+)/,
    verifier: (keys: unknown, options) => {
      const find = keys as () => readonly never[] | Promise<readonly never[]>;
      // A kid names one key of its set, so each candidate has a set of its own.
      const setsOf = (found: unknown) => [found].flat().map((key) => ({ keys: [key as never] }));
      const keySets = typeof keys === "function" ? async () => setsOf(await find()) : setsOf(keys);
      return uriSigningVerifier({ keySets, ...options });
    },
    obliged: () => wire(uriSigningSigner({ key: jwk(1), clock }).sign({ ...edge, nonce: true })),
    request: () => wire(uriSigningSigner({ key: jwk(1), clock }).sign(edge)),
  }),
  row("nginx", {
    ...secrets,
    signature: /md5=([^&]+)/,
    verifier: (keys, options) => nginxVerifier({ secrets: keys, ...options }),
    request: () => wire(nginxSigner({ secret: "SecurityKey", clock }).sign(edge)),
  }),
  row("bunny", {
    ...secrets,
    signature: /[?&]token=([^&]+)/,
    verifier: (keys, options) => bunnyVerifier({ secrets: keys, ...options }),
    request: () => wire(bunnySigner({ secret: "SecurityKey", clock }).sign(edge)),
  }),
  row("bunny, prefix", {
    ...secrets,
    signature: /[?&]token=([^&]+)/,
    verifier: (keys, options) => bunnyVerifier({ secrets: keys, ...options }),
    request: () => wire(bunnySigner({ secret: "SecurityKey", clock }).sign({ ...edge, prefix: "/talks/" })),
  }),
  row("akamai", {
    ...hex,
    signature: /hmac=([^&~]+)/,
    verifier: (keys, options) => akamaiVerifier({ secrets: keys, ...options }),
    request: () => wire(akamaiSigner({ secret: HEX, clock }).sign(edge)),
  }),
  row("cloudflare", {
    ...secrets,
    signature: /verify=[0-9]+-([^&]+)/,
    verifier: (keys, options) => cloudflareVerifier({ secrets: keys, ttl: LIFE, ...options }),
    request: () => wire(cloudflareSigner({ secret: "SecurityKey", ttl: LIFE, clock }).sign(edge)),
  }),
  row("cloud-cdn", {
    ...googleKeys,
    signature: /Signature=([^&]+)/,
    verifier: (keys, options) => cloudCdnVerifier({ keys, ...options }),
    request: () => wire(cloudCdnSigner({ ...google, clock }).sign(edge)),
  }),
  row("cloud-cdn, prefix", {
    ...googleKeys,
    signature: /Signature=([^&]+)/,
    verifier: (keys, options) => cloudCdnVerifier({ keys, ...options }),
    request: () => wire(cloudCdnSigner({ ...google, clock }).sign({ ...edge, prefix: "/talks/" })),
  }),
  row("cloud-cdn, cookie", {
    ...googleKeys,
    signature: /Signature=([^&;]+)/,
    verifier: (keys, options) => cloudCdnVerifier({ keys, ...options }),
    request: () => withCookies(cloudCdnCookieSigner({ ...google, clock }).sign(below)),
  }),
  row("media-cdn", {
    ...ed25519Keys,
    signature: /Signature=([^&]+)/,
    verifier: (keys, options) => mediaCdnVerifier({ keys, ...options }),
    request: async () => wire(await mediaCdnSigner({ keyName: "edge", privateKey: ED25519_SEED, clock }).sign(edge)),
  }),
  row("media-cdn, cookie", {
    ...ed25519Keys,
    signature: /Signature=([^:;]+)/,
    verifier: (keys, options) => mediaCdnVerifier({ keys, ...options }),
    request: async () =>
      withCookies(await mediaCdnCookieSigner({ keyName: "edge", privateKey: ED25519_SEED, clock }).sign(below)),
  }),
  row("media-cdn/token", {
    right: mediaSecret(1),
    wrong: mediaSecret(2),
    empty: [{ secret: "" }, { secret: "AAAA" }],
    signature: /hmac=([^&]+)/,
    verifier: (keys, options) => mediaCdnTokenVerifier({ keys, ...options }),
    request: () => wire(mediaCdnTokenSigner({ key: mediaSecret(1), clock }).sign(edge)),
  }),
  row("imgproxy", {
    right: { key: HEX, salt: HEX },
    wrong: { key: HEX, salt: "00" },
    empty: [{ key: "", salt: HEX }],
    signature: /^\/([^/]+)/,
    verifier: (keys, options) => imgproxyVerifier({ keys, ...options }),
    request: () =>
      wire(
        imgproxySigner({ key: HEX, salt: HEX, clock }).sign({
          url: `${ORIGIN}/rs:fit:300/plain/s3://a/b.png`,
          ...life,
        }),
      ),
  }),
  row("imgix", {
    ...secrets,
    signature: /[?&]s=([^&]+)/,
    verifier: (keys, options) => imgixVerifier({ secrets: keys, ...options }),
    request: () => wire(imgixSigner({ secret: "SecurityKey", clock }).sign(edge)),
  }),
  row("fastly", {
    right: "b2xk",
    wrong: "bmV3",
    empty: ["", undefined, "b2x"],
    signature: /token=[0-9]+_([^&]+)/,
    verifier: (keys, options) => fastlyVerifier({ secrets: keys, ...options }),
    request: () => wire(fastlySigner({ secret: "b2xk", clock }).sign(edge)),
  }),
  row("laravel", {
    ...secrets,
    signature: /signature=([^&]+)/,
    verifier: (keys, options) => laravelVerifier({ secrets: keys, ...options }),
    request: () => wire(laravelSigner({ secret: "SecurityKey", clock }).sign(edge)),
  }),
  row("symfony", {
    ...secrets,
    signature: /_hash=([^&]+)/,
    verifier: (keys, options) => symfonyVerifier({ secrets: keys, ...options }),
    request: () => wire(symfonySigner({ secret: "SecurityKey", clock }).sign(edge)),
  }),
];
