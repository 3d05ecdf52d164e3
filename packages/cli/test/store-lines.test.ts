import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import alibaba from "../../daypass/test/oss/vectors/alibaba.json" with { type: "json" };
import { type Signed, sign, verdictOf, verify } from "./line-batches.ts";

const signedAt = "2026-01-02T03:04:05Z";
const at = "2026-01-02T03:05:00Z";
const life = { expiresIn: 900, signedAt };
const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG" };
const s3Session = {
  accessKeyId: "ASIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG",
  sessionToken: "AgV4dG9rZW4+/=",
};
const cos = { secretId: "AKIDEXAMPLE", secretKey: "BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz" };
const swift = { key: "mykey" };
const cloudfront = { keyPairId: "K2JCJMDEHXQW5F", privateKey: pem.privateKey };
const object = { bucket: "media", key: "talks/key note+1%.mp4" };
const media = "https://media.example.com/talks/a%20b.mp4";
const LINES = {
  oss: { scheme: "oss", region: "cn-hangzhou", ...object, credentials: oss, ...life },
  "oss, v1": { scheme: "oss", version: "v1", region: "cn-hangzhou", ...object, credentials: oss, ...life },
  cos: { scheme: "cos", region: "ap-guangzhou", ...object, bucket: "media-1250000000", credentials: cos, ...life },
  swift: {
    ...{ scheme: "swift", endpoint: "https://swift.example.com", account: "AUTH_test", container: "media" },
    ...{ object: object.key, credentials: swift, ...life },
  },
  cloudfront: { scheme: "cloudfront", url: media, hash: "sha256", credentials: cloudfront, ...life },
  "s3, express": {
    ...{ scheme: "s3", version: "express", region: "us-east-1", ...object, bucket: "media--use1-az4--x-s3" },
    ...{ credentials: s3Session, ...life },
  },
} as const;
const ENTRIES = {
  oss: { scheme: "oss", credentials: oss },
  "oss, v1": { scheme: "oss", credentials: [{ ...oss, accessKeyId: "LTAIOTHER" }, oss] },
  "s3, express": { scheme: "s3", credentials: s3Session },
  cos: { scheme: "cos", credentials: cos },
  swift: { scheme: "swift", account: "AUTH_test", credentials: [{ key: "the next" }, swift] },
  cloudfront: { scheme: "cloudfront", credentials: { keyPairId: cloudfront.keyPairId, publicKey: pem.publicKey } },
} as const;

const received = ({ url, method, headers }: Signed) => ({ method, url, headers });
const names = Object.keys(LINES) as readonly (keyof typeof LINES)[];
const entriesOf = (name: keyof typeof LINES) => [ENTRIES[name]];

test("signs for OSS, COS, Swift, CloudFront and S3 Express, and verifies only unchanged requests", async () => {
  const signed = await sign(names.map((name) => LINES[name]));
  expect(signed.map(({ url }) => url.replace(/\?.*/, ""))).toEqual([
    "https://media.oss-cn-hangzhou.aliyuncs.com/talks/key%20note%2B1%25.mp4",
    "https://media.oss-cn-hangzhou.aliyuncs.com/talks/key%20note%2B1%25.mp4",
    "https://media-1250000000.cos.ap-guangzhou.myqcloud.com/talks/key%20note%2B1%25.mp4",
    "https://swift.example.com/v1/AUTH_test/media/talks/key%20note%2B1%25.mp4",
    media,
    "https://media--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/talks/key%20note%2B1%25.mp4",
  ]);
  // The worked examples of docs/schemes.
  expect(signed[0]?.url).toContain("x-oss-signature=325d84856a34bdb697c936c0daafe3124b022240dae7383971a4cd345f1ee22a");
  expect(signed[1]?.url).toContain("Signature=SuBHxXZ0qbyahtFmj5ZZYV1f37M%3D");
  expect(signed[2]?.url).toContain("q-signature=b4e00fa881d14e9f368d7ba8a841caacdc36caa4");
  expect(signed[3]?.url).toContain("temp_url_sig=54f03032dc617fd64726ba6e2fbeb99e0b1672e0d60406fc43e4c07994ac6c75");
  for (const { expiresAt } of signed) expect(expiresAt).toBe("2026-01-02T03:19:05.000Z");

  const lines = names.map((name, i) => ({ request: received(signed[i] as Signed), at, schemes: entriesOf(name) }));
  const verdicts = await verify(lines);
  expect(verdicts.map(verdictOf)).toEqual(names.map(() => "ok"));
  expect(verdicts.map(({ scheme }) => scheme)).toEqual(["oss", "oss", "cos", "swift", "cloudfront", "s3"]);
  expect(verdicts[0]?.grant).toMatchObject(object);
  expect(verdicts[1]?.grant).toMatchObject(object);
  expect(verdicts[2]?.grant).toMatchObject({ bucket: "media-1250000000", key: object.key });
  expect(verdicts[3]?.grant).toMatchObject({ account: "AUTH_test", container: "media", object: object.key });
  expect(verdicts[4]?.grant).toMatchObject({ url: media, methods: ["GET", "HEAD"] });

  const late = lines.map((line) => ({ ...line, at: "2026-01-02T03:19:05Z" }));
  expect((await verify(late)).map(verdictOf)).toEqual(names.map(() => "EXPIRED"));
  const changed = lines.map((line) => ({
    ...line,
    request: { ...line.request, url: line.request.url.replace("talks", "other") },
  }));
  expect((await verify(changed)).map(verdictOf)).toEqual(names.map(() => "SIGNATURE_MISMATCH"));
});

