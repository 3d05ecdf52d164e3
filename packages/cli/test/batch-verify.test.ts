import { expect, test } from "vitest";
import { daypass, parseLines } from "./command.ts";
import { sign, verdictOf, verify } from "./line-batches.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const urlKey = { kid: "k1", kty: "oct", alg: "HS256", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };
const edKey = {
  kid: "e1",
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};
const s3Line = {
  scheme: "s3",
  region: "us-east-1",
  bucket: "media",
  key: "a.txt",
  credentials,
  expiresIn: 900,
  signedAt: "2026-01-02T03:04:05Z",
};
const s3 = { scheme: "s3", credentials };
const at = "2026-01-02T03:05:00Z";

const HOSTILE_KEYS = [
  "a b",
  "a+b",
  "a%2Fb",
  "a%20b",
  "%",
  "%zz",
  "?",
  "?x=1&y=2",
  "#",
  "a#b",
  "&",
  "=",
  ";",
  ":",
  "@",
  "!$&'()*+,;=",
  '[]{}|\\^`"<>',
  "//",
  "a//b",
  "/lead",
  "trail/",
  "./a",
  "../a",
  "a/../b",
  "a/./b",
  "..",
  ".",
  "a/..",
  "é",
  "e\u0301",
  "日本語",
  "🙂",
  "\u00a0",
  "\u200d",
  "\t",
  "\n",
  "a\r\nb",
  "\u0001",
  "\u007f",
  "~",
  "-._~",
  "X-Amz-Signature=",
  "a".repeat(1024),
  "é".repeat(512),
  "constructor",
  "__proto__",
];

// Without origins, the bucket is read from Amazon's host names of every partition.
test.each(["us-east-1", "cn-north-1", "eusc-de-east-1"])("names the bucket of a host in %s", async (region) => {
  const [signed] = await sign([{ ...s3Line, region, key: "other/a.txt" }]);
  const [verdict] = await verify([{ request: { url: signed?.url, method: "GET" }, at, schemes: [s3] }]);
  expect(verdict?.grant).toMatchObject({ bucket: "media", key: "other/a.txt" });
});

test("verifies hostile keys in every S3 version and addressing", async () => {
  const lines = HOSTILE_KEYS.flatMap((key) =>
    ["v4", "v2"].flatMap((version) =>
      ["path", "virtual"].map((addressing) => ({ ...s3Line, key, version, addressing, dotSegments: "sign" })),
    ),
  );
  const signed = await sign(lines);
  const verdicts = await verify(
    signed.map(({ url, method, headers }) => ({ request: { method, url, headers }, at, schemes: [s3] })),
  );
  for (const [i, verdict] of verdicts.entries()) {
    expect({ line: lines[i]?.key, ...verdict }).toMatchObject({
      ok: true,
      scheme: "s3",
      grant: { bucket: "media", key: lines[i]?.key, keyId: "AKIDEXAMPLE" },
    });
  }
});

test("verifies the raw target, without collapsing dot segments", async () => {
  const [signed] = await sign([{ ...s3Line, addressing: "path", key: "public/a.txt" }]);
  const url = signed?.url ?? "";
  const respelled = [
    url.replace("/media/public/a.txt", "/media/public/../public/a.txt"),
    url.replace("/media/public/a.txt", "/media/%2e/public/a.txt"),
    url.replace("/media/public/a.txt", "/media//public/a.txt"),
    url.replace("/media/public/a.txt", "/media/secret/%2e%2e/public/a.txt"),
  ];
  const verdicts = await verify(
    respelled.map((text) => ({ request: { method: "GET", url: text, headers: {} }, at, schemes: [s3] })),
  );
  expect(verdicts.map(({ code }) => code)).toEqual(respelled.map(() => "SIGNATURE_MISMATCH"));
});

