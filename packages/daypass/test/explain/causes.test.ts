import { explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { awsErrorBody, type Broken, credentials, errorXml, rawUrl } from "./broken-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const endpoint = "https://s3.example.com";
const s3 = s3Signer({ region: "eu-west-1", endpoint, credentials, clock: () => signedAt });
const sign = (extra: Partial<Parameters<typeof s3.sign>[0]> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn: 900, ...extra }).url;
const v2 = s3V2Signer({ region: "us-east-1", endpoint, credentials, clock: () => signedAt });
const signV2 = (extra: Partial<Parameters<typeof v2.sign>[0]> = {}) =>
  v2.sign({ bucket: "media", key: "a/b.txt", expiresIn: 900, ...extra }).url;

const get = sign();
const sent = (change: (url: string) => string, url = get) => ({ request: { url: change(url) } });

const GARAGE_SCOPES = (region: string) =>
  `Authorization header malformed, unexpected scope: '20261124/${region}/s3/aws4_request', expected: '20261124/garage/s3/aws4_request'`;

const broken: readonly Broken[] = [
  {
    what: "a GET URL used for an upload (key)",
    url: get,
    options: { keys, request: { method: "PUT" } },
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    what: "a GET URL asked with HEAD (key)",
    url: get,
    options: { keys, request: { method: "HEAD" } },
    cause: "METHOD",
    says: /signed for GET and sent with HEAD/,
  },
  {
    what: "a GET URL asked with HEAD (error body)",
    url: get,
    options: { errorBody: awsErrorBody(get, { method: "HEAD" }) },
    cause: "METHOD",
    says: /HEAD, and was probably signed for GET/,
  },
  {
    what: "a preflight that reached the signature check",
    url: get,
    options: { errorBody: awsErrorBody(get, { method: "OPTIONS" }) },
    cause: "METHOD",
    says: /OPTIONS/,
  },
  {
    what: "an SDK's PutObject URL opened in a browser (error body)",
    url: sign({ method: "PUT", query: { "x-id": "PutObject" } }),
    options: { errorBody: awsErrorBody(sign({ method: "PUT", query: { "x-id": "PutObject" } }), { method: "GET" }) },
    cause: "METHOD",
    says: /signed for PUT \(x-id=PutObject\) and sent with GET/,
  },
  {
    what: "signed for a name inside the container network (key)",
    url: get,
    options: { keys, request: { headers: { host: "minio:9000" } } },
    cause: "HOST",
    says: /signed for the host s3\.example\.com.*reached as minio:9000/,
  },
  {
    what: "signed with another internal name that the caller knows of",
    url: rawUrl({ host: "storage.svc:3900" }).replace("storage.svc:3900", "files.example.com"),
    options: { keys, hosts: ["storage.svc:3900"] },
    cause: "HOST",
    says: /signed for the host storage\.svc:3900/,
  },
  {
    what: "a client that adds :443",
    url: get,
    options: { keys, request: { headers: { host: "s3.example.com:443" } } },
    cause: "HOST",
    says: /s3\.example\.com:443/,
  },
  {
    what: "a proxy that rewrites Host (error body)",
    url: get,
    options: { errorBody: awsErrorBody(get, { host: "minio:9000" }) },
    cause: "HOST",
    says: /server saw the host minio:9000.*URL says s3\.example\.com/,
  },
  {
    what: "a proxy that drops the port (only a string to sign in the body)",
    url: rawUrl({ host: "s3.example.com:9000" }),
    options: {
      errorBody: awsErrorBody(rawUrl({ host: "s3.example.com:9000" }), {
        host: "s3.example.com",
        omitCanonicalRequest: true,
      }),
    },
    cause: "HOST",
    says: /server saw the host s3\.example\.com,/,
  },
  {
    what: "a server behind a proxy that tells the public host",
    url: rawUrl({ host: "cdn.example.net" }).replace("cdn.example.net", "s3.example.com"),
    options: { keys, request: { headers: { "x-forwarded-host": "cdn.example.net" } } },
    cause: "HOST",
    says: /signed for the host cdn\.example\.net/,
  },
  {
    what: "signed virtual-host style, sent path style",
    url: rawUrl({ host: "media.s3.example.com", path: "/a/b.txt" }).replace(
      "media.s3.example.com/a",
      "s3.example.com/media/a",
    ),
    options: { keys },
    cause: "HOST",
    says: /signed for the host media\.s3\.example\.com with the path \/a\/b\.txt/,
  },
  {
    what: "a tracking parameter added after signing (key)",
    url: `${get}&utm_source=mail`,
    options: { keys },
    cause: "QUERY",
    says: /utm_source was added after signing/,
  },
  {
    what: "a tracking parameter added on the way (no key)",
    url: get,
    options: sent((url) => `${url}&fbclid=1`),
    cause: "QUERY",
    says: /fbclid was added/,
  },
  {
    what: "a parameter added on the way (error body)",
    url: get,
    options: { errorBody: awsErrorBody(`${get}&cache=1`) },
    cause: "QUERY",
    says: /cache was added/,
  },
  {
    what: "a parameter dropped on the way (error body)",
    url: sign({ query: { versionId: "3" } }),
    options: { errorBody: awsErrorBody(sign({ query: { versionId: "3" } }).replace("&versionId=3", "")) },
    cause: "QUERY",
    says: /versionId is missing/,
  },
  {
    what: "a response override added after signing",
    url: `${get}&response-content-disposition=attachment`,
    options: { keys },
    cause: "QUERY",
    says: /response-content-disposition was added after signing/,
  },
  {
    what: "a signer that takes + for itself, not a space",
    url: rawUrl({ query: "prefix=a+b", signedQuery: "prefix=a%2Bb" }),
    options: { keys },
    cause: "QUERY",
    says: /%2B where the URL has a plain `\+`/,
  },
  {
    what: "a space turned into %2B (error body)",
    url: sign({ query: { prefix: "a b" } }),
    options: { errorBody: awsErrorBody(sign({ query: { prefix: "a b" } }).replace("a%20b", "a%2Bb")) },
    cause: "QUERY",
    says: /differs in a plus/,
  },
  {
    what: "a signer that leaves ' ( ) unencoded in a disposition",
    url: rawUrl({ query: "response-content-disposition=a%28b%29", signedQuery: "response-content-disposition=a(b)" }),
    options: { keys },
    cause: "QUERY",
    says: /!'\(\)\* left unencoded/,
  },
  {
    what: "a key with + signed as a space",
    url: rawUrl({ path: "/media/a+b.txt", signedPath: "/media/a%20b.txt" }),
    options: { keys },
    cause: "PATH",
    says: /`\+` as a space/,
  },
  {
    what: "a path encoded twice by the signer",
    url: rawUrl({ path: "/media/a%20b.txt", signedPath: "/media/a%2520b.txt" }),
    options: { keys },
    cause: "PATH",
    says: /encoded twice/,
  },
  {
    what: "a path encoded once more on the way (no key)",
    url: sign({ key: "a b.txt" }),
    options: sent((url) => url.replace("a%20b", "a%2520b"), sign({ key: "a b.txt" })),
    cause: "PATH",
    says: /encoded twice/,
  },
  {
    what: "a slash of the key signed as %2F",
    url: rawUrl({ path: "/media/a%2Fb.txt", signedPath: "/media/a%2Fb.txt" }),
    options: { keys },
    cause: "PATH",
    says: /%2F|as it stands/,
  },
  {
    what: "dot segments that the client removed",
    url: sign({ key: "x/../y", dotSegments: "sign" }),
    options: { keys, ...sent((url) => url.replace("x/../", ""), sign({ key: "x/../y", dotSegments: "sign" })) },
    cause: "PATH",
    says: /segments removed/,
  },
  {
    what: "dot segments that the signer removed",
    url: rawUrl({ path: "/media/x/../y", signedPath: "/media/y" }),
    options: { keys },
    cause: "PATH",
    says: /segments removed/,
  },
  {
    what: "a trailing slash added by a framework",
    url: get,
    options: { keys, ...sent((url) => url.replace("b.txt?", "b.txt/?")) },
    cause: "PATH",
    says: /slash at its end/,
  },
  {
    what: "a key typed with a capital, as names of files may be on Windows and macOS",
    url: sign({ key: "a%41.txt" }).replace("a%2541", "A%2541"),
    options: { keys },
    cause: "PATH",
    says: /lower-case letters/,
  },
  {
    what: "a proxy that makes // one slash (error body)",
    url: sign({ key: "a//b" }),
    options: { errorBody: awsErrorBody(sign({ key: "a//b" }).replace("a//b", "a/b")) },
    cause: "PATH",
    says: /repeated slashes/,
  },
  {
    what: "a payload signed as that of an empty body",
    url: rawUrl({ payload: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }),
    options: { keys },
    cause: "PAYLOAD",
    says: /empty body/,
  },
  {
    what: "an upload without the Content-Type that was signed",
    url: sign({ method: "PUT", bind: { contentType: "image/png" } }),
    options: { request: { method: "PUT", headers: {} } },
    cause: "HEADER",
    says: /signed with the header content-type, which was not sent/,
  },
  {
    what: "an upload with another Content-Type (key)",
    url: sign({ method: "PUT", bind: { contentType: "image/png" } }),
    options: { keys, request: { method: "PUT", headers: { "Content-Type": "application/octet-stream" } } },
    cause: "HEADER",
    says: /content-type was signed as "image\/png" and sent as "application\/octet-stream"/,
  },
  {
    what: "an upload with another Content-Type (error body)",
    url: sign({ method: "PUT", bind: { contentType: "image/png" } }),
    options: {
      request: { method: "PUT", headers: { "content-type": "image/png" } },
      errorBody: awsErrorBody(sign({ method: "PUT", bind: { contentType: "image/png" } }), {
        method: "PUT",
        headers: { "content-type": "text/html" },
      }),
    },
    cause: "HEADER",
    says: /server saw another content-type header \(text\/html\)/,
  },
  {
    what: "an x-amz-acl header that nobody signed",
    url: get,
    options: { request: { headers: { "x-amz-acl": "public-read" } } },
    cause: "UNSIGNED_HEADER",
    says: /x-amz-acl/,
  },
  {
    what: "S3's word for an unsigned header",
    url: get,
    options: {
      errorBody: errorXml("AccessDenied", "There were headers present in the request which were not signed", {
        HeadersNotSigned: "x-amz-meta-a",
      }),
    },
    cause: "UNSIGNED_HEADER",
    says: /x-amz-meta-a/,
  },
  {
    what: "an Authorization header from the HTTP client's defaults",
    url: get,
    options: { request: { headers: { authorization: "Bearer x" } } },
    cause: "AMBIGUOUS_AUTHENTICATION",
    says: /Authorization header/,
  },
  {
    what: "a secret that was read with its line feed",
    url: rawUrl({ secret: `${credentials.secretAccessKey}\n` }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /a line feed at its end/,
  },
  {
    what: "a secret in quotes",
    url: rawUrl({ secret: `"${credentials.secretAccessKey}"` }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /double quotes/,
  },
  {
    what: "a secret that was never set",
    url: rawUrl({ secret: "undefined" }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /`undefined`/,
  },
  {
    what: "a rotated secret (key)",
    url: rawUrl({ secret: "another secret" }),
    options: { keys },
    cause: "WRONG_SECRET",
    says: /a different secret than the one given/,
  },
  {
    what: "a rotated secret (error body)",
    url: rawUrl({ secret: "another secret" }),
    options: { errorBody: awsErrorBody(rawUrl({ secret: "another secret" })) },
    cause: "WRONG_SECRET",
    says: /the secret is wrong/i,
  },
  {
    what: "a rotated secret (only a string to sign in the body)",
    url: rawUrl({ secret: "another secret" }),
    options: { errorBody: awsErrorBody(rawUrl({ secret: "another secret" }), { omitCanonicalRequest: true }) },
    cause: "WRONG_SECRET",
    says: /the secret is wrong/i,
  },
  {
    what: "a path that was changed after signing (error body alone)",
    url: get.replace(/(?<=\/)[^/?]+\?/, "other?"),
    options: { errorBody: awsErrorBody(get.replace(/(?<=\/)[^/?]+\?/, "other?")) },
    cause: "WRONG_SECRET",
    says: /secret is wrong, or the URL was changed after signing/,
  },
  {
    what: "a server that holds another secret",
    url: get,
    options: { keys, errorBody: awsErrorBody(get) },
    cause: "WRONG_SECRET",
    says: /server holds another secret/,
  },
  {
    what: "a session token added after signing",
    url: `${get}&X-Amz-Security-Token=FwoGZXIvYXdzEXAMPLE`,
    options: { keys },
    cause: "TOKEN_AFTER_SIGNING",
    says: /X-Amz-Security-Token was added after signing/,
  },
  {
    what: "a session that ended before the URL",
    url: get,
    options: { errorBody: errorXml("ExpiredToken", "The provided token has expired.") },
    cause: "EXPIRED_TOKEN",
    says: /session token has expired/,
  },
  {
    what: "half of a session's credentials",
    url: get,
    options: { errorBody: errorXml("InvalidToken", "The provided token is malformed or otherwise invalid.") },
    cause: "INVALID_TOKEN",
    says: /does not belong/,
  },
  {
    what: "a key that was deleted",
    url: get,
    options: {
      errorBody: errorXml("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    },
    cause: "UNKNOWN_KEY",
    says: /does not know the access key/,
  },
  {
    what: "the key of another account at hand",
    url: get,
    options: { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: "x" }] },
    cause: "UNKNOWN_KEY",
    says: /signed by AKIDEXAMPLE.*AKIDOTHER/,
  },
  {
    what: "an access key id and a secret that do not belong together",
    url: get,
    options: { keys: [{ accessKeyId: "AKIDOTHER", secretAccessKey: credentials.secretAccessKey }] },
    cause: "UNKNOWN_KEY",
    says: /signed with the secret of AKIDOTHER/,
  },
  {
    what: "an expired URL",
    url: get,
    options: { clock: () => new Date("2026-11-24T13:00:00Z") },
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:15:00/,
  },
  {
    what: "S3's word for an expired URL",
    url: get,
    options: {
      clock: () => new Date("2026-11-24T13:00:00Z"),
      errorBody: errorXml("AccessDenied", "Request has expired", {
        "X-Amz-Expires": "900",
        Expires: "2026-11-24T12:15:00Z",
        ServerTime: "2026-11-24T13:00:01Z",
      }),
    },
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:15:00/,
  },
  {
    what: "a server whose clock is ahead",
    url: get,
    options: {
      errorBody: errorXml("AccessDenied", "Request has expired", {
        Expires: "2026-11-24T12:15:00Z",
        ServerTime: "2026-11-24T13:00:01Z",
      }),
    },
    cause: "CLOCK",
    says: /by the server's clock/,
  },
  {
    what: "a signer whose clock is ahead",
    url: rawUrl({ time: "20261124T140000Z" }),
    options: {},
    cause: "NOT_YET_VALID",
    says: /in the future/,
  },
  {
    what: "clocks far apart",
    url: get,
    options: {
      errorBody: errorXml(
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        { RequestTime: "20261124T120000Z", ServerTime: "2026-11-24T13:00:00Z" },
      ),
    },
    cause: "CLOCK",
    says: /too far apart/,
  },
  {
    what: "the wrong region, as S3 says it",
    url: get,
    options: {
      errorBody: errorXml(
        "AuthorizationQueryParametersError",
        "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'eu-central-1'",
        { Region: "eu-central-1" },
      ),
    },
    cause: "REGION",
    says: /expects eu-central-1/,
  },
  {
    what: "the wrong region, as Garage says it",
    url: get,
    options: { errorBody: errorXml("AuthorizationHeaderMalformed", GARAGE_SCOPES("eu-west-1"), { Region: "garage" }) },
    cause: "REGION",
    says: /expects garage/,
  },
  {
    what: "the wrong region, as Garage says it with one scope",
    url: get,
    options: {
      errorBody: errorXml("AuthorizationHeaderMalformed", GARAGE_SCOPES("eu-west-1").split(", expected")[0] ?? "", {
        Region: "garage",
      }),
    },
    cause: "REGION",
    says: /expects garage/,
  },
  {
    what: "another date in the scope of Garage's own region",
    url: get,
    options: { errorBody: errorXml("AuthorizationHeaderMalformed", GARAGE_SCOPES("garage"), { Region: "garage" }) },
    cause: "MALFORMED",
    says: /unexpected scope/,
  },
  {
    what: "a header of a checksum that the server does not take",
    url: get,
    options: {
      errorBody: errorXml("InvalidRequest", "Unsupported header 'x-amz-checksum-crc32' received for this API call."),
    },
    cause: "HEADER",
    says: /takes no header x-amz-checksum-crc32/,
  },
  {
    what: "a mismatch, as Garage says it",
    url: get,
    options: { errorBody: errorXml("AccessDenied", "Forbidden: Invalid signature", { Region: "garage" }) },
    cause: "WRONG_SECRET",
    says: /signature does not match/,
  },
  {
    what: "a key derived for another region than the URL names",
    url: rawUrl({ region: "auto", keyRegion: "us-east-1" }),
    options: { keys },
    cause: "REGION",
    says: /made for the region "us-east-1"/,
  },
  {
    what: "a local date taken for UTC",
    url: rawUrl({ keyDate: "20261125" }),
    options: { keys },
    cause: "DATE",
    says: /20261125/,
  },
  {
    what: "a URL for another service",
    url: rawUrl({ service: "execute-api" }),
    options: { keys },
    cause: "SERVICE",
    says: /execute-api/,
  },
  {
    what: "a bucket that lives elsewhere",
    url: get,
    options: {
      errorBody: errorXml(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint.",
        { Endpoint: "media.s3.eu-central-1.amazonaws.com" },
      ),
    },
    cause: "ENDPOINT",
    says: /media\.s3\.eu-central-1/,
  },
  {
    what: "a life that somebody made longer",
    url: get.replace("X-Amz-Expires=900", "X-Amz-Expires=604800"),
    options: { keys },
    cause: "EXPIRES_CHANGED",
    says: /from 900 to 604800/,
  },
  {
    what: "a URL copied out of HTML",
    url: get.replaceAll("&", "&amp;"),
    options: {},
    cause: "HTML_ESCAPED",
    says: /&amp;/,
  },
  {
    what: "a URL copied out of JSON",
    url: get.replaceAll("&", "\\u0026"),
    options: {},
    cause: "HTML_ESCAPED",
    says: /JSON/,
  },
  {
    what: "a URL that an unquoted shell cut at the first &",
    url: get.split("&")[0] ?? "",
    options: {},
    cause: "MALFORMED",
    says: /X-Amz-Credential/,
  },
  {
    what: "a signature in upper case",
    url: get.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()),
    options: { keys },
    cause: "MALFORMED",
    says: /X-Amz-Signature/,
  },
  {
    what: "a life of eight days",
    url: rawUrl({ expires: 691_200 }),
    options: { keys },
    cause: "MALFORMED",
    says: /604800/,
  },
  {
    what: "an SDK's checksum of an empty body on an upload",
    url: sign({ method: "PUT", query: { "x-amz-checksum-crc32": "AAAAAA==" } }),
    options: { errorBody: errorXml("BadDigest", "The CRC32 you specified did not match the calculated checksum.") },
    cause: "CHECKSUM",
    says: /AAAAAA==.*empty body/,
  },
  {
    what: "an object that is not there",
    url: get,
    options: { errorBody: errorXml("NoSuchKey", "The specified key does not exist.") },
    cause: "NOT_FOUND",
    says: /signature was accepted/,
  },
  {
    what: "a key without the permission",
    url: get,
    options: { errorBody: errorXml("AccessDenied", "Access Denied") },
    cause: "PERMISSION",
    says: /signature was accepted/,
  },
  {
    what: "a GET URL sent with PUT to a server reached by another name",
    url: get,
    options: { keys, request: { method: "PUT", headers: { host: "minio:9000" } } },
    cause: "METHOD",
    says: /signed for GET.*Also: .*signed for the host s3\.example\.com/,
  },
  {
    what: "SigV2: a region that only knows V4",
    url: signV2(),
    options: {
      errorBody: errorXml(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
      ),
    },
    cause: "LEGACY_SIGNATURE",
    says: /Version 2/,
  },
  {
    what: "SigV2: a GET URL used for an upload",
    url: signV2(),
    options: { keys, request: { method: "PUT" } },
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    what: "SigV2: a Content-Type that curl added",
    url: signV2({ method: "PUT" }),
    options: { keys, request: { method: "PUT", headers: { "content-type": "application/x-www-form-urlencoded" } } },
    cause: "HEADER",
    says: /signed not to be there/,
  },
  {
    what: "SigV2: botocore's Content-Type that was not sent",
    url: `${signV2({ method: "PUT", headers: { "content-type": "text/plain" } })}&content-type=text%2Fplain`,
    options: { request: { method: "PUT", headers: {} } },
    cause: "HEADER",
    says: /content-type: text\/plain, which was not sent/,
  },
  {
    what: "SigV2: a + in the signature that was not encoded",
    url: `https://s3.example.com/media/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=aaaaaaaaaaaaaaaa+aaaaaaaaaa=&Expires=1999999999`,
    options: {},
    cause: "MALFORMED",
    says: /%2B/,
  },
  {
    what: "SigV2: a header that a proxy injected",
    url: signV2(),
    options: { keys, request: { headers: { "x-amz-request-id": "1" } } },
    cause: "UNSIGNED_HEADER",
    says: /x-amz-request-id was added/,
  },
  {
    what: "SigV2: a rotated secret (error body)",
    url: signV2(),
    options: {
      errorBody: errorXml("SignatureDoesNotMatch", "no", {
        StringToSign: `GET\n\n\n${/Expires=(\d+)/.exec(signV2())?.[1]}\n/media/a/b.txt`,
      }),
    },
    cause: "WRONG_SECRET",
    says: /secret is wrong/,
  },
  {
    what: "SigV2: an expired URL",
    url: signV2(),
    options: { clock: () => new Date("2026-11-24T13:00:00Z") },
    cause: "EXPIRED",
    says: /valid until 2026-11-24T12:15:00/,
  },
];

describe("the cause of a refusal", () => {
  it.each(broken)("$what: $cause", async ({ url, options, cause, says }) => {
    const explanation = await explain(url, { clock, ...options });
    expect(explanation.cause?.sentence ?? "none").toMatch(says);
    expect(explanation.cause?.code).toBe(cause);
    expect(explanation.cause?.fix).not.toBe("");
  });

  it.each([get, signV2()])("is missing where nothing is wrong", async (url) => {
    const explanation = await explain(url, { clock, keys });
    expect(explanation.cause).toBeUndefined();
    expect(explanation.grants.methods).toContain("GET");
  });

  it("is none where a parameter is not signed, which only Daypass refuses", async () => {
    const { cause, traps } = await explain(`${signV2()}&utm_source=mail`, { clock, keys });
    expect(cause).toBeUndefined();
    expect(traps.find(({ name }) => name === "open-parameters")?.text).toContain("utm_source");
    const body = JSON.stringify({ status: 403, code: "UNSIGNED_PARAMETER", detail: "x" });
    expect((await explain(`${signV2()}&utm_source=mail`, { clock, errorBody: body })).cause?.code).toBe(
      "UNSIGNED_PARAMETER",
    );
  });

  it("lists what was tried, what fits first", async () => {
    const { hypotheses } = await explain(`${get}&utm_source=mail`, { clock, keys });
    expect(hypotheses?.[0]).toMatchObject({ code: "QUERY", fits: true });
    expect(hypotheses?.slice(1).every(({ fits }) => !fits)).toBe(true);
    expect(hypotheses?.map(({ code }) => code)).toContain("METHOD");
  });
});