test("signs Alibaba's vectors", async () => {
  const { method, bucket, key, region, query, alwaysSigned, additional } = alibaba.v4Request;
  const lines = alibaba.v4.map(({ securityToken, additionalHeaders, cloudBoxId, signedAt: seconds, expiresIn }) => ({
    ...{ scheme: "oss", region, cloudBoxId, method, bucket, key, query, expiresIn },
    headers: { ...alwaysSigned, ...(additionalHeaders === undefined ? {} : additional) },
    credentials: { accessKeyId: "ak", accessKeySecret: "sk", securityToken },
    signedAt: new Date(seconds * 1000).toISOString(),
  }));
  const signed = await sign(lines);
  expect(signed.map(({ url }) => new URL(url).searchParams.get("x-oss-signature"))).toEqual(
    alibaba.v4.map(({ signature }) => signature),
  );
});

test("signs and verifies OSS and COS in path style and on a bucket's own domain", async () => {
  const path = { addressing: "path", endpoint: "http://127.0.0.1:9000" };
  const bound = { addressing: "bucket-bound", endpoint: "https://files.example.com" };
  const signed = await sign([
    { ...LINES.oss, ...path },
    { ...LINES.oss, ...bound, bindHost: true },
    { ...LINES["oss, v1"], ...bound },
    { ...LINES.cos, ...path },
    { ...LINES.cos, ...bound },
  ]);
  const buckets = { "https://files.example.com": "media" };
  const entries = [ENTRIES.oss, { ...ENTRIES.oss, buckets }, { ...ENTRIES.oss, buckets }, ENTRIES.cos];
  const verdicts = await verify(
    signed.map((answer, i) => ({
      request: received(answer),
      at,
      schemes: [entries[i] ?? { ...ENTRIES.cos, buckets }],
    })),
  );
  expect(verdicts.map(verdictOf)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  expect(verdicts.map(({ grant }) => grant?.["bucket"])).toEqual([
    "media",
    "media",
    "media",
    "media-1250000000",
    "media",
  ]);
});

test.each(["oss", "cos", "gcs"])("refuses a bucket of %s for a name that is not an origin", async (scheme) => {
  const credentials = {
    oss: ENTRIES.oss.credentials,
    cos: ENTRIES.cos.credentials,
    gcs: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "x" },
  }[scheme];
  const request = { url: "https://files.example.com/a?x-oss-signature-version=OSS4-HMAC-SHA256" };
  const lines = ["files.example.com", "https://files.example.com/", "https://Files.example.com"].map((name) => ({
    ...{ request, at, schemes: [{ scheme, credentials, buckets: { [name]: "media" } }] },
  }));
  for (const { code, message } of await verify(lines))
    expect([code, message]).toEqual(["INVALID_INPUT", expect.stringContaining("origins (https://host) as names")]);
});

test("returns CloudFront's cookies, and verifies them in a request", async () => {
  const cookies = { ...LINES.cloudfront, as: "cookies" };
  const resource = "https://media.example.com/talks/*";
  const [one, many, limited] = await sign([
    cookies,
    { ...cookies, url: undefined, resource },
    { ...cookies, url: resource, ip: "203.0.113.0/24", notBefore: "2026-01-02T03:04:30Z" },
  ]);
  expect(Object.keys(one ?? {})).toEqual(["cookies", "expiresAt", "warnings"]);
  expect(one?.cookies).toMatchObject({ "CloudFront-Expires": "1767323945", "CloudFront-Hash-Algorithm": "SHA256" });
  expect(Object.keys(many?.cookies ?? {})).toContain("CloudFront-Policy");
  const ask = (answer: Signed | undefined, url: string, remoteAddress = "203.0.113.9") => {
    const cookie = Object.entries(answer?.cookies ?? {}).map((pair) => pair.join("="));
    return {
      request: { url, headers: { cookie: cookie.join("; ") }, remoteAddress },
      at,
      schemes: [ENTRIES.cloudfront],
    };
  };
  const verdicts = await verify([
    ask(one, media),
    ask(one, `${media}4`),
    ask(many, `${media}4`),
    ask(many, "https://media.example.com/other"),
    ask(limited, media),
    ask(limited, media, "198.51.100.1"),
  ]);
  expect(verdicts.map(verdictOf)).toEqual(["ok", "SIGNATURE_MISMATCH", "ok", "KEY_SCOPE", "ok", "IP_NOT_GRANTED"]);
});