test("rejects changed requests with a reason", async () => {
  const [get, put] = await sign([s3Line, { ...s3Line, method: "PUT", headers: { "content-type": "text/plain" } }]);
  const ask = (request: object, more: object = {}) => ({ request, at, schemes: [s3], ...more });
  const url = get?.url ?? "";
  const verdicts = await verify([
    ask({ method: "GET", url }),
    ask({ method: "DELETE", url }),
    ask({ method: "GET", url: url.replace("/a.txt", "/b.txt") }),
    ask({ method: "GET", url: url.replace(/(.)$/, (digit) => (digit === "0" ? "1" : "0")) }),
    ask({ method: "GET", url }, { at: "2026-01-02T03:19:05Z" }),
    ask({ method: "GET", url }, { at: "2026-01-02T02:04:05Z" }),
    ask({ method: "GET", url }, { schemes: [{ ...s3, credentials: { ...credentials, accessKeyId: "OTHER" } }] }),
    ask({ method: "GET", url }, { schemes: [{ ...s3, regions: ["eu-west-1"] }] }),
    ask({ method: "GET", url }, { schemes: [{ ...s3, origins: ["https://elsewhere.example"] }] }),
    ask({ method: "GET", url, headers: { host: "elsewhere.example" } }),
    ask({ method: "GET", url, headers: [["X-Amz-Copy-Source", "/media/secret"]] }),
    ask({ method: "GET", url: "https://media.s3.us-east-1.amazonaws.com/a.txt" }),
    ask({ method: "PUT", url: put?.url, headers: { "Content-Type": "text/html" } }),
    ask({ method: "PUT", url: put?.url, headers: [["content-type", "text/plain"]] }),
  ]);
  expect(verdicts.map(({ ok, code }) => (ok ? "ok" : code))).toEqual([
    "ok",
    "SIGNATURE_MISMATCH",
    "SIGNATURE_MISMATCH",
    "SIGNATURE_MISMATCH",
    "EXPIRED",
    "NOT_YET_VALID",
    "UNKNOWN_KEY",
    "WRONG_SCOPE",
    "WRONG_ORIGIN",
    "MALFORMED",
    "UNSIGNED_HEADER",
    "NO_SIGNATURE",
    "SIGNATURE_MISMATCH",
    "ok",
  ]);
});

test("tries the keys of every entry, and only the version of an entry", async () => {
  const [v4, v2] = await sign([s3Line, { ...s3Line, version: "v2" }]);
  const other = { ...s3, credentials: { accessKeyId: "OTHER", secretAccessKey: "other" } };
  const ask = (url: string | undefined, schemes: readonly object[]) => ({
    request: { method: "GET", url, headers: {} },
    at,
    schemes,
  });
  const verdicts = await verify([
    ask(v4?.url, [other, s3]),
    ask(v4?.url, [s3, other]),
    ask(v4?.url, [{ ...s3, credentials: [other.credentials, credentials] }]),
    ask(v2?.url, [s3]),
    ask(v4?.url, [{ ...s3, version: "v2" }]),
    ask(v2?.url, [{ ...s3, version: "v4" }]),
  ]);
  expect(verdicts.map(({ ok, code, grant }) => (ok ? grant?.["scheme"] : code))).toEqual([
    "s3",
    "s3",
    "s3",
    "s3/v2",
    "NO_SIGNATURE",
    "NO_SIGNATURE",
  ]);
});

test("verifies Daypass URLs of both kinds of key, and returns constraints as obligations", async () => {
  const line = { scheme: "url", url: "https://api.example.com/a/b.txt?x=1", expiresIn: 900, signedAt: s3Line.signedAt };
  const bound = {
    methods: ["PUT"],
    audience: "invoice",
    subject: "cus_42",
    createOnly: true,
    bind: { contentLength: { max: 10 }, ip: "192.0.2.0/24" },
  };
  const [hmac, ed] = await sign([
    { ...line, ...bound, key: urlKey },
    { ...line, key: edKey },
  ]);
  const { d: _private, ...publicKey } = edKey;
  const url = { scheme: "url", keys: { keys: [urlKey, publicKey] } };
  const request = { method: "PUT", url: hmac?.url, headers: {}, remoteAddress: "192.0.2.7" };
  const verdicts = await verify([
    { request, at, subject: "cus_42", schemes: [s3, { ...url, audience: "invoice" }] },
    { request, at, schemes: [{ ...url, audience: "invoice" }] },
    { request, at, subject: "cus_42", schemes: [url] },
    {
      request: { ...request, remoteAddress: "198.51.100.1" },
      at,
      subject: "cus_42",
      schemes: [{ ...url, audience: "invoice" }],
    },
    { request: { method: "GET", url: ed?.url }, at, schemes: [url] },
    { request: { method: "GET", url: ed?.url.replace("x=1", "x=2") }, at, schemes: [url] },
  ]);
  expect(verdicts.map(({ ok, code, scheme }) => (ok ? scheme : code))).toEqual([
    "url",
    "WRONG_SUBJECT",
    "WRONG_AUDIENCE",
    "IP_NOT_GRANTED",
    "url",
    "SIGNATURE_MISMATCH",
  ]);
  expect(verdicts[0]?.grant).toMatchObject({
    id: expect.stringMatching(/^[\w-]{22}$/),
    obligations: expect.arrayContaining([{ kind: "body-length", min: 0, max: 10 }, { kind: "create-only" }]),
  });
});

