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
import { credentials, errorXml, expectCause, named, type Refusal } from "./raw-requests.ts";

// Changes by clients and proxies to URLs of other clouds and of applications.

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

const REFUSALS: readonly Refusal[] = [
  [
    /^HOST: .*signed for the host storage\.googleapis\.com/,
    onGoogle.replace("storage.googleapis.com", "storage.cloud.google.com"),
    { keys },
  ],
  [
    /^HOST: .*with the path \/media\/a\/b\.txt/,
    onGoogle.replace("storage.googleapis.com/media", "media.storage.googleapis.com"),
    { keys },
  ],
  [
    /^METHOD: .*signed for POST and sent with PUT/,
    gcs.sign({
      ...{ bucket: "media", object: "a", method: "POST", expiresIn: 900 },
      headers: { "x-goog-resumable": "start" },
    }).url,
    { keys, request: { method: "PUT", headers: { "x-goog-resumable": "start" } } },
  ],
  [
    /^UNSIGNED_HEADER: .*x-amz-acl/,
    onGoogle,
    { keys, request: { method: "GET", headers: { "x-amz-acl": "private" } } },
  ],
  [/^QUERY: .*x-oss-process was added after signing/, `${onOss}&x-oss-process=image/resize,w_100`, { keys: [ossKey] }],
  [
    /^HOST: .*signed as media-1250000000\.cos\.ap-guangzhou/,
    onCos.replace(/media-1250000000\.cos\.[^/]*/, "cdn.example.com"),
    { keys: [cosKey], hosts: ["media-1250000000.cos.ap-guangzhou.myqcloud.com"] },
  ],
  [
    /^MALFORMED: .*the same as q-key-time/,
    onCos.replace(/q-sign-time=(\d+)/, (_, start: string) => `q-sign-time=${Number(start) + 100}`),
    { keys: [cosKey] },
  ],
  [
    /^METHOD: .*signed for POST and sent with PUT/,
    swift.sign({ container: "c", object: "o.txt", method: "POST", expiresIn: 900 }).url,
    { keys: [swiftKey], request: { method: "PUT" } },
  ],
  [
    /^EXPIRES_CHANGED: .*it was 2026-11-24T12:15:00Z, and is 2027-11-24T12:15:00Z/,
    dated((date) => new Date(date.getTime() + 31_536_000_000)),
    { keys: azureKeys },
  ],
  [
    /^EXPIRES_CHANGED: .*it was 2026-11-24T12:15:00Z, and is 2026-11-24T13:15:00Z/,
    dated((date) => new Date(date.getTime() + 3_600_000)),
    { keys: azureKeys },
  ],
  [/^QUERY: .*they were r, and are rwd/, onAzure.replace("sp=r&", "sp=rwd&"), { keys: azureKeys }],
  [
    /^VERSION: .*sv was \d{4}-\d\d-\d\d, and is 2020-12-06/,
    onAzure.replace(/sv=[\d-]*/, "sv=2020-12-06"),
    { keys: azureKeys },
  ],
  [/^PATH: .*for the blob, with sr=b/, onAzure.replace("sr=b", "sr=c"), { keys: azureKeys }],
  [
    /^QUERY: .*protocol \(spr\) was added after signing/,
    onAzure.replace(/spr=https&/, "").replace("?", "?spr=https&"),
    { keys: azureKeys },
  ],
  [
    /^SIGNATURE: .*damaged in transit: it has the wrong length/,
    onAzure,
    { errorBody: azureXml("AuthenticationFailed", "Signature size is invalid") },
  ],
  [
    /^PERMISSION: .*permissions \(sp\) do not permit/,
    onAzure,
    {
      errorBody: JSON.stringify({
        error: {
          code: "AuthorizationPermissionMismatch",
          message:
            "This request is not authorized to perform this operation using this permission.\nRequestId:1\nTime:2",
        },
      }),
    },
  ],
  [/^MALFORMED: .*The URL contains a second \?/, onAzure.replace("?", "??"), { keys: azureKeys }],
  [/^MALFORMED: .*The URL contains a second \?/, onAzure.replace("?", "?note=1?"), { keys: azureKeys }],
  [/^MALFORMED: .*The URL contains a second \?/, daypass.replace("?", "??"), { keys: [jwk] }],
  [
    /^HOST: .*signed for https:\/\/h\.example\.com/,
    laravel.replace("h.example.com", "www.h.example.com"),
    { keys: [{ scheme: "laravel", secret: SECRET }] },
  ],
  [
    /^HOST: .*signed for https:\/\/www\.h\.example\.com/,
    symfonySigner({ secret: SECRET, clock })
      .sign({ ...route, url: route.url.replace("h.", "www.h.") })
      .url.replace("www.h.", "h."),
    { keys: [{ scheme: "symfony", secret: SECRET }] },
  ],
  [
    /^HOST: .*signed for https:\/\/h\.example\.com, and the server was reached as http:/,
    symfony.replace("https:", "http:"),
    { keys: [{ scheme: "symfony", secret: SECRET }] },
  ],
];

describe("explain with a refused URL of another scheme", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    const text = JSON.stringify(await expectCause(refusal, soon));
    for (const secret of [accountKey, SECRET, jwk.k]) expect(text).not.toContain(secret);
  });
});

describe("explain with a URL in lower case", () => {
  it.each([
    ["X-Amz-Signature", onAmazon],
    ["X-Goog-Signature", onGoogle],
    ["AWSAccessKeyId", onOldAmazon],
  ])("names the case of %s", async (name, url) => {
    await expect(explain(url.toLowerCase())).rejects.toMatchObject({
      code: "NO_SIGNATURE",
      message: expect.stringMatching(new RegExp(`^${name} is in another case, which counts`)),
    });
  });
});
