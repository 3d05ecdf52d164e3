import { azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { explain } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { laravelSigner } from "daypass/laravel";
import { ossSigner } from "daypass/oss";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { type Broken, credentials, errorXml } from "./broken-requests.ts";

// What clients and proxies do to the URLs of other clouds, and to those of applications.

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];

const gcs = gcsHmacSigner({ credentials, clock });
const onGoogle = gcs.sign({ bucket: "media", object: "a/b.txt", expiresIn: 900 }).url;
const ossKey = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "a-secret-of-oss" };
const onOss = ossSigner({ region: "cn-hangzhou", credentials: ossKey, clock }).sign({
  ...{ bucket: "media", key: "a.txt", expiresIn: 900 },
}).url;
const cosKey = { secretId: "AKIDCOS", secretKey: "a-secret-of-cos" };
const onCos = cosSigner({ region: "ap-guangzhou", credentials: cosKey, clock }).sign({
  ...{ bucket: "media-1250000000", key: "a.txt", expiresIn: 900 },
}).url;
const swiftKey = { account: "AUTH_t", key: "a-secret-of-swift" };
const swift = swiftSigner({ endpoint: "https://s.example.com", ...swiftKey, clock });

const accountKey = Buffer.alloc(32, 7).toString("base64");
const onAzure = azureSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
  ...{ container: "media", blob: "talks/a.txt", permissions: "r", expiresIn: 900 },
}).url;
const azureKeys = [{ accountKey }];
const azureXml = (code: string, detail: string) =>
  errorXml(code, "Server failed to authenticate the request.", { AuthenticationErrorDetail: detail });

const route = { url: "https://h.example.com/talks/keynote.mp4?w=1", expiresIn: 900 };
const SECRET = "a-long-secret";
const laravel = laravelSigner({ secret: SECRET, clock }).sign(route).url;
const symfony = symfonySigner({ secret: SECRET, clock }).sign(route).url;
const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const daypass = urlSigner({ key: jwk, clock }).sign({ url: "https://api.example.com/a?lang=de", expiresIn: 900 }).url;
const onAmazon = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "a/b.txt", expiresIn: 900 },
}).url;
const onOldAmazon = s3V2Signer({ region: "us-east-1", credentials, clock }).sign({
  ...{ bucket: "media", key: "k", expiresIn: 900 },
}).url;

const dated = (change: (date: Date) => Date) =>
  onAzure.replace(/se=([^&]*)/, (_, text: string) => {
    const date = change(new Date(decodeURIComponent(text)));
    return `se=${encodeURIComponent(date.toISOString().replace(".000", ""))}`;
  });

