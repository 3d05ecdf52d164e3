import { createHash, createHmac } from "node:crypto";
import { explain } from "daypass/explain";
import { gcsSigner } from "daypass/gcs";
import { ossSigner } from "daypass/oss";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { RSA } from "../cloudfront/keys.ts";
import { answer, credentials, expectCause, named, type Refusal, rawUrl, saw } from "./raw-requests.ts";
import { clock, expiresIn, JWK, sample, soon } from "./signed-urls.ts";

const keys = [credentials];
const GET = { method: "GET", headers: {} };
const s3 = s3Signer({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials, clock });
const sign = (more: Partial<S3ObjectRequest> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn, ...more }).url;
const onAmazon = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
  bucket: "media",
  key: "k",
  expiresIn,
}).url;
const onCdn = onAmazon.replace("media.s3.eu-west-1.amazonaws.com", "cdn.example.com");
const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: RSA.privateKey };
const google = (more: object) =>
  gcsSigner({ credentials: account, clock }).sign({ bucket: "media", object: "a", expiresIn, ...more });
const resumable = (await google({ method: "POST", bind: { headers: { "x-goog-resumable": "start" } } })).url;
const ownDomain = (await google({ bucket: "files.example.com" })).url;
const daypass = (vary: readonly string[] = []) =>
  urlSigner({ key: JWK, clock }).sign({ url: "https://api.example.com/a", expiresIn, ...(vary.length > 0 && { vary }) })
    .url;
const laravel = await sample("Laravel").sign();
const laravelKeys = [sample("Laravel").key];
const aliyun = { accessKeyId: "id", accessKeySecret: "key" };
const onOss = ossSigner({ region: "cn-hangzhou", credentials: aliyun, clock }).sign({
  ...{ bucket: "media", key: "a//b", method: "PUT", expiresIn },
}).url;
const MISMATCH = answer("SignatureDoesNotMatch", "no");
const INVALID = { errorBody: '{"message":"Invalid signature."}' };
const DAYPASS_MISMATCH = { errorBody: JSON.stringify({ code: "SIGNATURE_MISMATCH" }) };
const TAIL = "x-amz-checksum-mode=ENABLED&x-id=GetObject";
const tailed = rawUrl({ signedQuery: TAIL });
const MISSING = new RegExp(`^QUERY: The query parameter ${TAIL} was signed and is missing`);

/** A URL by a signer that uses its input as the key's id without trimming it. */
function signedAs(id: string): { readonly url: string; readonly hash: string } {
  const scope = "20261124/eu-west-1/s3/aws4_request";
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${id}/${scope}`)}`,
    "X-Amz-Date=20261124T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = `GET\n/media/a\n${query}\nhost:s3.example.com\n\nhost\nUNSIGNED-PAYLOAD`;
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const text = `AWS4-HMAC-SHA256\n20261124T120000Z\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  return { url: `https://s3.example.com/media/a?${query}`, hash: hmac(key, text).toString("hex") };
}

const spaced = signedAs(`${credentials.accessKeyId}\n`);

