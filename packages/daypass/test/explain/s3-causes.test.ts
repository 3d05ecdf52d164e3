import { explain } from "daypass/explain";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import {
  answer,
  awsErrorBody,
  credentials,
  errorXml,
  expectCause,
  named,
  type Refusal,
  rawUrl,
  saw,
} from "./raw-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const endpoint = "https://s3.example.com";
const s3 = s3Signer({ region: "eu-west-1", endpoint, credentials, clock: () => signedAt });
const sign = (extra: Partial<S3ObjectRequest> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn: 900, ...extra }).url;
const v2 = s3V2Signer({ region: "us-east-1", endpoint, credentials, clock: () => signedAt });
const signV2 = (extra: Partial<S3ObjectRequest> = {}) =>
  v2.sign({ bucket: "media", key: "a/b.txt", expiresIn: 900, ...extra }).url;

const get = sign();
const sent = (change: (url: string) => string, url = get) => ({ request: { url: change(url) } });

const GARAGE_SCOPES = (region: string) =>
  `Authorization header malformed, unexpected scope: '20261124/${region}/s3/aws4_request', expected: '20261124/garage/s3/aws4_request'`;

const REFUSALS: readonly Refusal[] = [
  [/^METHOD: .*signed for GET and sent with PUT/, get, { keys, request: { method: "PUT" } }],
  [/^METHOD: .*signed for GET and sent with HEAD/, get, { keys, request: { method: "HEAD" } }],
  [/^METHOD: .*HEAD, and was probably signed for GET/, get, saw({ method: "HEAD" })],
  [/^METHOD: .*OPTIONS/, get, saw({ method: "OPTIONS" })],
  [
    /^METHOD: .*signed for PUT \(x-id=PutObject\) and sent with GET/,
    sign({ method: "PUT", query: { "x-id": "PutObject" } }),
    saw({ method: "GET" }),
  ],
  [
    /^HOST: .*signed for the host s3\.example\.com.*reached as minio:9000/,
    get,
    { keys, request: { headers: { host: "minio:9000" } } },
  ],
  [
    /^HOST: .*signed for the host storage\.svc:3900/,
    rawUrl({ host: "storage.svc:3900" }).replace("storage.svc:3900", "files.example.com"),
    { keys, hosts: ["storage.svc:3900"] },
  ],
  [/^HOST: .*s3\.example\.com:443/, get, { keys, request: { headers: { host: "s3.example.com:443" } } }],
  [/^HOST: .*server saw the host minio:9000.*URL says s3\.example\.com/, get, saw({ host: "minio:9000" })],
  [
    /^HOST: .*server saw the host s3\.example\.com,/,
    rawUrl({ host: "s3.example.com:9000" }),
    saw({
      host: "s3.example.com",
      omitCanonicalRequest: true,
    }),
  ],
  [
    /^HOST: .*signed for the host cdn\.example\.net/,
    rawUrl({ host: "cdn.example.net" }).replace("cdn.example.net", "s3.example.com"),
    { keys, request: { headers: { "x-forwarded-host": "cdn.example.net" } } },
  ],
  [
    /^HOST: .*signed for the host media\.s3\.example\.com with the path \/a\/b\.txt/,
    rawUrl({ host: "media.s3.example.com", path: "/a/b.txt" }).replace(
      "media.s3.example.com/a",
      "s3.example.com/media/a",
    ),
    { keys },
  ],
  [/^QUERY: .*utm_source was added after signing/, `${get}&utm_source=mail`, { keys }],
  [/^QUERY: .*fbclid was added/, get, sent((url) => `${url}&fbclid=1`)],
  [/^QUERY: .*cache was added/, get, { errorBody: awsErrorBody(`${get}&cache=1`) }],
  [
    /^QUERY: .*versionId is missing/,
    sign({ query: { versionId: "3" } }),
    { errorBody: awsErrorBody(sign({ query: { versionId: "3" } }).replace("&versionId=3", "")) },
  ],
  [
    /^QUERY: .*response-content-disposition was added after signing/,
    `${get}&response-content-disposition=attachment`,
    { keys },
  ],
  [
    /^QUERY: .*%2B where the URL has a plain `\+`/,
    rawUrl({ query: "prefix=a+b", signedQuery: "prefix=a%2Bb" }),
    { keys },
  ],
  [
    /^QUERY: .*differs in a plus/,
    sign({ query: { prefix: "a b" } }),
    { errorBody: awsErrorBody(sign({ query: { prefix: "a b" } }).replace("a%20b", "a%2Bb")) },
  ],
  [
    /^QUERY: .*!'\(\)\* left unencoded/,
    rawUrl({ query: "response-content-disposition=a%28b%29", signedQuery: "response-content-disposition=a(b)" }),
    { keys },
  ],
  [/^PATH: .*`\+` as a space/, rawUrl({ path: "/media/a+b.txt", signedPath: "/media/a%20b.txt" }), { keys }],
  [/^PATH: .*encoded twice/, rawUrl({ path: "/media/a%20b.txt", signedPath: "/media/a%2520b.txt" }), { keys }],
  [
    /^PATH: .*encoded twice/,
    sign({ key: "a b.txt" }),
    sent((url) => url.replace("a%20b", "a%2520b"), sign({ key: "a b.txt" })),
  ],
  [
    /^PATH: .*(?:%2F|as the URL spells it)/,
    rawUrl({ path: "/media/a%2Fb.txt", signedPath: "/media/a%2Fb.txt" }),
    { keys },
  ],
  [
    /^PATH: .*segments removed/,
    sign({ key: "x/../y", dotSegments: "sign" }),
    { keys, ...sent((url) => url.replace("x/../", ""), sign({ key: "x/../y", dotSegments: "sign" })) },
  ],
  [/^PATH: .*segments removed/, rawUrl({ path: "/media/x/../y", signedPath: "/media/y" }), { keys }],
  [/^PATH: .*slash at its end/, get, { keys, ...sent((url) => url.replace("b.txt?", "b.txt/?")) }],
  [/^PATH: .*lower-case letters/, sign({ key: "a%41.txt" }).replace("a%2541", "A%2541"), { keys }],
  [
    /^PATH: .*repeated slashes/,
    sign({ key: "a//b" }),
    { errorBody: awsErrorBody(sign({ key: "a//b" }).replace("a//b", "a/b")) },
  ],
  [
    /^PAYLOAD: .*empty body/,
    rawUrl({ payload: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }),
    { keys },
  ],
  [
    /^HEADER: .*signed with the header content-type, which was not sent/,
    sign({ method: "PUT", bind: { contentType: "image/png" } }),
    { request: { method: "PUT", headers: {} } },
  ],
  [
    /^HEADER: .*content-type was signed as "image\/png" and sent as "application\/octet-stream"/,
    sign({ method: "PUT", bind: { contentType: "image/png" } }),
    { keys, request: { method: "PUT", headers: { "Content-Type": "application/octet-stream" } } },
  ],
  [
    /^HEADER: .*server saw another content-type header \(text\/html\)/,
    sign({ method: "PUT", bind: { contentType: "image/png" } }),
    {
      request: { method: "PUT", headers: { "content-type": "image/png" } },
      errorBody: awsErrorBody(sign({ method: "PUT", bind: { contentType: "image/png" } }), {
        method: "PUT",
        headers: { "content-type": "text/html" },
      }),
    },
  ],
  [/^UNSIGNED_HEADER: .*x-amz-acl/, get, { request: { headers: { "x-amz-acl": "public-read" } } }],
  [
    /^UNSIGNED_HEADER: .*x-amz-meta-a/,
    get,
    answer("AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: "x-amz-meta-a",
    }),
  ],
  [/^AMBIGUOUS_AUTHENTICATION: .*Authorization header/, get, { request: { headers: { authorization: "Bearer x" } } }],
  [/^WRONG_SECRET: .*a line feed at its end/, rawUrl({ secret: `${credentials.secretAccessKey}\n` }), { keys }],
  [/^WRONG_SECRET: .*double quotes/, rawUrl({ secret: `"${credentials.secretAccessKey}"` }), { keys }],
  [/^WRONG_SECRET: .*`undefined`/, rawUrl({ secret: "undefined" }), { keys }],
  [/^WRONG_SECRET: .*a different secret than the one given/, rawUrl({ secret: "another secret" }), { keys }],
  [/^WRONG_SECRET: .*another secret/i, rawUrl({ secret: "another secret" }), saw()],
  [/^WRONG_SECRET: .*another secret/i, rawUrl({ secret: "another secret" }), saw({ omitCanonicalRequest: true })],
  [/^WRONG_SECRET: .*another secret, or was changed after signing/, get.replace(/(?<=\/)[^/?]+\?/, "other?"), saw()],
  [/^WRONG_SECRET: .*server holds another secret/, get, { keys, errorBody: awsErrorBody(get) }],
  [
    /^TOKEN_AFTER_SIGNING: .*X-Amz-Security-Token was added after signing/,
    `${get}&X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLE`,
    { keys },
  ],
  [/^EXPIRED_TOKEN: .*session token has expired/, get, answer("ExpiredToken", "The provided token has expired.")],
  [
    /^INVALID_TOKEN: .*does not belong/,
    get,
    answer("InvalidToken", "The provided token is malformed or otherwise invalid."),
  ],
  [
    /^UNKNOWN_KEY: .*does not know the access key/,
    get,
    answer("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
  ],
  [
    /^UNKNOWN_KEY: .*signed by AKIDEXAMPLE.*AKIDOTHER/,
    get,
    { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] },
  ],
  [
    /^UNKNOWN_KEY: .*signed with the secret of AKIDOTHER/,
    get,
    { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: credentials.secretAccessKey }] },
  ],
  [/^EXPIRED: .*valid until 2026-11-24T12:15:00/, get, { clock: () => new Date("2026-11-24T13:00:00Z") }],
  [
    /^EXPIRED: .*valid until 2026-11-24T12:15:00/,
    get,
    {
      clock: () => new Date("2026-11-24T13:00:00Z"),
      errorBody: errorXml("AccessDenied", "Request has expired", {
        "X-Amz-Expires": "900",
        Expires: "2026-11-24T12:15:00Z",
        ServerTime: "2026-11-24T13:00:01Z",
      }),
    },
  ],
  [
    /^CLOCK: .*by the server's clock/,
    get,
    answer("AccessDenied", "Request has expired", {
      Expires: "2026-11-24T12:15:00Z",
      ServerTime: "2026-11-24T13:00:01Z",
    }),
  ],
  [/^NOT_YET_VALID: .*in the future/, rawUrl({ time: "20261124T140000Z" })],
  [
    /^CLOCK: .*too far apart/,
    get,
    answer("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", {
      RequestTime: "20261124T120000Z",
      ServerTime: "2026-11-24T13:00:00Z",
    }),
  ],
  [
    /^REGION: .*expects eu-central-1/,
    get,
    answer(
      "AuthorizationQueryParametersError",
      "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'eu-central-1'",
      { Region: "eu-central-1" },
    ),
  ],
  [
    /^REGION: .*expects garage/,
    get,
    answer("AuthorizationHeaderMalformed", GARAGE_SCOPES("eu-west-1"), { Region: "garage" }),
  ],
  [
    /^REGION: .*expects garage/,
    get,
    answer("AuthorizationHeaderMalformed", GARAGE_SCOPES("eu-west-1").split(", expected")[0] ?? "", {
      Region: "garage",
    }),
  ],
  [
    /^MALFORMED: .*unexpected scope/,
    get,
    answer("AuthorizationHeaderMalformed", GARAGE_SCOPES("garage"), { Region: "garage" }),
  ],
  [
    /^HEADER: .*takes no header x-amz-checksum-crc32/,
    get,
    answer("InvalidRequest", "Unsupported header 'x-amz-checksum-crc32' received for this API call."),
  ],
  [
    /^WRONG_SECRET: .*signature does not match/,
    get,
    answer("AccessDenied", "Forbidden: Invalid signature", { Region: "garage" }),
  ],
  [/^REGION: .*made for the region "us-east-1"/, rawUrl({ region: "auto", keyRegion: "us-east-1" }), { keys }],
  [/^DATE: .*20261125/, rawUrl({ keyDate: "20261125" }), { keys }],
  [/^SERVICE: .*execute-api/, rawUrl({ service: "execute-api" }), { keys }],
  [
    /^ENDPOINT: .*media\.s3\.eu-central-1/,
    get,
    answer(
      "PermanentRedirect",
      "The bucket you are attempting to access must be addressed using the specified endpoint.",
      { Endpoint: "media.s3.eu-central-1.amazonaws.com" },
    ),
  ],
  [/^EXPIRES_CHANGED: .*from 900 to 604800/, get.replace("X-Amz-Expires=900", "X-Amz-Expires=604800"), { keys }],
  [/^HTML_ESCAPED: .*&amp;/, get.replaceAll("&", "&amp;")],
  [/^HTML_ESCAPED: .*JSON/, get.replaceAll("&", "\\u0026")],
  [/^MALFORMED: .*X-Amz-Credential/, get.split("&")[0] ?? ""],
  [/^MALFORMED: .*X-Amz-Signature/, get.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()), { keys }],
  [/^MALFORMED: .*604800/, rawUrl({ expires: 691_200 }), { keys }],
  [
    /^CHECKSUM: .*AAAAAA==.*empty body/,
    sign({ method: "PUT", query: { "x-amz-checksum-crc32": "AAAAAA==" } }),
    answer("BadDigest", "The CRC32 you specified did not match the calculated checksum."),
  ],
  [/^NOT_FOUND: .*signature was accepted/, get, answer("NoSuchKey", "The specified key does not exist.")],
  [/^PERMISSION: .*signature was accepted/, get, answer("AccessDenied", "Access Denied")],
  [
    /^METHOD: .*signed for GET.*Also: .*signed for the host s3\.example\.com/,
    get,
    { keys, request: { method: "PUT", headers: { host: "minio:9000" } } },
  ],
  [
    /^LEGACY_SIGNATURE: .*Version 2/,
    signV2(),
    answer(
      "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    ),
  ],
  [/^METHOD: .*signed for GET and sent with PUT/, signV2(), { keys, request: { method: "PUT" } }],
  [
    /^HEADER: .*signed not to be there/,
    signV2({ method: "PUT" }),
    { keys, request: { method: "PUT", headers: { "content-type": "application/x-www-form-urlencoded" } } },
  ],
  [
    /^HEADER: .*content-type: text\/plain, which was not sent/,
    `${signV2({ method: "PUT", headers: { "content-type": "text/plain" } })}&content-type=text%2Fplain`,
    { request: { method: "PUT", headers: {} } },
  ],
  [
    /^MALFORMED: .*%2B/,
    `https://s3.example.com/media/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=aaaaaaaaaaaaaaaa+aaaaaaaaaa=&Expires=1999999999`,
  ],
  [
    /^UNSIGNED_HEADER: .*x-amz-request-id was added/,
    signV2(),
    { keys, request: { headers: { "x-amz-request-id": "1" } } },
  ],
  [
    /^WRONG_SECRET: .*another secret/,
    signV2(),
    answer("SignatureDoesNotMatch", "no", {
      StringToSign: `GET\n\n\n${/Expires=(\d+)/.exec(signV2())?.[1]}\n/media/a/b.txt`,
    }),
  ],
  [/^EXPIRED: .*valid until 2026-11-24T12:15:00/, signV2(), { clock: () => new Date("2026-11-24T13:00:00Z") }],
];