const broken: readonly Broken[] = [
  {
    what: "Cloud Storage: the URL of a browser's download",
    url: onGoogle.replace("storage.googleapis.com", "storage.cloud.google.com"),
    options: { keys },
    cause: "HOST",
    says: /signed for the host storage\.googleapis\.com/,
  },
  {
    what: "Cloud Storage: the bucket moved into the host",
    url: onGoogle.replace("storage.googleapis.com/media", "media.storage.googleapis.com"),
    options: { keys },
    cause: "HOST",
    says: /with the path \/media\/a\/b\.txt/,
  },
  {
    what: "Cloud Storage: the start of a resumable upload used for the upload itself",
    url: gcs.sign({
      ...{ bucket: "media", object: "a", method: "POST", expiresIn: 900 },
      headers: { "x-goog-resumable": "start" },
    }).url,
    options: { keys, request: { method: "PUT", headers: { "x-goog-resumable": "start" } } },
    cause: "METHOD",
    says: /signed for POST and sent with PUT/,
  },
  {
    what: "Cloud Storage: a header of Amazon's",
    url: onGoogle,
    options: { keys, request: { method: "GET", headers: { "x-amz-acl": "private" } } },
    cause: "UNSIGNED_HEADER",
    says: /x-amz-acl/,
  },
  {
    what: "OSS: an image that is to be resized",
    url: `${onOss}&x-oss-process=image/resize,w_100`,
    options: { keys: [ossKey] },
    cause: "QUERY",
    says: /x-oss-process was added after signing/,
  },
  {
    what: "OSS: another region, as the server says it",
    url: onOss,
    options: { errorBody: errorXml("InvalidArgument", "Invalid signing region in Authorization header.") },
    cause: "REGION",
    says: /a different region than the bucket's/,
  },
  {
    what: "OSS: the bucket in the path, as the server says it",
    url: onOss,
    options: { errorBody: errorXml("SecondLevelDomainForbidden", "Please use virtual hosted style to access.") },
    cause: "ENDPOINT",
    says: /bucket in the host only/,
  },
  {
    what: "OSS: an account that has not paid",
    url: onOss,
    options: { errorBody: errorXml("UserDisable", "UserDisable") },
    cause: "PERMISSION",
    says: /suspended/,
  },
  {
    what: "COS: a domain of a CDN",
    url: onCos.replace(/media-1250000000\.cos\.[^/]*/, "cdn.example.com"),
    options: { keys: [cosKey], hosts: ["media-1250000000.cos.ap-guangzhou.myqcloud.com"] },
    cause: "HOST",
    says: /signed as media-1250000000\.cos\.ap-guangzhou/,
  },
  {
    what: "COS: an end that was moved in one place only",
    url: onCos.replace(/q-sign-time=(\d+)/, (_, start: string) => `q-sign-time=${Number(start) + 100}`),
    options: { keys: [cosKey] },
    cause: "MALFORMED",
    says: /the same as q-key-time/,
  },
  {
    what: "Swift: a URL for POST, used for an upload",
    url: swift.sign({ container: "c", object: "o.txt", method: "POST", expiresIn: 900 }).url,
    options: { keys: [swiftKey], request: { method: "PUT" } },
    cause: "METHOD",
    says: /signed for POST and sent with PUT/,
  },
  {
    what: "Azure: an end that somebody moved by a year",
    url: dated((date) => new Date(date.getTime() + 31_536_000_000)),
    options: { keys: azureKeys },
    cause: "EXPIRES_CHANGED",
    says: /it was 2026-11-24T12:15:00Z, and is 2027-11-24T12:15:00Z/,
  },
  {
    what: "Azure: an end that somebody moved by an hour",
    url: dated((date) => new Date(date.getTime() + 3_600_000)),
    options: { keys: azureKeys },
    cause: "EXPIRES_CHANGED",
    says: /it was 2026-11-24T12:15:00Z, and is 2026-11-24T13:15:00Z/,
  },
  {
    what: "Azure: more permissions than were signed",
    url: onAzure.replace("sp=r&", "sp=rwd&"),
    options: { keys: azureKeys },
    cause: "QUERY",
    says: /they were r, and are rwd/,
  },
  {
    what: "Azure: a version that an emulator knows, written over the one that was signed",
    url: onAzure.replace(/sv=[\d-]*/, "sv=2020-12-06"),
    options: { keys: azureKeys },
    cause: "VERSION",
    says: /sv was \d{4}-\d\d-\d\d, and is 2020-12-06/,
  },
  {
    what: "Azure: a SAS for the blob, used for its container",
    url: onAzure.replace("sr=b", "sr=c"),
    options: { keys: azureKeys },
    cause: "PATH",
    says: /for the blob, with sr=b/,
  },
  {
    what: "Azure: https only, added after signing",
    url: onAzure.replace(/spr=https&/, "").replace("?", "?spr=https&"),
    options: { keys: azureKeys },
    cause: "QUERY",
    says: /protocol \(spr\) was added after signing/,
  },
  {
    what: "Azure: a signature that has another length, as the server says it",
    url: onAzure,
    options: { errorBody: azureXml("AuthenticationFailed", "Signature size is invalid") },
    cause: "SIGNATURE",
    says: /damaged in transit: it has the wrong length/,
  },
  {
    what: "Azure: Data Lake's answer in JSON",
    url: onAzure,
    options: {
      errorBody: JSON.stringify({
        error: {
          code: "AuthorizationPermissionMismatch",
          message:
            "This request is not authorized to perform this operation using this permission.\nRequestId:1\nTime:2",
        },
      }),
    },
    cause: "PERMISSION",
    says: /permissions \(sp\) do not permit/,
  },
  {
    what: "Azure: a token with its own ? behind a ?",
    url: onAzure.replace("?", "??"),
    options: { keys: azureKeys },
    cause: "MALFORMED",
    says: /The URL contains a second \?/,
  },
  {
    what: "Azure: a token with its own ? behind a query",
    url: onAzure.replace("?", "?note=1?"),
    options: { keys: azureKeys },
    cause: "MALFORMED",
    says: /The URL contains a second \?/,
  },
  {
    what: "a Daypass URL whose query has two ? in front",
    url: daypass.replace("?", "??"),
    options: { keys: [jwk] },
    cause: "MALFORMED",
    says: /The URL contains a second \?/,
  },
  {
    what: "Laravel: www. put in front of the host",
    url: laravel.replace("h.example.com", "www.h.example.com"),
    options: { keys: [{ scheme: "laravel", secret: SECRET }] },
    cause: "HOST",
    says: /signed for https:\/\/h\.example\.com/,
  },
  {
    what: "Symfony: www. taken from the host",
    url: symfonySigner({ secret: SECRET, clock })
      .sign({ ...route, url: route.url.replace("h.", "www.h.") })
      .url.replace("www.h.", "h."),
    options: { keys: [{ scheme: "symfony", secret: SECRET }] },
    cause: "HOST",
    says: /signed for https:\/\/www\.h\.example\.com/,
  },
  {
    what: "Symfony: http behind a proxy that ends TLS",
    url: symfony.replace("https:", "http:"),
    options: { keys: [{ scheme: "symfony", secret: SECRET }] },
    cause: "HOST",
    says: /signed for https:\/\/h\.example\.com, and the server was reached as http:/,
  },
];

