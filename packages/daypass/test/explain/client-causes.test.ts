import { explain } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { awsErrorBody, type Broken, credentials, errorXml, rawUrl } from "./broken-requests.ts";

// What clients and proxies do to a URL of S3 that was signed as it should be.

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const sign = (more: Partial<Parameters<typeof s3.sign>[0]> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn: 900, ...more }).url;
const get = sign();
const put = sign({ method: "PUT", bind: { contentType: "image/png" } });
const v2 = s3V2Signer({ region: "us-east-1", credentials, clock }).sign({ bucket: "media", key: "k", expiresIn: 900 });

const session = { ...credentials, sessionToken: "FwoG+ZXIvYXdz/EXAMPLE+token+that+is+long==" };
const inSession = s3Signer({ region: "eu-west-1", credentials: session, clock }).sign({
  ...{ bucket: "media", key: "k", expiresIn: 900 },
}).url;

const upload = (contentType: string) => ({ request: { method: "PUT", headers: { "content-type": contentType } } });
const part = sign({ method: "PUT", query: { partNumber: "1", uploadId: "u" } });

const broken: readonly Broken[] = [
  {
    what: "a charset that a browser adds to the Content-Type",
    url: put,
    options: { keys, ...upload("image/png; charset=utf-8") },
    cause: "HEADER",
    says: /signed as "image\/png" and sent as "image\/png; charset=utf-8"/,
  },
  {
    what: "a file that is sent as a form (FormData)",
    url: put,
    options: { keys, ...upload("multipart/form-data; boundary=x") },
    cause: "HEADER",
    says: /signed as "image\/png" and sent as "multipart\/form-data/,
  },
  {
    what: "the same, by the answer alone",
    url: put,
    options: { errorBody: awsErrorBody(put, { method: "PUT", headers: { "content-type": "multipart/form-data" } }) },
    cause: "HEADER",
    says: /most likely another value was signed/,
  },
  {
    what: "a URL for DELETE, opened in a browser",
    url: sign({ method: "DELETE" }),
    options: { keys, request: { method: "GET" } },
    cause: "METHOD",
    says: /signed for DELETE and sent with GET/,
  },
  {
    what: "the URL of another part of an upload",
    url: part.replace("partNumber=1", "partNumber=2"),
    options: { keys, request: { method: "PUT", headers: {} } },
    cause: "QUERY",
    says: /partNumber was changed after signing, from 1 to 2/,
  },
  {
    what: "the host of dual stack in the place of the plain one",
    url: get.replace("media.s3.eu-west-1", "media.s3.dualstack.eu-west-1"),
    options: { keys },
    cause: "HOST",
    says: /signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
  },
  {
    what: "the plain host in the place of the one of dual stack",
    url: rawUrl({ host: "media.s3.dualstack.eu-west-1.amazonaws.com" }).replace("s3.dualstack.", "s3."),
    options: { keys },
    cause: "HOST",
    says: /signed for the host media\.s3\.dualstack\.eu-west-1/,
  },
  {
    what: "the host of transfer acceleration in the place of the regional one",
    url: get.replace("media.s3.eu-west-1", "media.s3-accelerate"),
    options: { keys },
    cause: "HOST",
    says: /signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
  },
  {
    what: "a prefix that a proxy puts in front of the path",
    url: get.replace("/a/b.txt", "/cdn/a/b.txt"),
    options: { keys },
    cause: "PATH",
    says: /without its first segment/,
  },
  {
    what: "a query that was appended to itself",
    url: `${get}&${get.split("?")[1]}`,
    options: { keys },
    cause: "MALFORMED",
    says: /X-Amz-Algorithm comes twice/,
  },
  {
    what: "a life in words",
    url: get.replace("X-Amz-Expires=900", "X-Amz-Expires=15m"),
    options: { keys },
    cause: "MALFORMED",
    says: /X-Amz-Expires as whole seconds/,
  },
  {
    what: "a session token whose end was cut off",
    url: inSession.replace(/(X-Amz-Security-Token=[^&]{12})[^&]*/, "$1"),
    options: { keys: [session] },
    cause: "INVALID_TOKEN",
    says: /does not belong to the given key: its end was cut off/,
  },
  {
    what: "the session token of another session",
    url: inSession.replace(/(X-Amz-Security-Token=)[^&]*/, "$1AnotherToken"),
    options: { keys: [session] },
    cause: "INVALID_TOKEN",
    says: /belongs to another session/,
  },
  {
    what: "a session token whose + were not encoded",
    url: inSession.replaceAll("%2B", "+"),
    options: { keys },
    cause: "QUERY",
    says: /%2B where the URL has a plain `\+`/,
  },
  {
    what: "the same, by the answer alone",
    url: inSession.replaceAll("%2B", "+"),
    options: { errorBody: errorXml("InvalidToken", "The provided token is malformed or otherwise invalid.") },
    cause: "INVALID_TOKEN",
    says: /has a plain \+, which was not sent as %2B/,
  },
  {
    what: "a date that the scope does not have, as S3 says it",
    url: rawUrl({ keyDate: "20261123" }),
    options: {
      errorBody: errorXml(
        "AuthorizationQueryParametersError",
        'Invalid credential date "20261123". This date is not the same as X-Amz-Date: "20261124".',
      ),
    },
    cause: "DATE",
    says: /date in the URL's credential scope/,
  },
  {
    what: "an upload in chunks",
    url: sign({ method: "PUT" }),
    options: {
      errorBody: errorXml("NotImplemented", "A header you provided implies functionality that is not implemented", {
        Header: "Transfer-Encoding",
      }),
    },
    cause: "HEADER",
    says: /has no Content-Length: it is sent in chunks/,
  },
  {
    what: "an upload that was broken off",
    url: sign({ method: "PUT" }),
    options: { errorBody: errorXml("IncompleteBody", "The request body terminated unexpectedly") },
    cause: "PAYLOAD",
    says: /the body is shorter than its Content-Length/,
  },
  {
    what: "an upload that stopped",
    url: sign({ method: "PUT" }),
    options: {
      errorBody: errorXml(
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
      ),
    },
    cause: "PAYLOAD",
    says: /the body is shorter than its Content-Length/,
  },
  {
    what: "a header that the server asks for",
    url: get,
    options: {
      errorBody: errorXml("InvalidRequest", "Missing required header for this request: x-amz-content-sha256"),
    },
    cause: "HEADER",
    says: /lacks the header x-amz-content-sha256/,
  },
  {
    what: "SigV2: a life that somebody made longer",
    url: v2.url.replace(/Expires=(\d+)/, (_, end: string) => `Expires=${Number(end) + 3600}`),
    options: { keys },
    cause: "EXPIRES_CHANGED",
    says: /The end was changed after signing/,
  },
  {
    what: "a query with two ? in front",
    url: get.replace("?", "??"),
    cause: "MALFORMED",
    says: /The URL contains a second \?/,
  },
];

describe("the cause of a refusal by S3", () => {
  it.each(broken)("$what: $cause", async ({ url, options, cause, says }) => {
    const explanation = await explain(url, { clock: soon, ...options });
    expect(explanation.cause?.sentence ?? "none").toMatch(says);
    expect(explanation.cause?.code).toBe(cause);
    expect(explanation.cause?.fix).not.toBe("");
    const text = JSON.stringify(explanation);
    for (const secret of [credentials.secretAccessKey, session.sessionToken]) expect(text).not.toContain(secret);
  });

  it.each([
    ["for good", get, credentials],
    ["in a session", inSession, session],
  ] as const)("is none of a good URL: %s", async (_, url, key) => {
    expect((await explain(url, { clock: soon, keys: [key] })).cause).toBeUndefined();
  });

  it("is none where a value that is signed has a ? of its own", async () => {
    const url = sign({ query: { note: "a?sv=1??" } });
    for (const asked of [url, url.replaceAll("%3F", "?")])
      expect((await explain(asked, { clock: soon, keys })).cause).toBeUndefined();
  });
});
