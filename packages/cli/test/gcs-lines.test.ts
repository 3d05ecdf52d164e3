import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { daypass, jsonLines, parseLines } from "./command.ts";
import { type Signed, sign, type Verdict, verdictOf, verify } from "./line-batches.ts";

/** Google's published vectors, and the inactive account that signed them. */
const vectors = JSON.parse(
  readFileSync(new URL("../../daypass/test/gcs/vectors/v4-signatures.json", import.meta.url), "utf8"),
);
const account: { readonly client_email: string; readonly private_key: string } = vectors.account;
const public_key = createPublicKey(account.private_key).export({ format: "pem", type: "spki" }).toString();
const publicAccount = { client_email: account.client_email, public_key };
const hmacKey = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
const signedAt = "2026-01-02T03:04:05Z";
const at = "2026-01-02T03:05:00Z";
const line = { scheme: "gcs", bucket: "media", object: "talks/key note+1%.mp4", expiresIn: 900, signedAt };
const byHmac = { ...line, credentials: hmacKey };
// The file has more members than the two that are needed.
const byAccount = { ...line, credentials: { type: "service_account", project_id: "p", ...account } };

const received = ({ url, method, headers }: Signed) => ({ method, url, headers });

/** The URL with its parameters in ascending order: Google's vectors have another one. */
function sorted(url: string): string {
  const [start, query = ""] = url.split("?");
  return `${start}?${query.split("&").sort().join("&")}`;
}

const STYLES: Readonly<Record<string, string>> = {
  VIRTUAL_HOSTED_STYLE: "virtual",
  BUCKET_BOUND_HOSTNAME: "bucket-bound",
};

test("signs and verifies Google's vectors for its own hosts", async () => {
  const cases = (vectors.signingV4Tests as readonly Readonly<Record<string, never>>[]).filter(
    ({ hostname, clientEndpoint, emulatorHostname, headers }) =>
      [hostname, clientEndpoint, emulatorHostname].every((server) => server === undefined) &&
      !Object.keys(headers ?? {}).some((name) => name.includes("/")),
  );
  const lines = cases.map((vector) => ({
    scheme: "gcs",
    version: "v4",
    method: vector["method"],
    addressing: STYLES[vector["urlStyle"] ?? ""],
    endpoint:
      vector["bucketBoundHostname"] && `${vector["scheme"] ?? "https"}://${vector["bucketBoundHostname"] as string}`,
    universeDomain: vector["universeDomain"],
    bucket: vector["bucket"],
    object: vector["object"],
    resource: vector["object"] === undefined ? "bucket" : undefined,
    headers: vector["headers"],
    query: vector["queryParameters"],
    credentials: account,
    expiresIn: vector["expiration"],
    signedAt: vector["timestamp"],
  }));
  const signed = await sign(lines);
  expect(signed.map(({ url }) => sorted(url))).toEqual(cases.map(({ expectedUrl = "" }) => sorted(expectedUrl)));
  expect(signed.length).toBeGreaterThan(20);
  const verdicts = await verify(
    signed.map((answer, i) => ({
      request: received(answer),
      at: cases[i]?.["timestamp"],
      schemes: [{ scheme: "gcs", credentials: publicAccount }],
    })),
  );
  // One of them has a digest with 63 digits.
  const expected = cases.map(({ description }) =>
    String(description).startsWith("Signed Payload") ? "UNSUPPORTED_PAYLOAD" : "ok",
  );
  expect(verdicts.map(verdictOf)).toEqual(expected);
});

test("signs Google's vectors for forms", async () => {
  interface PolicyVector {
    readonly policyInput: {
      readonly bucket: string;
      readonly object: string;
      readonly expiration: number;
      readonly timestamp: string;
      readonly fields?: Readonly<Record<string, string>>;
      readonly conditions?: { readonly startsWith?: [string, string]; readonly contentLengthRange?: [number, number] };
      readonly urlStyle?: string;
      readonly bucketBoundHostname?: string;
      readonly scheme?: string;
    };
    readonly policyOutput: { readonly url: string; readonly fields: Readonly<Record<string, string>> };
  }
  const cases: readonly PolicyVector[] = vectors.postPolicyV4Tests;
  const signed = await sign(
    cases.map(({ policyInput: input }) => ({
      scheme: "gcs",
      addressing: STYLES[input.urlStyle ?? ""],
      endpoint: input.bucketBoundHostname && `${input.scheme}://${input.bucketBoundHostname}`,
      credentials: account,
      expiresIn: input.expiration,
      signedAt: input.timestamp,
      form: {
        bucket: input.bucket,
        object: input.object,
        fields: input.fields,
        conditions: [
          ...(input.conditions?.startsWith === undefined ? [] : [["starts-with", ...input.conditions.startsWith]]),
          ...(input.conditions?.contentLengthRange === undefined
            ? []
            : [["content-length-range", ...input.conditions.contentLengthRange]]),
        ],
      },
    })),
  );
  expect(signed.map(({ url, fields }) => ({ url, fields }))).toEqual(
    cases.map(({ policyOutput: { url, fields } }) => ({ url, fields })),
  );
});