describe("the cause of a refusal elsewhere", () => {
  it.each(broken)("$what: $cause", async ({ url, options, cause, says }) => {
    const explanation = await explain(url, { clock: soon, ...options });
    expect(explanation.cause?.sentence ?? "none").toMatch(says);
    expect(explanation.cause?.code).toBe(cause);
    expect(explanation.cause?.fix).not.toBe("");
    const text = JSON.stringify(explanation);
    for (const secret of [credentials.secretAccessKey, accountKey, SECRET, jwk.k]) expect(text).not.toContain(secret);
  });

  it.each([
    ["Cloud Storage", onGoogle, credentials],
    ["OSS", onOss, ossKey],
    ["COS", onCos, cosKey],
    ["Azure", onAzure, { accountKey }],
    ["Laravel", laravel, { scheme: "laravel", secret: SECRET }],
    ["Daypass", daypass, jwk],
  ] as const)("is none of a good URL: %s", async (_, url, key) => {
    expect((await explain(url, { clock: soon, keys: [key] })).cause).toBeUndefined();
  });
});

describe("an answer that is not Amazon's", () => {
  it.each([
    ["OSS", onOss, "ASIA"],
    ["COS", onCos, "ASIA"],
  ])("is not given Amazon's names of keys: %s", async (_, url, name) => {
    const errorBody = errorXml("InvalidAccessKeyId", "The key you provided does not exist in our records.");
    const { cause } = await explain(url, { clock: soon, errorBody });
    expect(cause).toMatchObject({ code: "UNKNOWN_KEY", fix: expect.not.stringContaining(name) });
    expect((await explain(onAmazon, { clock: soon, errorBody })).cause?.fix).toContain(name);
  });
});

describe("a URL that was put into lower case", () => {
  it.each([
    ["X-Amz-Signature", onAmazon],
    ["X-Goog-Signature", onGoogle],
    ["AWSAccessKeyId", onOldAmazon],
  ])("is told as such: %s", async (name, url) => {
    await expect(explain(url.toLowerCase())).rejects.toMatchObject({
      code: "NO_SIGNATURE",
      message: expect.stringMatching(new RegExp(`^expected ${name} in this case, found it in another`)),
    });
  });
});
