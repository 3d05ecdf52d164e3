import { s3Signer } from "daypass/s3";
import { describe, it } from "vitest";
import { answer, awsErrorBody, errorXml, expectCause, named, type Refusal, rawUrl, saw } from "./raw-requests.ts";
import {
  clock,
  END,
  emptySum,
  expiresIn,
  keys,
  legacyBody,
  MISMATCH,
  minioBody,
  now,
  put,
  SESSION,
  shownByBrowser,
  sign,
  signedAcl,
  signV2,
  withoutBytes,
} from "./refusal-fixtures.ts";

const lasting = (expires: string) =>
  rawUrl({ host: "b.s3.amazonaws.com" }).replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${expires}`);
const parts = rawUrl({ method: "POST", query: "uploads=&x-amz-acl=private" });

const REFUSALS: readonly Refusal[] = [
  [/^HEADER: .*content-type/i, signV2(put), { errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`) }],
  [
    /^HEADER: .*content-type/i,
    `${signV2(put)}&Content-Type=image%2Fjpeg`,
    {
      errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`),
      request: { ...put, headers: { "Content-Type": "image/jpeg" } },
    },
  ],
  [/^HEADER: .*x-amz-te/, rawUrl({ headers: { "x-amz-te": "append-md5" } }), saw()],
  [
    /^ENDPOINT: .*redirect/,
    rawUrl({ host: "media.s3.amazonaws.com", region: "eu-west-3", path: "/panda.jpg" }),
    saw({
      host: "media.s3.eu-west-3.amazonaws.com",
    }),
    /proxy/,
  ],
  [
    /^WRONG_SECRET: .* the URL was signed for another method than GET/,
    signV2(put),
    { errorBody: shownByBrowser(legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`)) },
  ],
  [
    /^METHOD: .*(?:upload|PUT)/,
    `${signV2({ ...put, bind: { contentType: "image/jpeg" } })}&Content-Type=image%2Fjpeg`,
    { errorBody: legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`), request: { method: "GET" } },
  ],
  [
    /^METHOD: .*(?:upload|PUT)/,
    `${signV2({ ...put, bind: { contentType: "text/csv" }, query: { "x-amz-acl": "public-read" } } as never)}&Content-Type=text%2Fcsv`,
    {
      errorBody: withoutBytes(shownByBrowser(legacyBody(`GET\n\n\n${END}\nx-amz-acl:public-read\n/media/a/b.jpg`))),
    },
  ],
  [
    /^WRONG_SECRET: .* the URL was signed for another method than GET/,
    signV2(put),
    { errorBody: withoutBytes(shownByBrowser(legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`))) },
  ],
  [
    /^WRONG_SECRET: .* the URL was signed for another method than PUT/,
    sign({ query: { "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" } }),
    saw({ method: "PUT" }),
  ],
  [
    /^METHOD: .*signed for PUT and sent with GET/,
    signV2({ ...put, bind: { contentType: "binary/octet-stream" } }),
    { errorBody: errorXml("SignatureDoesNotMatch", MISMATCH), request: { method: "GET", headers: {} }, keys },
  ],
  [
    /^HEADER: .*header x-amz-acl, which was not sent/,
    rawUrl({
      ...{ method: "PUT", host: "s3.amazonaws.com", region: "us-east-1" },
      ...{ query: "Content-Type=image%2Fsvg%2Bxml&x-amz-acl=public-read", headers: { "x-amz-acl": "public-read" } },
    }),
    {
      request: { method: "PUT", headers: { "content-type": "image/svg+xml" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
  ],
  [
    /^MALFORMED: .*X-Amz-SignedHeaders is malformed: send a list with `host`/,
    sign().replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"),
    answer("AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: "host",
    }),
    /x-amz-\*|Leave them out/,
  ],
  [
    /^MALFORMED: .*(?:week|seven days|604800)/,
    rawUrl({ host: "s3-my-bucket.s3.amazonaws.com", region: "us-east-1", expires: 6_307_000_000 }),
    answer(
      "AuthorizationQueryParametersError",
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    ),
    /Pass the URL on/,
  ],
  [
    /^MALFORMED: .*(?:week|seven days|604800)/,
    rawUrl({ host: "b.s3.amazonaws.com", region: "us-east-1", expires: 604_801 }),
    {
      errorBody:
        "AuthorizationQueryParametersErrorX-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    },
    /Pass the URL on/,
  ],
  [
    /^EXPIRED_TOKEN: .*session token has expired, and the URL with it/,
    s3Signer({
      ...{ region: "ap-southeast-1", clock },
      credentials: { accessKeyId: "ASIAV5PCHEA3QD37SVC7", secretAccessKey: "s", sessionToken: SESSION },
    }).sign({ bucket: "media", key: "Error.csv", expiresIn: 604_800 }).url,
    answer("ExpiredToken", "The provided token has expired.", { "Token-0": SESSION }),
  ],
  [
    /^INVALID_TOKEN: .*space/,
    s3Signer({
      ...{ region: "us-east-1", clock },
      credentials: {
        accessKeyId: "ASIAV5PCHEA3QD37SVC7",
        secretAccessKey: "s",
        sessionToken: SESSION.replace("+", " "),
      },
    }).sign({ bucket: "media", key: "1.jpg", expiresIn, ...put }).url,
    answer("InvalidToken", "The provided token is malformed or otherwise invalid."),
  ],
  [
    /^AMBIGUOUS_AUTHENTICATION: .*Authorization header beside the signed URL/,
    sign(),
    {
      errorBody: shownByBrowser(
        errorXml(
          "InvalidArgument",
          "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
          { ArgumentName: "Authorization", ArgumentValue: "Basic dXNlcjpwYXNz" },
        ),
      ),
    },
  ],
  [
    /^CORS: .*Access-Control-Allow-Origin/,
    sign(),
    {
      errorBody: `Access to fetch at '${sign()}' from origin 'http://localhost:7024' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource. If an opaque response serves your needs, set the request's mode to 'no-cors' to fetch the resource with CORS disabled.`,
    },
  ],
  [
    /^CORS: .*Access-Control-Allow-Origin/,
    sign(),
    { errorBody: `Fetch API cannot load ${sign()} due to access control checks.` },
  ],
  [
    /^CORS: .*preflight/,
    sign(put),
    {
      request: put,
      errorBody: `Access to XMLHttpRequest at '${sign(put)}' from origin 'http://localhost:8080' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: It does not have HTTP ok status.`,
    },
  ],
  [
    /^POLICY: .*Content-Security-Policy/,
    sign(put),
    {
      request: put,
      errorBody: `Refused to connect to '${sign(put)}' because it violates the following Content Security Policy directive: "connect-src 'self'".`,
    },
    /CORSRules/,
  ],
  [
    /^HOST: .*cannot resolve the host/,
    rawUrl({ host: "minio:9000" }).replace("https", "http"),
    { errorBody: `PUT ${rawUrl({ host: "minio:9000" })} net::ERR_NAME_NOT_RESOLVED` },
  ],
  [
    /^CHECKSUM: .*empty body/,
    emptySum,
    answer(
      "InvalidDigest",
      "Invalid digest: Failed to validate checksum for algorithm Crc32: calculated Some(Crc32([255, 213, 36, 122])), expected Crc32([0, 0, 0, 0])",
      { Resource: "/kaneo/x.png", Region: "garage" },
    ),
  ],
  [
    /^CHECKSUM: .*empty body/,
    emptySum,
    { errorBody: "Upload failed: R2 PUT network error: xhr network error (size=290, type=application/json)" },
  ],
  [
    /^HEADER: .*takes no header x-amz-checksum-crc32/,
    emptySum,
    { errorBody: "NotImplemented: Header 'x-amz-checksum-crc32' with value '8FJbTw==' not implemented" },
  ],
  [/^HEADER: .*x-amz-acl/, signedAcl, saw({ ...put, headers: { "content-type": "image/png", "x-amz-acl": "" } })],
  [
    /^METHOD: .*sent with HEAD, and was probably signed for GET/,
    sign({ response: { contentDisposition: 'attachment; filename="a.nwb"' } }),
    { request: { method: "HEAD", headers: {} }, status: 403 },
  ],
  [
    /^HEADER: Most likely the header content-type/,
    sign({ ...put, bind: { contentType: "image/jpeg" } }),
    { request: put, status: 403 },
  ],
  [
    /^CLOCK: .*dated in the future by the server's clock/,
    sign(),
    answer("AccessDenied", "Request is not yet valid", { "X-Amz-Date": "20261124T120000Z" }),
  ],
  [
    /^HOST: .*signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
    rawUrl({ host: "media.s3.eu-west-1.amazonaws.com", path: "/a.bin" }).replace(
      "media.s3.eu-west-1.amazonaws.com",
      "media.example.com",
    ),
    { keys },
  ],
  [
    /^HOST: Most likely the server was reached under another name/,
    rawUrl({ host: "s3.example.com" }).replace("s3.example.com", "files.example.com"),
    { errorBody: minioBody("/media/a/b.txt") },
  ],
  [
    /^REGION: .*expects us-east-1/,
    rawUrl({ host: "s3.amazonaws.com", region: "custom" }),
    {
      errorBody:
        "\\<?xml version=\"1.0\" encoding=\"UTF-8\"?\\>\n\\<Error\\>\\<Code\\>PermanentRedirect\\<\\/Code\\>\\<Message\\>The authorization header is malformed; the region 'custom' is wrong; expecting 'us-east-1'\\<\\/Message\\>\\<\\/Error\\>",
    },
  ],
  [
    /^QUERY: .*plain \+/,
    sign().replace("AKIDEXAMPLE", "abc+abc"),
    { errorBody: minioBody("/media/a/b.txt").replace("<Resource>/media/a/b.txt</Resource>", "") },
  ],
  // The server shows the path that it saw; it puts the bucket of the host in front.
  [/^PATH: /, rawUrl({ host: "files.example.com", path: "/files/b.txt" }), { errorBody: minioBody("/media/b.txt") }],
  [
    /^HOST: /,
    rawUrl({ host: "files.example.com", path: "/files/b.txt" }),
    { errorBody: minioBody("/media/files/b.txt") },
  ],
  [/^HOST: /, rawUrl({ host: "files.example.com", path: "/media/a%20b" }), { errorBody: minioBody("/media/a%20b") }],
  [
    /^WRONG_SECRET: /,
    signV2().replace("media.s3.amazonaws.com", "s3.example.com/b"),
    { errorBody: minioBody("/b/a/b.jpg") },
    /Host/,
  ],
  // A lifetime that was damaged, or signed.
  ...["9OO", "900x"].map((expires): Refusal => [/^MALFORMED: .*\n.*byte for byte/, lasting(expires)]),
  ...["604801", "-900"].map((expires): Refusal => [/^MALFORMED: .*\n.*at most one week/, lasting(expires)]),
  // The start of an upload in parts.
  [/^METHOD: .*signed for POST/, parts, { errorBody: awsErrorBody(parts), request: { method: "GET" } }],
  [/^WRONG_SECRET: /, parts, saw({ method: "POST" })],
  [/^undefined: /, parts, { keys, request: { method: "POST", headers: {} } }],
  [/^CORS: /, sign(), { request: { method: "OPTIONS" }, status: 403 }],
  [/^METHOD: /, sign(), { request: { method: "HEAD" }, status: 403, errorBody: "" }],
  [/^WRONG_SECRET: .*the URL was signed for another method/, sign(), answer("SignatureDoesNotMatch", "m")],
  // Messages of clients.
  [
    /^PROXY: /,
    sign(),
    { errorBody: "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed" },
  ],
  [
    /^HOST: /,
    sign(),
    { errorBody: "Cross-Origin Request Blocked: (Reason: CORS request did not succeed). Status: (null)." },
  ],
  [/^HOST: .*server's certificate/, rawUrl(), { errorBody: "net::ERR_CERT_COMMON_NAME_INVALID" }, /wildcard/],
  [
    /^HOST: .*wildcard certificate does not cover a bucket with dots/,
    rawUrl({ host: "my.media.s3.eu-west-1.amazonaws.com" }),
    { errorBody: "net::ERR_CERT_COMMON_NAME_INVALID" },
  ],
  // Messages about another URL, and unknown ones.
  ...[
    "curl: (6) Could not resolve host: registry.internal",
    "Mixed Content: The page at 'https://a' was loaded over HTTPS, but requested an insecure image 'http://b/c.png'.",
  ].map((errorBody): Refusal => [/^undefined: /, sign(), { errorBody }]),
  ...[
    "error:0A000410:SSL routines::sslv3 alert handshake failure",
    "java.net.ConnectException: Connection timed out",
    "NotImplementedError: subclasses have to write it",
    "System.UnauthorizedAccessException: Access to the path is denied.",
  ].map((errorBody): Refusal => [/^SERVER: .*in no format that explain knows/, sign(), { errorBody }]),
];

describe("explain with a refusal of S3 and its clients", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, () => now);
  });
});
