import { explain, explainForm } from "daypass/explain";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { s3V2Signer } from "daypass/s3/v2";
import { describe, expect, it } from "vitest";
import { answer, credentials, expectCause, named, type Refusal, rawUrl, saw } from "./raw-requests.ts";
import { clock, soon } from "./signed-urls.ts";

const keys = [credentials];
const put = { method: "PUT" };
const jpeg = { method: "PUT", headers: { "content-type": "image/jpeg" } };
const MISMATCH = answer("SignatureDoesNotMatch", "no");
const DENIED = answer("AccessDenied", "Access Denied");
const host = "media.s3.eu-west-1.amazonaws.com";
/** A URL of AWS's SDK for JavaScript, which has no body when it signs. */
const sdk = { method: "PUT", path: "/a/b.txt", query: "x-amz-checksum-crc32=AAAAAA%3D%3D&x-id=PutObject" };
const onAmazon = rawUrl({ ...sdk, host });
const typed = rawUrl({ ...sdk, host, headers: { "content-type": "image/png" } });
const request = { bucket: "media", key: "my report.pdf", expiresIn: 900 } as const;
const sign = (more: Partial<S3ObjectRequest> = {}) =>
  s3Signer({ region: "eu-west-1", credentials, clock }).sign({ ...request, ...more }).url;
const signV2 = (more: Partial<S3ObjectRequest> = {}) =>
  s3V2Signer({ region: "us-east-1", credentials, clock }).sign({ ...request, method: "PUT", ...more }).url;
const spaced = sign().replaceAll("my%20report", "my report");
const operation = sign({ query: { "x-id": "GetObject" } });

const REFUSALS: readonly Refusal[] = [
  // The checksum of an empty body, in the query.
  ...[onAmazon, rawUrl({ ...sdk, host: "minio.example.com" })].flatMap((url): readonly Refusal[] => [
    [/^SERVER: /, url, { status: 403, request: put }, /checksum/],
    [/^PERMISSION: /, url, { status: 403, request: put, ...DENIED }, /checksum/],
    [/^WRONG_SECRET: /, url, { status: 403, request: put, ...MISMATCH }, /checksum/],
    [/^SERVER: .*XFailed/, url, { status: 400, request: put, ...answer("XFailed", "no") }, /checksum/],
    [/^CHECKSUM: .*empty body/, url, { status: 400, request: put }],
  ]),
  [/^HEADER: .*content-type/, typed, { status: 403, request: jpeg }, /checksum/],
  [/^HEADER: .*content-type: image\/jpeg/, typed, { status: 403, request: jpeg, ...MISMATCH }, /checksum/],
  [/^HEADER: .*content-type/, typed, (url) => ({ status: 403, ...saw(jpeg)(url) }), /checksum/],
  [/^HEADER: .*as "image\/png" and sent as "image\/jpeg"/, typed, { status: 403, request: jpeg, keys }, /checksum/],
  // HEAD with a URL that is signed for GET.
  [/^METHOD: .*HEAD, and was probably signed for GET/, sign(), { request: { method: "HEAD" }, ...DENIED }],
  [/^METHOD: .*for GET \(x-id=GetObject\) and sent with HEAD/, operation, { request: { method: "HEAD" }, ...DENIED }],
  [/^PERMISSION: /, sign({ method: "HEAD" }), { request: { method: "HEAD" }, ...DENIED, keys }, /probably/],
  [/^PERMISSION: .*sent with another method than GET \(curl -I sends HEAD\)/, sign(), { status: 403, keys }],
  [/^PERMISSION: /, sign(), { status: 403, request: { method: "GET" }, keys }, /HEAD/],
  // A space.
  ...[{}, { status: 400 }, { status: 403 }, { status: 403, keys }, MISMATCH].map(
    (given): Refusal => [/^MALFORMED: The URL has a space.*\nWrite %20/, spaced, given],
  ),
  [/^MALFORMED: The URL has a space/, sign(), { request: { url: spaced } }],
  // Version 2, which does not name the signed headers.
  [/^HEADER: .*content-type: image\/jpeg.*or with a key that lacks/, signV2(), { status: 403, request: jpeg }],
  [/^SERVER: /, signV2(), { status: 403, request: { method: "PUT", headers: {} } }, /content-type/],
  [/^PERMISSION: /, signV2({ bind: { contentType: "image/jpeg" } }), { status: 403, request: jpeg, keys }],
  [/^HEADER: .*content-type/, signV2({ bind: { contentType: "x/odd" } }), { status: 403, request: jpeg, keys }],
];

describe("explain of a part that could be blamed", () => {
  it.each(named(REFUSALS))("returns %s", async (_, refusal) => {
    await expectCause(refusal, soon);
  });

  it("returns no cause for a space that the key shows to be signed", async () => {
    expect((await explain(spaced, { clock: soon, keys })).cause).toBeUndefined();
  });
});

describe("explainForm of radosgw's answer without a reason", () => {
  const form = s3FormSigner({ region: "eu-west-1", endpoint: "https://s3.example.com", credentials, clock }).sign({
    ...{ bucket: "media", key: "a", expiresIn: 900 },
  });
  const answered = (message: string) => ({
    clock: soon,
    // As radosgw 18.2.7 answers a form with a wrong secret, and a form whose policy was edited.
    errorBody: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>${message}</Message><BucketName>media</BucketName><HostId></HostId></Error>`,
  });
  const ofRadosgw = answered("");

  it.each([
    ["without a key", [], /^WRONG_SECRET: .*secret is wrong, or the policy was changed/],
    ["with the key", keys, /^WRONG_SECRET: .*server holds another secret/],
    ["with another key", [{ ...credentials, secretAccessKey: "x" }], /^WRONG_SECRET: .*signed with a different secret/],
  ] as const)("reports the signature %s", async (_, given, expected) => {
    const { cause } = await explainForm(form, { ...ofRadosgw, keys: given });
    expect(`${cause?.code}: ${cause?.sentence}`).toMatch(expected);
  });

  it("reports the permission for another server", async () => {
    const { cause } = await explainForm(form, answered("Access Denied"));
    expect(cause).toMatchObject({ code: "PERMISSION", isGuess: true });
  });
});
