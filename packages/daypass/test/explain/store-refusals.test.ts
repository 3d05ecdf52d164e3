import { createHmac } from "node:crypto";
import { describe, it } from "vitest";
import { answer, errorXml, expectCause, named, type Refusal, rawUrl } from "./raw-requests.ts";
import {
  cos,
  END,
  expiresIn,
  google,
  googleBody,
  googlePut,
  googleText,
  googleV2,
  googleWeek,
  keys,
  legacyBody,
  MISMATCH,
  minioBody,
  now,
  ossGet,
  ossKey,
  ossPut,
  ossV1,
  ossV4,
  ossV4Put,
  put,
  SWIFT,
  shownByBrowser,
  signV2,
  TEMP_URL,
  tempUrl,
} from "./refusal-fixtures.ts";

const GET = { method: "GET", headers: {} };
const MISMATCHED = answer("SignatureDoesNotMatch", "m");
const viaCdn = rawUrl({ host: "b.ams3.digitaloceanspaces.com", region: "ams3" }).replace(".ams3.", ".ams3.cdn.");

const REFUSALS: readonly Refusal[] = [
  [
    /^PATH: .*\/yd-bucket\/1\.jpg/,
    rawUrl({ host: "dash.example.com", path: "/dash/store/yd-bucket/1.jpg" }),
    { errorBody: minioBody("/yd-bucket/1.jpg") },
  ],
  [
    /^PATH: .*(?:without its first segment|\/b\/a\.txt)/,
    rawUrl({ host: "localhost", path: "/dev/b/a.txt", signedPath: "/b/a.txt" }),
    { errorBody: minioBody("/b/a.txt"), keys },
  ],
  [
    /^HOST: Most likely .*name/,
    rawUrl({ host: "10.1.2.3:9000" }).replace("10.1.2.3:9000", "files.example.com"),
    { errorBody: minioBody("/media/a/b.txt") },
  ],
  [
    /^HOST: .*signed for the host minio\.my\.domain\.com:9000/,
    rawUrl({ host: "minio.my.domain.com:9000" }).replace(":9000", ""),
    { keys },
  ],
  [
    /^HOST: .*signed for the host minio:9000/,
    rawUrl({ host: "minio:9000" }).replace("minio:9000", "localhost:7000"),
    { keys },
  ],
  [
    /^LEGACY_SIGNATURE: .*does not accept Signature Version 2/,
    signV2().replace("media.s3.amazonaws.com", "0123456789abcdef.r2.cloudflarestorage.com/media"),
    { errorBody: "UnauthorizedSigV2 authorization is not supported. Please use SigV4 instead." },
  ],
  [
    /^LEGACY_SIGNATURE: .*Signature Version 2/,
    signV2().replace("media.s3.amazonaws.com", "s3.us-west-002.backblazeb2.com/media"),
    answer("UnauthorizedAccess", "bucket is not authorized: media"),
    /nothing wrong with the URL/,
  ],
  [
    /^UNKNOWN_KEY: .*does not know the access key/,
    rawUrl({ host: "s3.us-west-002.backblazeb2.com", region: "us-west-002" }),
    answer("InvalidAccessKeyId", "The key '00005329cf349a40000000001' is not valid"),
  ],
  [
    /^HEADER: .*content-disposition, which was not sent/,
    rawUrl({
      ...{ method: "PUT", host: "test-dev.blr1.digitaloceanspaces.com", region: "blr1" },
      headers: { "content-disposition": "inline", "content-type": "application/pdf" },
    }),
    {
      request: { ...put, headers: { "content-type": "application/pdf" } },
      errorBody:
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SignatureDoesNotMatch</Code><RequestId>tx000000000000001b7638c-0059cdfbfa-24e9b-nyc3a</RequestId><HostId>24e9b-nyc3a-nyc</HostId></Error>',
    },
  ],
  [
    /^SERVICE: .*signed for the service jeanie, but S3 expects s3/,
    rawUrl({ host: "jeanie.nyc3.digitaloceanspaces.com", region: "nyc3", service: "jeanie" }),
    answer("AccessDenied", ""),
  ],
  [
    /^HOST: .*signed for the host test\.ams3\.cdn\.digitaloceanspaces\.com, and the server was reached as test\.ams3\.digital/,
    rawUrl({ host: "test.ams3.cdn.digitaloceanspaces.com", region: "ams3" }),
    {
      keys,
      request: { method: "GET", headers: {} },
      errorBody: "<Error><Code>SignatureDoesNotMatch</Code><RequestId>tx0000</RequestId></Error>",
    },
    /holds another secret/,
  ],
  [
    /^WRONG_SECRET: .*key/,
    google,
    { errorBody: shownByBrowser(googleBody(googleText("GET"))) },
    /secret is wrong|signer's secret/,
  ],
  [
    /^WRONG_SECRET: .*key/,
    googleWeek,
    {
      errorBody: errorXml("SignatureDoesNotMatch", "Access denied."),
      request: { method: "GET", headers: {} },
    },
    /(?:another|different) secret/,
  ],
  [
    /^SIGNATURE: .*damaged in transit/,
    google.replaceAll("%2B", "+").replaceAll("%2F", "/"),
    {
      errorBody:
        "<Error>\n<Code>MalformedSecurityHeader</Code>\n<Message>Your request has a malformed header.</Message>\n<ParameterName>signature</ParameterName>\n<Details>Signature was not base64 encoded</Details>\n</Error>",
    },
  ],
  [/^HEADER: .*content-type/i, googlePut, { errorBody: googleBody(googleText("PUT", "image/png")) }],
  [
    /^HEADER: .*content-type/i,
    googlePut,
    { errorBody: googleBody(`\nPUT\nimage/png\n${END}\n/media/a/b.png\n`) },
    /end differs/i,
  ],
  [
    /^HEADER: .*(?:content-type|x-goog-resumable)/i,
    await googleV2({ method: "POST", bind: { contentType: "application/octet-stream" }, headers: {} }),
    {
      errorBody: googleBody(googleText("POST", "application/json; charset=UTF-8", "x-goog-resumable:start\n")),
    },
  ],
  [/^HEADER: .*content-type/i, ossPut, { errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`) }],
  [
    /^HEADER: .*content-type/i,
    ossV4Put,
    {
      keys: [ossKey],
      request: { ...put, headers: { "Content-Type": "multipart/form-data; boundary=x" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
  ],
  [
    /^METHOD: .*signed for GET and sent with PUT/,
    ossGet,
    {
      keys: [ossKey],
      request: { ...put, headers: {} },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
  ],
  [
    /^HEADER: .*content-type/i,
    ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...put, bind: { contentType: "image/jpeg" } }).url,
    {
      keys: [ossKey],
      request: { ...put, headers: { "content-type": "application/octet-stream" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
  ],
  [
    /^MALFORMED: .*cut off/,
    ossV4.sign({ bucket: "media", key: "6.png", expiresIn }).url.split("%2Faliyun_v4_request")[0] ?? "",
    answer("SignatureDoesNotMatch", MISMATCH),
  ],
  [
    /^WRONG_SECRET: .*a different (?:key|secret)/,
    cos,
    {
      keys: [{ secretId: "AKIDEXAMPLE", secretKey: "another-secret" }],
      request: { ...put, headers: {} },
      errorBody:
        'Error Domain=com.tencent.qcloud.networking Code=403 "(null)" UserInfo={__name=Error, RequestId=NWQ0N2E1MWRfNjE5ZDA4MDlfYWU5Y19iNGRkOTk=, Code=SignatureDoesNotMatch, TraceId=OGVm, Resource=xxxx, Message=The Signature you specified is invalid.}',
    },
  ],
  [/^WRONG_SECRET: .*key/, tempUrl, { errorBody: TEMP_URL }, /canonical request/],
  [
    /^WRONG_SECRET: .*key/,
    tempUrl,
    { errorBody: SWIFT.replace("</p>", `</p><p>${TEMP_URL}</p>`) },
    /canonical request/,
  ],
  [
    /^PATH: .*encod/,
    `https://swift.example.com/v1/AUTH_t/c/a%20b.txt?temp_url_sig=${createHmac("sha1", "kk").update(`GET\n${END}\n/v1/AUTH_t/c/a%20b.txt`).digest("hex")}&temp_url_expires=${END}`,
    { keys: [{ account: "AUTH_t", key: "kk" }], errorBody: TEMP_URL },
  ],
  // The key proves that the URL was signed for the store behind the CDN.
  [/^ENDPOINT: /, viaCdn, { request: GET, ...MISMATCHED }],
  [/^(?!ENDPOINT)/, viaCdn, { keys, request: GET, ...MISMATCHED }],
  [/^(?!ENDPOINT)/, viaCdn, { keys, request: GET, ...answer("AccessDenied", "") }],
  [/^undefined: /, viaCdn, { keys, request: GET }],
  [/^METHOD: /, tempUrl, { request: { method: "OPTIONS" }, ...MISMATCHED }],
  [/^SERVER: /, tempUrl, { request: { method: "HEAD" }, status: 403 }],
];

describe("explain with a refusal of another store", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, () => now);
  });
});