test("returns ok false for a line that it cannot read", async () => {
  const request = { method: "GET", url: "https://a.example/x", headers: {} };
  const bad = [
    {},
    { request },
    { request, schemes: [] },
    { request, schemes: [{ scheme: "ftp" }] },
    { request, schemes: [{ scheme: "s3" }] },
    { request, schemes: [{ ...s3, regoins: ["x"] }] },
    { request, schemes: [s3], att: "x" },
    { request: { ...request, url: "/x" }, schemes: [s3] },
    { request: { ...request, url: undefined }, schemes: [s3] },
    { request: { ...request, method: "GET\n/x" }, schemes: [s3] },
    { request: { ...request, headers: { a: "b\nc" } }, schemes: [s3] },
    { request: { ...request, headers: [["a"]] }, schemes: [s3] },
    { request, schemes: [{ scheme: "url", key: urlKey, keys: [urlKey] }] },
  ];
  const verdicts = await verify(bad);
  expect(verdicts).toHaveLength(bad.length);
  for (const [i, { ok, code }] of verdicts.entries()) {
    expect([i, ok, code]).toEqual([i, false, expect.stringMatching(/^(INVALID_INPUT|MALFORMED)$/)]);
  }
});

test("accepts the signer's endpoint in an entry, and checks the request against it", async () => {
  const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
  const cos = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
  const life = { expiresIn: 900, signedAt: "2026-01-02T03:04:05Z" };
  const own = "https://s3.example.com";
  const place = { region: "us-east-1", endpoint: own, addressing: "virtual" };
  const swift = { endpoint: "https://swift.example.com/store", account: "AUTH_test", credentials: { key: "mykey" } };
  const [s3Url, ossUrl, cosUrl, swiftUrl] = (
    await sign([
      { ...s3Line, ...place },
      { scheme: "oss", region: "cn-hangzhou", bucket: "media", key: "a.txt", credentials: oss, ...life },
      { scheme: "cos", region: "ap-guangzhou", bucket: "media-1250000000", key: "a.txt", credentials: cos, ...life },
      { scheme: "swift", ...swift, container: "c", object: "o", ...life },
    ])
  ).map(({ url }) => url);
  const ask = (url: string | undefined, entry: object) => ({ at, request: { url }, schemes: [entry] });
  const verdicts = await verify([
    ask(s3Url, { ...s3, ...place }),
    ask(s3Url, { ...s3, ...place, region: "eu-west-1" }),
    ask(s3Url, { ...s3, ...place, endpoint: "https://s3.example.net" }),
    ask(s3Url, { ...s3, region: "us-east-1", regions: ["us-east-1"] }),
    ask(ossUrl, { scheme: "oss", region: "cn-hangzhou", credentials: oss }),
    ask(ossUrl, { scheme: "oss", region: "us-west-1", credentials: oss }),
    ask(cosUrl, { scheme: "cos", region: "ap-guangzhou", credentials: cos }),
    ask(swiftUrl, { scheme: "swift", ...swift }),
    ask(swiftUrl, { scheme: "swift", ...swift, endpoint: "https://swift.example.net/store" }),
  ]);
  expect(verdicts.map(verdictOf)).toEqual([
    ...["ok", "WRONG_SCOPE", "WRONG_ORIGIN", "INVALID_INPUT"],
    ...["ok", "WRONG_SCOPE", "ok", "ok", "WRONG_ORIGIN"],
  ]);
});

test("accepts the options of Azure and Google signers in an entry, and checks the request against them", async () => {
  const life = { expiresIn: 900, signedAt: "2026-01-02T03:04:05Z" };
  const accountKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  const azure = { scheme: "azure", kind: "service", version: "2026-04-06", account: "a", credentials: { accountKey } };
  const google = { scheme: "gcs", version: "v4", credentials: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "s" } };
  const own = { ...google, endpoint: "https://cdn.example.com", addressing: "bucket-bound" };
  const named = { ...own, buckets: { "https://cdn.example.com": "media" } };
  const universe = { ...google, universeDomain: "example.goog", addressing: "virtual" };
  const object = { bucket: "media", object: "a.txt", ...life };
  const [azureUrl, ownUrl, universeUrl] = (
    await sign([
      { ...azure, container: "c", blob: "x", permissions: "r", ...life },
      { ...own, ...object },
      { ...universe, ...object },
    ])
  ).map(({ url }) => url);
  const ask = (url: string | undefined, entry: object) => ({ at, request: { url }, schemes: [entry] });
  const verdicts = await verify([
    ask(azureUrl, azure),
    ask(azureUrl, { ...azure, version: "2020-12-06" }),
    ask(ownUrl, named),
    ask(ownUrl, { ...own, endpoint: "https://cdn.example.net", buckets: { "https://cdn.example.net": "media" } }),
    ask(ownUrl, { ...own, addressing: "any" }),
    ask(universeUrl, universe),
    ask(universeUrl, { ...universe, universeDomain: "example.net" }),
    ask(universeUrl, { ...universe, origins: ["https://storage.example.goog"] }),
  ]);
  expect(verdicts.map(verdictOf)).toEqual([
    ...["ok", "WRONG_SCOPE", "ok", "WRONG_ORIGIN", "INVALID_INPUT", "ok", "WRONG_ORIGIN", "INVALID_INPUT"],
  ]);
  for (const verdict of [verdicts[2], verdicts[5]])
    expect(verdict?.grant).toMatchObject({ bucket: "media", object: "a.txt" });
});

