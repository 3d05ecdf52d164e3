import type { ExplainKey } from "daypass/explain";
import {
  access,
  amazon,
  as,
  type Change,
  client,
  computes,
  denied,
  headers,
  minio,
  nothing,
  path,
  plus,
  query,
  SECRET,
  type Server,
  same,
  says,
  url,
  works,
} from "./other-signers.ts";

/** One broken (or working) request: what it is, the codes at the four levels (`-` for none), and a word of the first sentence with the key. */
export type Row = readonly [
  signed: string,
  fault: string,
  codes: string,
  change: Change,
  server: Server,
  more?: { readonly key?: ExplainKey; readonly now?: string; readonly says?: RegExp } | undefined,
];

const wrong = { ...access, secretAccessKey: `${SECRET}x` };

const authorizationQueryParametersError = says(
  "AuthorizationQueryParametersError",
  "Error parsing the X-Amz-Credential parameter",
  {},
  400,
);
const accessDenied = says("AccessDenied", "There were headers present in the request which were not signed", {
  HeadersNotSigned: "host",
});
const authorizationQueryParametersError2 = says(
  "AuthorizationQueryParametersError",
  "Query-string authentication version 4 requires the X-Amz-Signature parameter",
  {},
  400,
);
const authorizationQueryParametersError3 = says(
  "AuthorizationQueryParametersError",
  "X-Amz-Expires must be less than a week (in seconds) that is the given X-Amz-Expires must be less than 604800",
  {},
  400,
);
const accessDenied2 = says("AccessDenied", "Request has expired");
const expiredToken = says("ExpiredToken", "Invalid argument.", {}, 400);
const authenticationFailed = says("AuthenticationFailed", "Server failed to authenticate the request.");
const invalidAccessKeyId = says(
  "InvalidAccessKeyId",
  "The AWS Access Key Id you provided does not exist in our records.",
);
const invalidToken = says("InvalidToken", "The provided token is malformed or otherwise invalid.", {}, 400);
const expiredToken2 = says("ExpiredToken", "The provided token has expired.", {}, 400);
const temporaryRedirect = says(
  "TemporaryRedirect",
  "Please re-send this request to the specified temporary endpoint.",
  { Endpoint: "media.s3.us-west-2.amazonaws.com" },
  307,
);
const authorizationQueryParametersError4 = says(
  "AuthorizationQueryParametersError",
  "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-west-2'",
  { Region: "us-west-2" },
  400,
);
const badDigest = says("BadDigest", "The crc32 you specified did not match", {}, 400);
const accessDenied3 = says("AccessDenied", "There were headers present in the request which were not signed", {
  HeadersNotSigned: "x-amz-acl",
});
const missingRequiredHeader = says(
  "MissingRequiredHeader",
  "An HTTP header that's mandatory for this request is not specified.",
  { HeaderName: "x-ms-blob-type" },
  400,
);
const invalidRequest = says(
  "InvalidRequest",
  "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  {},
  400,
);
const noSuchKey = says("NoSuchKey", "The specified key does not exist.", {}, 404);
const blobNotFound = says("BlobNotFound", "The specified blob does not exist.", {}, 404);
const slowDown = says("SlowDown", "Please reduce your request rate.", {}, 503);
const authorizationPermissionMismatch = says(
  "AuthorizationPermissionMismatch",
  "This request is not authorized to perform this operation using this permission.",
);

/** Rows with the same codes at the four levels. */
function group(codes: string, list: readonly (readonly [string, string, Change, Server, Row[5]?])[]): readonly Row[] {
  return list.map(([name, fault, ...rest]) => [name, fault, codes, ...rest]);
}