describe("explain with a refused URL of S3", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, clock);
  });

  it.each([get, signV2()])("returns no cause for a good URL", async (url) => {
    const explanation = await explain(url, { clock, keys });
    expect(explanation.cause).toBeUndefined();
    expect(explanation.grants.methods).toContain("GET");
  });

  it("returns no cause for an unsigned parameter, which only Daypass refuses", async () => {
    const { cause, traps } = await explain(`${signV2()}&utm_source=mail`, { clock, keys });
    expect(cause).toBeUndefined();
    expect(traps.find(({ name }) => name === "open-parameters")?.text).toContain("utm_source");
    const body = JSON.stringify({ status: 403, code: "UNSIGNED_PARAMETER", detail: "x" });
    expect((await explain(`${signV2()}&utm_source=mail`, { clock, errorBody: body })).cause?.code).toBe(
      "UNSIGNED_PARAMETER",
    );
  });

  it("lists the hypotheses, the fitting one first", async () => {
    const { hypotheses } = await explain(`${get}&utm_source=mail`, { clock, keys });
    expect(hypotheses?.[0]).toMatchObject({ code: "QUERY", fits: true });
    expect(hypotheses?.slice(1).every(({ fits }) => !fits)).toBe(true);
    expect(hypotheses?.map(({ code }) => code)).toContain("METHOD");
  });
});
