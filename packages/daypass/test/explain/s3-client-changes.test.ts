import { explain } from "daypass/explain";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { answer, credentials, expectCause, named, type Refusal, rawUrl, saw } from "./raw-requests.ts";

// Changes by clients and proxies to a good URL of S3.

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const keys = [credentials];
const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const sign = (more: Partial<S3ObjectRequest> = {}) =>
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

const REFUSALS: readonly Refusal[] = [
  [
    /^HEADER: .*signed as "image\/png" and sent as "image\/png; charset=utf-8"/,
    put,
    { keys, ...upload("image/png; charset=utf-8") },
  ],
  [
    /^HEADER: .*signed as "image\/png" and sent as "multipart\/form-data/,
    put,
    { keys, ...upload("multipart/form-data; boundary=x") },
  ],
  [
    /^HEADER: .*most likely another value was signed/,
    put,
    saw({ method: "PUT", headers: { "content-type": "multipart/form-data" } }),
  ],
  [/^METHOD: .*signed for DELETE and sent with GET/, sign({ method: "DELETE" }), { keys, request: { method: "GET" } }],
  [
    /^QUERY: .*partNumber was changed after signing, from 1 to 2/,
    part.replace("partNumber=1", "partNumber=2"),
    { keys, request: { method: "PUT", headers: {} } },
  ],
  [
    /^HOST: .*signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
    get.replace("media.s3.eu-west-1", "media.s3.dualstack.eu-west-1"),
    { keys },
  ],
  [
    /^HOST: .*signed for the host media\.s3\.dualstack\.eu-west-1/,
    rawUrl({ host: "media.s3.dualstack.eu-west-1.amazonaws.com" }).replace("s3.dualstack.", "s3."),
    { keys },
  ],
  [
    /^HOST: .*signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
    get.replace("media.s3.eu-west-1", "media.s3-accelerate"),
    { keys },
  ],
  [/^PATH: .*without its first segment/, get.replace("/a/b.txt", "/cdn/a/b.txt"), { keys }],
  [/^MALFORMED: .*X-Amz-Algorithm comes twice/, `${get}&${get.split("?")[1]}`, { keys }],
  [
    /^MALFORMED: .*X-Amz-Expires is malformed: send whole seconds/,
    get.replace("X-Amz-Expires=900", "X-Amz-Expires=15m"),
    { keys },
  ],
  [
    /^INVALID_TOKEN: .*does not belong to the given key: its end was cut off/,
    inSession.replace(/(X-Amz-Security-Token=[^&]{12})[^&]*/, "$1"),
    { keys: [session] },
  ],
  [
    /^INVALID_TOKEN: .*belongs to another session/,
    inSession.replace(/(X-Amz-Security-Token=)[^&]*/, "$1AnotherToken"),
    { keys: [session] },
  ],
  [/^QUERY: .*%2B where the URL has a plain `\+`/, inSession.replaceAll("%2B", "+"), { keys }],
  [
    /^INVALID_TOKEN: .*has a plain \+, which was not sent as %2B/,
    inSession.replaceAll("%2B", "+"),
    answer("InvalidToken", "The provided token is malformed or otherwise invalid."),
  ],
  [
    /^DATE: .*date in the URL's credential scope/,
    rawUrl({ keyDate: "20261123" }),
    answer(
      "AuthorizationQueryParametersError",
      'Invalid credential date "20261123". This date is not the same as X-Amz-Date: "20261124".',
    ),
  ],
  [
    /^HEADER: .*has no Content-Length: it is sent in chunks/,
    sign({ method: "PUT" }),
    answer("NotImplemented", "A header you provided implies functionality that is not implemented", {
      Header: "Transfer-Encoding",
    }),
  ],
  [
    /^PAYLOAD: .*the body is shorter than its Content-Length/,
    sign({ method: "PUT" }),
    answer("IncompleteBody", "The request body terminated unexpectedly"),
  ],
  [
    /^PAYLOAD: .*the body is shorter than its Content-Length/,
    sign({ method: "PUT" }),
    answer(
      "RequestTimeout",
      "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
    ),
  ],
  [
    /^HEADER: .*lacks the header x-amz-content-sha256/,
    get,
    answer("InvalidRequest", "Missing required header for this request: x-amz-content-sha256"),
  ],
  [
    /^EXPIRES_CHANGED: .*The end was changed after signing/,
    v2.url.replace(/Expires=(\d+)/, (_, end: string) => `Expires=${Number(end) + 3600}`),
    { keys },
  ],
  [/^MALFORMED: .*The URL contains a second \?/, get.replace("?", "??")],
];

describe("explain with a URL of S3 that a client changed", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    expect(JSON.stringify(await expectCause(refusal, soon))).not.toContain(session.sessionToken);
  });

  it("returns no cause for a signed value with a ?", async () => {
    const url = sign({ query: { note: "a?sv=1??" } });
    for (const asked of [url, url.replaceAll("%3F", "?")])
      expect((await explain(asked, { clock: soon, keys })).cause).toBeUndefined();
  });
});