export const rows: readonly Row[] = [
  ...group("- - - -", [
    ["boto3 get", "works, whatever the body says", same, works],
    ["sdk get", "works", same, works],
    ["azure get", "with utm_source, which no SAS signs", plus("&utm_source=x"), works],
    ["oss v1 get", "with utm_source, which V1 does not sign", plus("&utm_source=x"), works],
    ["boto3 get", "with a fragment", plus("#top"), works],
    ["azurite get", "works with the account beside the key", same, works],
  ]),
  ...group("EXPIRED - - -", [
    ["boto3 get", "has expired and worked before", same, works, { now: "2026-11-24T13:00:00Z" }],
  ]),
  ...group("- METHOD METHOD METHOD", [
    ["boto3 get", "sent with HEAD", as("HEAD"), nothing],
    ["sdk get", "sent with HEAD", as("HEAD"), nothing],
    ["aws4 get", "sent with HEAD", as("HEAD"), nothing],
    ["gcs get", "sent with HEAD", as("HEAD"), nothing],
    ["boto3 v2 get", "sent with HEAD", as("HEAD"), nothing],
    ["sdk put", "sent with GET", as("GET"), amazon],
    ["sdk delete", "sent with GET", as("GET"), amazon],
    ["gcs resumable", "sent with PUT", as("PUT"), computes("Cloud Storage")],
  ]),
  ...group("- SERVER WRONG_SECRET METHOD", [["boto3 put", "sent with GET", as("GET"), amazon]]),
  ...group("- SERVER HOST METHOD", [["minio put", "sent with POST", as("POST"), minio]]),
  ...group("QUERY QUERY QUERY QUERY", [
    ["boto3 get", "with utm_source", plus("&utm_source=mail&utm_medium=x"), amazon],
    ["sdk get", "with fbclid", plus("&fbclid=x"), amazon],
    ["aws4fetch get", "with gclid", plus("&gclid=x"), denied],
    ["gcs get", "with utm_source", plus("&utm_source=x"), computes("Cloud Storage")],
    ["oss get", "with utm_source", plus("&utm_source=x"), computes("OSS")],
    ["cloudfront canned", "with gclid", plus("&gclid=x"), denied],
    ["sdk get disposition", "with a plain + in a value", url("b%2Bc", "b+c"), computes("S3", url("b+c", "b%20c"))],
  ]),
  ...group("PATH PATH PATH PATH", [
    [
      "boto3 get a b+c",
      "with a plain +",
      path((p) => p.replace("%2B", "+")),
      computes(
        "S3",
        path((p) => p.replace("+", "%20")),
      ),
    ],
    [
      "sdk get a b+c",
      "with + for both",
      path((p) => p.replace(/%2B|%20/g, "+")),
      computes(
        "S3",
        path((p) => p.replaceAll("+", "%20")),
      ),
    ],
    ["boto3 get pct", "with its path encoded again", path((p) => p.replaceAll("%", "%25")), amazon],
    ["sdk get a b+c", "with its path encoded again", path((p) => p.replaceAll("%", "%25")), denied],
    ["cloudfront custom", "at a path that its policy does not cover", path(() => "/c/b.txt"), denied],
  ]),
  ...group("- SERVER WRONG_SECRET PATH", [
    ["boto3 get a b+c", "with the plus lost", path((p) => p.replace("%2B", "%20")), amazon],
    ["sdk get a b+c", "with a plus for the space", path((p) => p.replace("%20", "%2B")), amazon],
    ["gcs get a b+c", "with the plus lost", path((p) => p.replace("%2B", "%20")), computes("Cloud Storage")],
    ["boto3 get double slash", "with // merged before", path((p) => p.replace("//", "/")), amazon],
  ]),
  ...group("- SERVER HOST PATH", [
    ["aws4fetch get a b+c", "with the plus lost", path((p) => p.replace("%2B", "%20")), minio],
  ]),
  ...group("MALFORMED MALFORMED MALFORMED MALFORMED", [
    ["boto3 get", "encoded again as a whole", url(/%/g, "%25"), authorizationQueryParametersError],
    ["sdk get", "with a full stop behind it", plus("."), amazon],
    ["sdk get", "with a bracket behind it", plus(")"), denied],
    ["sdk put", "with an encoded quote behind it", plus("%22"), amazon],
    ["sdk get", "with a line feed behind it", plus("%0A"), amazon],
    ["sdk get", "with a zero-width space behind it", plus("\u200b"), amazon],
    ["sdk part", "with a zero-width space in a value", url("uploadId=u1", "uploadId=u1%E2%80%8B"), amazon],
    ["sdk get", "with its end cut off", url(/GetObject$/, "GetO"), amazon],
    ["sdk get", "cut in x-amz-checksum-mode", url(/ENABLED.*$/, "ENA"), amazon],
    ["sdk get", "cut in SignedHeaders", url(/=host.*$/, "=ho"), accessDenied],
    ["boto3 get", "cut in its signature", url(/.{9}$/, ""), amazon],
    ["gcs get", "cut in its signature", url(/.{9}$/, ""), computes("Cloud Storage")],
    ["cloudfront canned", "cut in its signature", url(/.{9}$/, ""), denied],
    [
      "boto3 get",
      "with a # in its query",
      url("&X-Amz-Signature", "#&X-Amz-Signature"),
      authorizationQueryParametersError2,
    ],
    ["sdk get", "with a # in its path", path((p) => p.replace("b.txt", "b#1.txt")), denied],
    ["sdk get", "with ; for &", url(/&/g, ";"), denied],
    ["boto3 put type", "with ; for &", url(/&/g, ";"), denied],
    ["gcs get", "with ; for &", url(/&/g, ";"), denied],
    ["boto3 get", "with a space in its signature", url(/(.{20})$/, " $1"), amazon],
    ["sdk get", "with an encoded space in its date", url("T120000Z", "%20T120000Z"), denied],
    ["sdk get", "with an encoded space in its last value", url("GetObject", "Get%20Object"), amazon],
    [
      "sdk get a b+c",
      "with its query encoded again",
      query((q) => q.replaceAll("%", "%25")),
      authorizationQueryParametersError,
    ],
    ["boto3 get", "with & and = encoded", query((q) => encodeURIComponent(q)), denied],
    ["gcs get a b+c", "with its query encoded again", query((q) => q.replaceAll("%", "%25")), denied],
    ["aws4 get", "broken into lines", url("&X-Amz-Algorithm", "\n&X-Amz-Algorithm"), denied],
    [
      "aws4 get",
      "in upper case",
      url(/[0-9a-f]{64}$/, "D447BCFEAA04F71AF5D97BA49C54FECB210449E7022DDBEDB8594C3DB16D5C87"),
      amazon,
    ],
    ["boto3 too long", "sent", same, authorizationQueryParametersError3],
  ]),
  ...group("- PATH PATH PATH", [
    [
      "boto3 get double slash",
      "with // merged on its way",
      same,
      computes(
        "S3",
        path((p) => p.replace("//", "/")),
      ),
    ],
  ]),
  ...group("- SERVER WRONG_SECRET HOST", [
    ["boto3 get", "at another host", url("media.s3.eu-west-1.amazonaws.com", "media.example.com"), amazon],
    ["cos get", "at another host", url("myqcloud.com", "myqcloud.com:443"), computes("COS")],
  ]),
  ...group("- SERVER HOST HOST", [
    ["boto3 minio", "behind a proxy that replaces Host", same, computes("S3", url("minio:9000", "localhost:9000"))],
  ]),
  ...group("- SERVER PATH PATH", [
    [
      "minio get",
      "below a prefix that a proxy strips",
      url(":9000/", ":9000/store/"),
      (sent) => minio({ ...sent, url: sent.url.replace("/store/", "/") }),
    ],
  ]),
  ...group("EXPIRED EXPIRED EXPIRED EXPIRED", [
    ["boto3 get", "expired", same, accessDenied2, { now: "2026-11-24T13:00:00Z" }],
    ["cos get", "expired", same, accessDenied2, { now: "2026-11-24T13:00:00Z" }],
    ["gcs get", "expired", same, expiredToken, { now: "2026-11-24T13:00:00Z" }],
    ["azure get", "expired", same, authenticationFailed, { now: "2026-11-24T13:00:00Z" }],
    ["cloudfront custom", "expired", same, denied, { now: "2026-11-24T13:00:00Z" }],
  ]),
  ...group("- SERVER WRONG_SECRET EXPIRES_CHANGED", [
    ["boto3 get", "with the lifetime changed", url("Expires=900", "Expires=86400"), amazon],
    ["azure container", "with a longer end", url("12%3A15", "14%3A15"), authenticationFailed],
  ]),
  ...group("- SERVER WRONG_SECRET WRONG_SECRET", [
    [
      "boto3 get",
      "signed with a damaged secret",
      same,
      amazon,
      { key: { ...access, secretAccessKey: `${SECRET}\n` }, says: /damaged/ },
    ],
    ["sdk get", "signed with another secret", same, amazon, { key: wrong }],
    [
      "azure account",
      "with another key",
      same,
      authenticationFailed,
      { key: { accountKey: Buffer.alloc(32, 8).toString("base64") } },
    ],
  ]),
  ...group("- SERVER PERMISSION WRONG_SECRET", [
    ["boto3 get", "refused in two words, with another secret", same, denied, { key: wrong }],
  ]),
  ...group("- SERVER PERMISSION PERMISSION", [["boto3 get", "refused in two words", same, denied]]),
  ...group("INVALID_TOKEN INVALID_TOKEN INVALID_TOKEN INVALID_TOKEN", [
    ["boto3 temporary without token", "sent", same, invalidAccessKeyId],
    ["boto3 temporary without token", "refused in two words", same, denied],
    ["boto3 temporary", "without its token", url(/&X-Amz-Security-Token=[^&]*/, ""), amazon],
    ["sdk temporary", "without its token", url(/&X-Amz-Security-Token=[^&]*/, ""), minio],
  ]),
  ...group("QUERY QUERY INVALID_TOKEN INVALID_TOKEN", [
    ["sdk temporary", "with a plain + in its token", url("%2B", "+"), invalidToken],
  ]),
  ...group("- EXPIRED_TOKEN EXPIRED_TOKEN EXPIRED_TOKEN", [
    ["boto3 temporary", "with an expired token", same, expiredToken2],
  ]),
  ...group("- ENDPOINT ENDPOINT ENDPOINT", [["boto3 global", "answered with a redirect", same, temporaryRedirect]]),
  ...group("- SERVER REGION REGION", [["aws4 get", "for another region", same, authorizationQueryParametersError4]]),
  ...group("- CHECKSUM CHECKSUM CHECKSUM", [["sdk put checksum", "with a body", same, badDigest]]),
  ...group("- SERVER UNSIGNED_HEADER UNSIGNED_HEADER", [
    ["sdk put", "with an unsigned header", headers({ "x-amz-acl": "private" }), accessDenied3],
  ]),
  ...group("- HEADER HEADER HEADER", [
    ["boto3 put type", "with another Content-Type", headers({ "content-type": "text/plain" }), amazon],
    ["sdk put type", "without its Content-Type", headers({}), amazon],
    ["aws4fetch put type", "with another Content-Type", headers({ "content-type": "text/plain" }), minio],
    ["boto3 put meta", "without its header", headers({}), amazon],
    ["boto3 v2 put type", "with another Content-Type", headers({ "content-type": "text/plain" }), computes("S3 V2")],
    ["gcs put type", "with another Content-Type", headers({ "content-type": "text/plain" }), computes("Cloud Storage")],
    ["azure put", "without its header", headers({}), missingRequiredHeader],
  ]),
  ...group("- SERVER WRONG_SECRET HEADER", [
    ["oss put type", "without its Content-Type", headers({}), computes("OSS")],
  ]),
  ...group("HTML_ESCAPED HTML_ESCAPED HTML_ESCAPED HTML_ESCAPED", [
    ["sdk get", "copied from HTML", url(/&/g, "&amp;"), denied],
  ]),
  ...group("- SERVER WRONG_SECRET QUERY", [
    ["sdk part", "with another partNumber", url("partNumber=2", "partNumber=3"), amazon],
    ["boto3 get disposition", "with the plus of a value lost", url("b%2Bc", "b%20c"), amazon],
  ]),
  ...group("- LEGACY_SIGNATURE LEGACY_SIGNATURE LEGACY_SIGNATURE", [
    ["boto3 v2 get", "at a region without Signature Version 2", same, invalidRequest],
  ]),
  ...group("- NOT_FOUND NOT_FOUND NOT_FOUND", [
    ["boto3 get", "for an object that is not there", same, noSuchKey],
    ["azurite get", "refused for the blob", same, blobNotFound],
  ]),
  ...group("- SERVER SERVER SERVER", [["boto3 get", "throttled", same, slowDown]]),
  ...group("- - CORS CORS", [
    ["sdk put", "with no answer in Chromium", same, client("TypeError: Failed to fetch")],
    [
      "sdk put",
      "with no answer in Firefox",
      same,
      client("TypeError: NetworkError when attempting to fetch resource."),
    ],
    ["minio put", "with no answer in Safari", same, client("TypeError: Load failed")],
    ["gcs put type", "with no answer in axios", same, client("AxiosError: Network Error")],
    ["azure put", "with no answer in Chromium's console", same, client("PUT net::ERR_FAILED")],
  ]),
  ...group("- - HOST HOST", [["boto3 get", "with no answer in Node", same, client("TypeError: fetch failed")]]),
  ...group("SIGNATURE SIGNATURE SIGNATURE SIGNATURE", [
    [
      "azure get",
      "with a + in its signature",
      url(/sig=.*$/, "sig=DApvm3cBGajxx1lOYxgbW7qRrRQ0dsBPmGK1RK+KCM8="),
      authenticationFailed,
    ],
  ]),
  ...group("- PERMISSION PERMISSION PERMISSION", [
    ["azure get", "sent with PUT", as("PUT"), authorizationPermissionMismatch],
  ]),
  ...group("- PATH WRONG_SECRET PATH", [
    ["oss get", "with a slash doubled", path((p) => p.replace("/b", "//b")), computes("OSS")],
  ]),
];