const REFUSALS: readonly Refusal[] = [
  // Without a key.
  [/^QUERY: Most likely _ was added after signing: it follows the signature/, `${rawUrl()}&_=123`, saw()],
  [
    /^TOKEN_AFTER_SIGNING: Most likely X-Amz-Security-Token was added/,
    `${rawUrl()}&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE`,
    saw(),
  ],
  // AWS's SDK for JavaScript sorts all parameters.
  [/^WRONG_SECRET: /, `${rawUrl()}&${TAIL}`, saw()],
  ...["x-amz-ch", "x-amz-checksum-mode=EN", "x-amz-checksum-mode=ENABLED&x-id=Get"].map(
    (end): Refusal => [/^MALFORMED: The end of the URL was cut off: it ends with "x-/, `${rawUrl()}&${end}`, saw()],
  ),
  [/^QUERY: Most likely fbclid was added after signing/, `${laravel.url}&fbclid=1`, INVALID, /method/],
  [/^HOST: /, laravel.url, { ...INVALID, keys: laravelKeys }, /method/],
  [/^QUERY: Most likely utm_source was added after signing/, `${daypass()}&utm_source=x`, DAYPASS_MISMATCH],
  [/^WRONG_SECRET: /, `${daypass(["utm_source"])}&utm_source=x`, DAYPASS_MISMATCH],
  [/^PATH: The path has %25 before two digits/, rawUrl({ path: "/media/my%2520file.txt" }), saw()],
  [/^QUERY: /, rawUrl({ query: "response-content-type=text%252Fplain" }), saw()],
  // Escapes that belong to the value.
  ...["attachment%3B%20filename%2A%3DUTF-8%27%27na%25C3%25AFve.pdf", "https%3A%2F%2Fa%2F%3Fb%3Dc%2520d"].map(
    (value): Refusal => [/^WRONG_SECRET: /, rawUrl({ query: `response-content-disposition=${value}` }), saw()],
  ),
  [
    /^HEADER: .*was sent with no content-length: most likely/,
    rawUrl({ method: "PUT", headers: { "content-length": "10" } }),
    saw({ method: "PUT" }),
  ],
  [
    /^METHOD: .*signed for POST \(the header x-goog-resumable begins an upload\) and sent with PUT/,
    resumable,
    { request: { method: "PUT", headers: { "x-goog-resumable": "start" } }, ...MISMATCH },
  ],
  // A spelling that servers read in two ways.
  ...[{ keys }, {}, { keys, request: GET }].flatMap((given): readonly Refusal[] => [
    [
      /^QUERY: .*read it differently/,
      sign({ query: { prefix: "a b" } }).replace("a%20b", "a+b"),
      { ...MISMATCH, ...given },
    ],
    [/^PATH: .*read it differently/, sign({ key: "a+b" }).replace("a%2Bb", "a+b"), { ...MISMATCH, ...given }],
    [/^PATH: .*read it differently/, sign({ key: "a//b" }), { ...MISMATCH, ...given }],
  ]),
  [/^PATH: .*read it differently/, onOss, { ...MISMATCH, keys: [aliyun] }],
  // With the key.
  ...["/a/b.txt", "a//b.txt", "a/b//c.txt"].map(
    (key): Refusal => [/^PATH: .*\/\/ where the URL has one/, sign({ key }).replace(/(?<!:)\/\//, "/"), { keys }],
  ),
  [/^PATH: .*space/, sign({ key: "a+b c.txt" }).replace("a%2Bb%20c", "a%2Bb+c"), { keys }],
  [
    /^QUERY: The query parameter x-amz-checksum-mode=ENABLED was signed and is missing/,
    rawUrl({ signedQuery: "x-amz-checksum-mode=ENABLED" }),
    { keys },
  ],
  [MISSING, tailed, { keys }],
  ...["&x-amz-ch", "&x-amz-checksum-mode=EN", "&x-amz-checksum-mode=ENABLED&x-i"].map(
    (kept): Refusal => [/^MALFORMED: The end of the URL was cut off/, `${tailed}${kept}`, { keys }],
  ),
  [
    /^UNKNOWN_KEY: .*AKIDEXAMPLE with a space or a line.*\nTrim/,
    `${spaced.url}&X-Amz-Signature=${spaced.hash}`,
    { keys },
  ],
  [
    /^HOST: .*storage\.googleapis\.com with the path \/files\.example\.com\/a/,
    ownDomain.replace("storage.googleapis.com/files.example.com", "files.example.com"),
    { keys: [account] },
  ],
  [/\n.*--host, hosts/, onCdn, { keys }],
  [/^HOST: /, onCdn, { keys, hosts: ["media.s3.eu-west-1.amazonaws.com"] }],
];

describe("explain with a changed URL", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, soon);
  });

  it("stops the search in a URL with many parameters", async () => {
    const { cause } = await explain(`${rawUrl()}${"&a=b".repeat(900)}`, { clock: soon, keys });
    expect(cause?.evidence.at(-1)).toMatch(/^Not every change was tried: .*parameters/);
  });

  it("returns no cause for the whole URL, and for the method that a header states", async () => {
    expect((await explain(`${tailed}&${TAIL}`, { clock: soon, keys })).cause).toBeUndefined();
    const request = { method: "POST", headers: { "x-goog-resumable": "start" } };
    expect((await explain(resumable, { clock: soon, request })).cause).toBeUndefined();
  });
});