// It would read the first segment of the path as the bucket, and grant another one.
test("requires the bucket of a bucket's own host", async () => {
  const at = "2026-01-02T03:04:05Z";
  const life = { expiresIn: 900, signedAt: at };
  const place = { endpoint: "https://cdn.example.com", addressing: "bucket-bound" };
  const gcs = { scheme: "gcs", credentials: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "s" }, ...place };
  const oss = { scheme: "oss", credentials: { accessKeyId: "LTAI", accessKeySecret: "s" }, region: "cn-hangzhou" };
  const cos = { scheme: "cos", credentials: { secretId: "AKID", secretKey: "s" }, ...place };
  const lines = [
    { ...gcs, bucket: "media", object: "a/b.txt", ...life },
    { ...gcs, version: "v2", bucket: "media", object: "a/b.txt", ...life },
    { ...oss, ...place, bucket: "media", key: "a/b.txt", ...life },
    { ...cos, region: "ap-guangzhou", bucket: "media-1250000000", key: "a/b.txt", ...life },
  ];
  const signed = await sign(lines);
  const ask = (more: object) =>
    signed.map(({ url }, i) => ({
      ...{ at, request: { url } },
      schemes: [{ ...[gcs, { ...gcs, version: "v2" }, { ...oss, ...place }, cos][i], ...more }],
    }));
  const buckets = { "https://cdn.example.com": "media" };
  const verdicts = await verify([
    ...[...ask({}), ...ask({ buckets: {} }), ...ask({ buckets: { "https://cdn.example.net": "media" } })],
    ...[...ask({ buckets, endpoint: undefined, origins: ["https://cdn.example.com", "https://cdn.example.net"] })],
    ...[...ask({ endpoint: undefined }), ...ask({ buckets, endpoint: undefined }), ...ask({ buckets })],
  ]);
  expect(verdicts.map(verdictOf)).toEqual([...Array(20).fill("INVALID_INPUT"), ...Array(8).fill("ok")]);
  expect(verdicts.slice(24).map(({ grant }) => grant?.["bucket"])).toEqual(Array(4).fill("media"));
});

test("rejects a bucket's own host for S3", async () => {
  const s3 = { scheme: "s3", credentials: { accessKeyId: "AKID", secretAccessKey: "s" }, region: "eu-west-1" };
  const life = { expiresIn: 900, signedAt: "2026-01-02T03:04:05Z" };
  const [signed] = await sign([{ ...s3, bucket: "media", key: "a/b.txt", ...life }]);
  const request = { at: "2026-01-02T03:04:05Z", request: { url: signed?.url } };
  const verdicts = await verify(
    ["virtual", "bucket-bound"].map((addressing) => ({ ...request, schemes: [{ ...s3, addressing }] })),
  );
  expect(verdicts.map(verdictOf)).toEqual(["ok", "INVALID_INPUT"]);
});

test("rejects user information in the URL", async () => {
  const request = { method: "GET", url: "https://u@a.example/x?X-Amz-Signature=a" };
  const { stdout } = await daypass(["verify", "--batch", "-"], { input: JSON.stringify({ request, schemes: [s3] }) });
  const [user] = parseLines<{ readonly code: string; readonly message: string }>(stdout);
  expect(user).toMatchObject({ code: "MALFORMED", message: expect.stringContaining("user@ in front of the host") });
});

test.each(["--schemes", "--state", "--at", "--method", "--origin"])(
  "refuses %s beside --batch, where nobody would read it",
  async (option) => {
    const { status, stdout, stderr } = await daypass(["verify", "--batch", "-", option, "x"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`${option} has no effect with --batch`);
  },
);
