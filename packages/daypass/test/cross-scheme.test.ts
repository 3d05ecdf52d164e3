import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { anyFormOf, anyOf, isDaypassError, type Verifier, type WireRequest } from "../src/index.ts";
import { cloudfrontSigner, cloudfrontVerifier } from "../src/schemes/cloudfront/index.ts";
import { gcsHmacSigner, gcsVerifier } from "../src/schemes/gcs/index.ts";
import { mediaCdnPublicKey, mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../src/schemes/media-cdn/token/index.ts";
import { s3FormSigner, s3FormVerifier } from "../src/schemes/s3/form/index.ts";
import { s3FormV2Verifier } from "../src/schemes/s3/form/v2/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { s3V4aSigner, s3V4aVerifier } from "../src/schemes/s3/v4a/index.ts";
import { type UrlEd25519Key, urlSigner, urlVerifier } from "../src/schemes/url/index.ts";
import { RSA } from "./cloudfront/keys.ts";
import { AT, type EveryVerifier, everyVerifier, ORIGIN, wire } from "./every-verifier.ts";
import { hmacKey, publicAccount, publicKey } from "./gcs/account.ts";
import { expectRefusal } from "./scheme-contract.ts";

const clock = (): Date => AT;

/** One row for each verifier: variants of a URL, such as that of a prefix, have the same one. */
function verifiersOf(rows: readonly EveryVerifier[]): ReadonlyMap<string, Verifier> {
  const made = rows.map(({ name, right, verifier }) => [verifierName(name), verifier(right)] as const);
  return new Map(made);
}

function verifierName(name: string): string {
  return name.replace(/, (?:prefix|policy|cookies?)$/, "");
}

/** Verifiers that take one another's requests for their own: their parameters have the same names, by their vendors' choice. */
const SAME_NAMES: Readonly<Record<string, readonly string[]>> = {
  bunny: ["bunny", "fastly"],
  "bunny, prefix": ["bunny", "fastly"],
  fastly: ["bunny", "fastly"],
  "cloud-cdn": ["cloud-cdn", "media-cdn"],
  "cloud-cdn, prefix": ["cloud-cdn", "media-cdn"],
  "media-cdn": ["cloud-cdn", "media-cdn"],
  "media-cdn, cookie": ["media-cdn", "media-cdn/token"],
};

const requestRows = everyVerifier.filter(({ form }) => !form);
const formRows = everyVerifier.filter(({ form }) => form);

describe("anyOf over all verifiers", () => {
  it.each(everyVerifier)("$name has one verifier that knows it, or is refused as ambiguous", async (row) => {
    const all = verifiersOf(row.form ? formRows : requestRows);
    const request = await row.request();
    const detected = [...all].filter(([, { detects }]) => detects(request)).map(([name]) => name);
    const expected = SAME_NAMES[row.name] ?? [verifierName(row.name)];
    expect(detected).toEqual(expected);
    const verified = anyOf(...all.values()).verify(request);
    if (expected.length > 1) await expectRefusal(verified, "AMBIGUOUS_AUTHENTICATION");
    else expect((await verified).scheme).toBe(row.name.split(",", 1)[0]);
  });

  it("refuses every request that carries two signatures, wherever they stand", async () => {
    const accepted: string[] = [];
    for (const first of requestRows) {
      for (const second of requestRows) {
        if (verifierName(first.name) === verifierName(second.name) || second.name === "imgproxy") continue;
        const both = together(await first.request(), await second.request());
        const either = anyOf(first.verifier(first.right), second.verifier(second.right));
        const error: unknown = await either.verify(both).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (!isDaypassError(error)) accepted.push(`${first.name} with ${second.name}: ${String(error)}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it("refuses an Authorization header of S3 beside each URL of S3 and its kin", async () => {
    const header = await requestRows.find(({ name }) => name === "s3/header")?.request();
    for (const { name, request, verifier, right } of requestRows) {
      if (!/^(?:s3|s3\/v2|s3\/v4a|gcs|gcs\/v2|oss|oss\/v1|cos|azure|swift)(?:,|$)/.test(name)) continue;
      const signed = await request();
      const authorization = header?.headers.filter(([field]) => field === "authorization") ?? [];
      expect(authorization).toHaveLength(1);
      const both = { ...signed, headers: [...signed.headers, ...authorization] };
      await expectRefusal(verifier(right).verify(both), "AMBIGUOUS_AUTHENTICATION");
    }
  });

  it.each([
    [/^s3/, ["x-amz-copy-source", "X-Amz-Acl", "x-amz-meta-a", "x-amz-website-redirect-location"]],
    [/^gcs/, ["x-goog-copy-source", "X-Goog-Acl", "x-goog-meta-a", "x-amz-copy-source"]],
    [/^azure/, ["x-ms-copy-source", "X-Ms-Meta-A", "x-ms-access-tier"]],
    [/^oss/, ["x-oss-copy-source", "X-Oss-Object-Acl", "x-oss-meta-a", "x-oss-symlink-target"]],
    [/^cos/, ["x-cos-copy-source", "X-Cos-Acl", "x-cos-meta-a"]],
    [/^swift/, ["x-object-manifest", "X-Symlink-Target", "x-copy-from"]],
  ])(
    "CVE-2026-54330, CVE-2015-5223: %s take no header of their stores that nobody has signed",
    async (family, names) => {
      const rows = everyVerifier.filter(({ name }) => family.test(name));
      expect(rows).not.toEqual([]);
      for (const { request, verifier, right } of rows) {
        const signed = await request();
        await verifier(right).verify(signed);
        for (const name of names) {
          const headers = [...signed.headers, [name, "/private/a.txt"] as const];
          await expectRefusal(verifier(right).verify({ ...signed, headers }));
        }
      }
    },
  );

  it("refuses a form that two versions have signed", async () => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const { fields } = s3FormSigner({ region: "eu-west-1", credentials, clock }).sign({
      bucket: "media",
      key: "a.txt",
      expiresIn: 900,
    });
    const both = [...Object.entries(fields), ["AWSAccessKeyId", "AKIDEXAMPLE"], ["signature", "AAAA"]] as const;
    const verifier = anyFormOf(s3FormVerifier({ credentials, clock }), s3FormV2Verifier({ credentials, clock }));
    await expectRefusal(verifier.verify({ bucket: "media", fields: both }), "AMBIGUOUS_AUTHENTICATION");
  });
});

/** The second one's parameters, headers and cookies beside those of the first. */
function together(first: WireRequest, second: WireRequest): WireRequest {
  const [, query = ""] = second.target.split("?");
  const target = query === "" ? first.target : `${first.target}${first.target.includes("?") ? "&" : "?"}${query}`;
  return { ...first, target, headers: [...first.headers, ...second.headers] };
}

describe("the algorithm is the key's", () => {
  const access = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
  const object = { bucket: "media", key: "a.txt", expiresIn: 900 };
  const respelt = (request: WireRequest, from: string, to: string): WireRequest => {
    expect(request.target).toContain(from);
    return { ...request, target: request.target.replace(from, to) };
  };

  it("in SigV4 and SigV4A, whose secrets are the same", async () => {
    const options = { credentials: access, origins: [ORIGIN], clock };
    const v4 = wire(s3Signer({ region: "eu-west-1", endpoint: ORIGIN, ...options }).sign(object));
    const v4a = wire(await s3V4aSigner({ regionSet: ["*"], endpoint: ORIGIN, ...options }).sign(object));
    const [hmac, ecdsa] = ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"];
    for (const other of [ecdsa, "none", "AWS4-HMAC-SHA1", "aws4-hmac-sha256", ""]) {
      await expectRefusal(s3Verifier(options).verify(respelt(v4, hmac, other)), "MALFORMED");
    }
    for (const other of [hmac, "none", ""]) {
      await expectRefusal(s3V4aVerifier(options).verify(respelt(v4a, ecdsa, other)), "MALFORMED");
    }
    const asV4a = respelt(v4, "X-Amz-Date=", "X-Amz-Region-Set=%2A&X-Amz-Date=");
    await expectRefusal(s3V4aVerifier(options).verify(respelt(asV4a, hmac, ecdsa)));
  });

  it("of a service account: an HMAC with its public key is nobody's", async () => {
    const credentials = {
      accessKeyId: publicAccount.client_email,
      secretAccessKey: publicKey.replace(/-+[A-Z ]+-+|\n/g, ""),
    };
    const link = wire(
      gcsHmacSigner({ credentials: { ...hmacKey, ...credentials }, endpoint: ORIGIN, clock }).sign({
        bucket: "media",
        object: "a.txt",
        expiresIn: 900,
      }),
    );
    const verifier = gcsVerifier({ keys: publicAccount, origins: [ORIGIN], clock });
    await expectRefusal(verifier.verify(link));
    await expectRefusal(verifier.verify(respelt(link, "GOOG4-HMAC-SHA256", "GOOG4-RSA-SHA256")));
  });

  it("of CloudFront: a hash that the key may not have does not count", async () => {
    const signer = cloudfrontSigner({ keyPairId: "K2", privateKey: RSA.privateKey, hash: "sha1", clock });
    const link = wire(await signer.sign({ url: `${ORIGIN}/a.txt`, expiresIn: 900 }));
    const verifierOf = (hashes: readonly ("sha1" | "sha256")[]) =>
      cloudfrontVerifier({ keys: { keyPairId: "K2", publicKey: RSA.publicKey, hashes }, origins: [ORIGIN], clock });
    await verifierOf(["sha1"]).verify(link);
    await expectRefusal(verifierOf(["sha256"]).verify(link), "SIGNATURE_MISMATCH");
    const named = { ...link, target: `${link.target}&Hash-Algorithm=SHA256` };
    await expectRefusal(verifierOf(["sha1", "sha256"]).verify(named), "SIGNATURE_MISMATCH");
  });

  it("of Media CDN and of Daypass URLs: a public key is no secret of an HMAC", async () => {
    const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const token = wire(mediaCdnTokenSigner({ key: { secret: x }, clock }).sign({ url: `${ORIGIN}/a`, expiresIn: 900 }));
    const tokens = mediaCdnTokenVerifier({ keys: mediaCdnPublicKey(x), origins: [ORIGIN], clock });
    await expectRefusal(tokens.verify(token), "SIGNATURE_MISMATCH");

    const secret = { kty: "oct", alg: "HS256", kid: "edge-1", k: x } as const;
    const key: UrlEd25519Key = { kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "edge-1", x };
    const link = wire(urlSigner({ key: secret, clock }).sign({ url: `${ORIGIN}/a`, expiresIn: 900 }));
    const urls = urlVerifier({ keys: [key], origins: [ORIGIN], clock });
    await expectRefusal(urls.verify(link));
    // Of the length of an Ed25519 signature, too.
    const [, mac = ""] = /dp-signature=([^&]+)/.exec(link.target) ?? [];
    const long = createHmac("sha512", Buffer.from(x, "base64url")).update(link.target).digest("base64url");
    await expectRefusal(urls.verify(respelt(link, mac, long)), "SIGNATURE_MISMATCH");
  });
});