test("signs the worked examples of the documentation", async () => {
  const form = {
    bucket: "media",
    object: "uploads/7/$" + "{filename}",
    contentLength: { min: 1, max: 10_000_000 },
    fields: { success_action_status: "201" },
    bind: { contentType: "image/png" },
  };
  const { bucket: _, object: __, ...rest } = byHmac;
  const [v4, v2, upload] = await sign([byHmac, { ...byHmac, version: "v2" }, { ...rest, expiresIn: 300, form }]);
  expect(v4?.url).toMatch(/&X-Goog-Signature=a172d2ea8df1c0df1aeaeb5352933431ab24dcb37196a038f546bd234424d3cc$/);
  expect(v2?.url).toMatch(
    /\?GoogleAccessId=GOOG1EXAMPLE&Expires=1767323945&Signature=LJMGJuLpQl5VcqljBzJKsN%2BZbSA%3D$/,
  );
  expect(upload?.url).toBe("https://storage.googleapis.com/media/");
  expect(upload?.fields?.["x-goog-signature"]).toBe("fcf9eaef3caa7e5a586b76e43325019c4957610116c34278ceb6963d85c3c397");
  expect(upload?.expiresAt).toBe("2026-01-02T03:09:05.000Z");
});

test("signs and verifies both versions with both kinds of key, each by its own entry alone", async () => {
  const asked = [
    { ...byAccount, method: "PUT", headers: { "x-goog-meta-note": "a b" }, bind: { contentType: "image/png" } },
    { ...byAccount, version: "v2", addressing: "virtual" },
    { ...byHmac, response: { contentDisposition: "attachment" }, bind: { contentLength: { min: 1, max: 9 } } },
    { ...byHmac, version: "v2", addressing: "bucket-bound", endpoint: "https://cdn.example.com" },
  ];
  const signed = await sign(asked);
  const schemes = [
    { scheme: "gcs", credentials: [account, hmacKey], buckets: { "https://cdn.example.com": "media" } },
    { scheme: "s3", credentials: hmacKey },
  ];
  const verdicts = await verify(signed.map((answer) => ({ request: received(answer), at, schemes })));
  expect(verdicts.map(verdictOf)).toEqual(["ok", "ok", "ok", "ok"]);
  for (const { scheme, grant } of verdicts) {
    expect(scheme).toBe("gcs");
    expect([grant?.["bucket"], grant?.["object"]]).toEqual(["media", line.object]);
  }
  const one = (entry: object) => ({
    request: received(signed[0] as Signed),
    at,
    schemes: [{ scheme: "gcs", ...entry }],
  });
  const others = await verify([
    one({ credentials: publicAccount, version: "v4" }),
    one({ credentials: publicAccount, version: "v2" }),
    one({ credentials: hmacKey }),
    one({ credentials: { ...publicAccount, client_email: "other@p.iam.gserviceaccount.com" } }),
    one({ credentials: publicAccount, origins: ["https://other.example"] }),
    { ...one({ credentials: publicAccount }), at: "2026-01-02T03:20:00Z" },
  ]);
  expect(others.map(verdictOf)).toEqual([
    ...["ok", "NO_SIGNATURE", "NO_SIGNATURE", "UNKNOWN_KEY", "WRONG_ORIGIN", "EXPIRED"],
  ]);
});

test("refuses misspelt fields and unsupported constraints, and shows no key", async () => {
  const refused = await sign([
    { ...byHmac, key: "a" },
    { ...byHmac, version: "v3" },
    { ...byHmac, version: "v2", form: {} },
    { ...byHmac, form: { bucket: "media", object: "a" } },
    { ...byHmac, credentials: { ...hmacKey, sessionToken: "x" } },
    { ...line },
    { ...byHmac, bind: { ip: "203.0.113.9" } },
    { ...byHmac, object: "a/../b" },
    { ...byHmac, expiresIn: 604_801 },
    { ...line, credentials: { client_email: account.client_email, private_key: "S3CR3T" } },
    { ...line, credentials: { client_email: account.client_email, private_key: 5 } },
  ]);
  expect(refused.map(({ error }) => error?.code)).toEqual([
    ...["INVALID_INPUT", "INVALID_INPUT", "INVALID_INPUT", "INVALID_INPUT", "INVALID_INPUT", "INVALID_INPUT"],
    ...["UNSUPPORTED_CONSTRAINT", "DOT_SEGMENTS", "INVALID_EXPIRY", "INVALID_KEY", "INVALID_INPUT"],
  ]);
  const request = { method: "GET", url: "https://storage.googleapis.com/b/o?X-Goog-Signature=00" };
  const { stdout } = await daypass(["verify", "--batch", "-"], {
    input: jsonLines([
      { request, schemes: [{ scheme: "gcs" }] },
      { request, schemes: [{ scheme: "gcs", credentials: [] }] },
      { request, schemes: [{ scheme: "gcs", credentials: { client_email: "a@b", private_key: "S3CR3T" } }] },
      { request, schemes: [{ scheme: "gcs", credentials: { client_email: "a@b", public_key: "S3CR3T" } }] },
    ]),
  });
  expect(parseLines<Verdict>(stdout).map(verdictOf)).toEqual([
    ...["INVALID_INPUT", "INVALID_INPUT", "INVALID_KEY", "INVALID_KEY"],
  ]);
  expect(stdout + JSON.stringify(refused)).not.toContain("S3CR3T");
});