test("signs a given policy of CloudFront, and a network of Swift", async () => {
  const policy = `{ "Statement": [{ "Resource": "${media}", "Condition": { "DateLessThan": { "AWS:EpochTime": 1767323945 } } }] }`;
  const { expiresIn: _, ...written } = LINES.cloudfront;
  const [byPolicy, byNetwork, bySha512] = await sign([
    { ...written, policy },
    { ...LINES.swift, ip: "203.0.113.0/24", prefix: "talks/", expiresAs: "iso" },
    { ...LINES.swift, digest: "sha512", filename: "x.mp4" },
  ]);
  expect(byPolicy?.expiresAt).toBe("2026-01-02T03:19:05.000Z");
  expect(bySha512?.warnings).toHaveLength(1);
  const allowed = { ...ENTRIES.swift, allowUnsigned: ["filename"] };
  const verdicts = await verify([
    { request: received(byPolicy as Signed), at, schemes: [ENTRIES.cloudfront] },
    { request: { ...received(byNetwork as Signed), remoteAddress: "203.0.113.9" }, at, schemes: [ENTRIES.swift] },
    { request: { ...received(byNetwork as Signed), remoteAddress: "10.0.0.1" }, at, schemes: [ENTRIES.swift] },
    { request: received(bySha512 as Signed), at, schemes: [ENTRIES.swift] },
    { request: received(bySha512 as Signed), at, schemes: [allowed] },
  ]);
  expect(verdicts.map(verdictOf)).toEqual(["ok", "ok", "IP_NOT_GRANTED", "UNSIGNED_PARAMETER", "ok"]);
  expect(verdicts[4]?.grant?.["unsignedParameters"]).toEqual([["filename", "x.mp4"]]);
});

test("verifies with a private key, and only with the hashes of a key", async () => {
  const [sha256, sha1] = await sign([LINES.cloudfront, { ...LINES.cloudfront, hash: "sha1" }]);
  // The hashes of a key, and the single hash that a signer takes.
  const { url: _, expiresIn: __, signedAt: ___, ...asSigned } = LINES.cloudfront;
  const asUrl = { ...asSigned, as: "url" };
  const entries = [{ scheme: "cloudfront", credentials: { ...cloudfront, hashes: ["sha256"] } }, asSigned, asUrl];
  const lines = entries.flatMap((entry) =>
    [sha256, sha1].map((answer) => ({ request: received(answer as Signed), at, schemes: [entry] })),
  );
  const verdicts = await verify(lines);
  expect(verdicts.map(verdictOf)).toEqual(entries.flatMap(() => ["ok", "SIGNATURE_MISMATCH"]));
});

const wrong: readonly (readonly [string, unknown, string])[] = [
  ["a field that nobody knows", { ...LINES.oss, bindhost: true }, "INVALID_INPUT"],
  ["a field of the other version", { ...LINES["oss, v1"], bindHost: true }, "INVALID_INPUT"],
  ["no region", { ...LINES.oss, region: undefined }, "INVALID_INPUT"],
  ["no credentials", { ...LINES.cos, credentials: undefined }, "INVALID_INPUT"],
  ["an address that OSS cannot bind", { ...LINES.oss, bind: { ip: "10.0.0.0/8" } }, "UNSUPPORTED_CONSTRAINT"],
  ["a start that Swift cannot bind", { ...LINES.swift, notBefore: signedAt }, "UNSUPPORTED_CONSTRAINT"],
  [
    "a type that CloudFront cannot bind",
    { ...LINES.cloudfront, bind: { contentType: "a/b" } },
    "UNSUPPORTED_CONSTRAINT",
  ],
  ["a key that is none", { ...LINES.cloudfront, credentials: { ...cloudfront, privateKey: "none" } }, "INVALID_KEY"],
  ["cookies for two things", { ...LINES.cloudfront, as: "cookies", resource: "https://a/*" }, "INVALID_INPUT"],
  ["dot segments", { ...LINES.cos, key: "../x" }, "DOT_SEGMENTS"],
  ["credentials that end first", { ...LINES.oss, credentials: { ...oss, expiration: at } }, "CREDENTIALS_EXPIRE_FIRST"],
];

test("refuses each invalid line, and no other", async () => {
  const answers = await sign([...wrong.map(([, line]) => line), LINES.oss]);
  const codes = answers.map(({ error }) => error?.code);
  expect(codes).toEqual([...wrong.map(([, , code]) => code), undefined]);
  for (const { error } of answers) {
    for (const secret of [oss.accessKeySecret, cos.secretKey, pem.privateKey.slice(40, 80)])
      expect(error?.message ?? "").not.toContain(secret);
  }
});

test("refuses an entry without keys", async () => {
  const request = { url: media };
  const entries = [
    { scheme: "oss" },
    { scheme: "cos" },
    { scheme: "swift", account: "AUTH_test" },
    { scheme: "cloudfront" },
  ];
  const misspelt = { ...ENTRIES.oss, maxfutureskew: 1 };
  const noKey = { scheme: "cloudfront", credentials: { keyPairId: "K1" } };
  const verdicts = await verify([...entries, misspelt, noKey].map((entry) => ({ request, at, schemes: [entry] })));
  expect(verdicts.map(verdictOf)).toEqual(Array(6).fill("INVALID_INPUT"));
});
