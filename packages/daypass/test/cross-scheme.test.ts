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
import { hmacKey, publicAccount, publicKey } from "./gcs/account.ts";
import { AT, ORIGIN, type Subject, subjects, wire } from "./registry.ts";
import { expectRefusal } from "./wire-request.ts";

const clock = (): Date => AT;

/** A verifier with the examples whose requests it detects: the plain one and those for a prefix, in cookies, and so on. */
interface Family {
  readonly verifier: Verifier;
  readonly members: readonly Subject[];
}

function familiesOf(subjects: readonly Subject[], requests: ReadonlyMap<Subject, WireRequest>): readonly Family[] {
  const families: { verifier: Verifier; members: Subject[] }[] = [];
  for (const subject of subjects) {
    const isDetected = ({ verifier, members }: Family): boolean =>
      members[0]?.row === subject.row && verifier.detects(requests.get(subject) as WireRequest);
    const family = families.find(isDetected);
    if (family !== undefined) family.members.push(subject);
    else families.push({ verifier: subject.verifier(subject.example.keys.right), members: [subject] });
  }
  return families;
}

/** Verifiers that detect each other's requests: their vendors chose the same names of parameters. */
const SAME_NAMES: Readonly<Record<string, readonly string[]>> = {
  bunny: ["bunny", "fastly"],
  "bunny, prefix": ["bunny", "fastly"],
  fastly: ["bunny", "fastly"],
  "cloud-cdn": ["cloud-cdn", "media-cdn"],
  "cloud-cdn, prefix": ["cloud-cdn", "media-cdn"],
  "media-cdn": ["cloud-cdn", "media-cdn"],
  "media-cdn, prefix": ["cloud-cdn", "media-cdn"],
  "media-cdn, cookie": ["media-cdn", "media-cdn/token"],
};

const requests = new Map(await Promise.all(subjects.map(async (one) => [one, await one.request()] as const)));
const requestOf = (subject: Subject): WireRequest => requests.get(subject) as WireRequest;
const forms = familiesOf(
  subjects.filter(({ isForm }) => isForm),
  requests,
);
const others = familiesOf(
  subjects.filter(({ isForm }) => !isForm),
  requests,
);

describe("anyOf over all verifiers", () => {
  it.each(
    [...forms, ...others].flatMap((family) =>
      family.members.map((subject) => ({ family, subject, name: subject.name })),
    ),
  )("finds one verifier for $name, or refuses it as ambiguous", async ({ family, subject, name }) => {
    const all = subject.isForm ? forms : others;
    const detecting = all.filter(({ verifier }) => verifier.detects(requestOf(subject)));
    const expected = SAME_NAMES[name] ?? [family.members[0]?.name];
    expect(detecting.map(({ members }) => members[0]?.name)).toEqual(expected);
    const verifiers = all.map((one) => (one === family ? subject.verifier(subject.example.keys.right) : one.verifier));
    const verified = anyOf(...verifiers).verify(requestOf(subject));
    if (expected.length > 1) await expectRefusal(verified, "AMBIGUOUS_AUTHENTICATION");
    else expect((await verified).scheme).toBe(subject.row.id);
  });

  it("refuses every request that carries two signatures, in any places", async () => {
    const accepted: string[] = [];
    const all = others.flatMap(({ verifier, members }) => members.map((subject) => ({ verifier, subject })));
    for (const first of all) {
      for (const second of all) {
        if (first.verifier === second.verifier || isInPath(requestOf(second.subject))) continue;
        const both = together(requestOf(first.subject), requestOf(second.subject));
        const keysOf = ({ subject }: typeof first) => subject.verifier(subject.example.keys.right);
        const error: unknown = await anyOf(keysOf(first), keysOf(second))
          .verify(both)
          .then(
            () => undefined,
            (reason: unknown) => reason,
          );
        if (!isDaypassError(error))
          accepted.push(`${first.subject.name} with ${second.subject.name}: ${String(error)}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it("refuses an Authorization header of S3 beside each URL of a store", async () => {
    const header = subjects.find(({ name }) => name === "s3/header");
    const authorization = header && requestOf(header).headers.filter(([field]) => field === "authorization");
    expect(authorization).toHaveLength(1);
    for (const subject of subjects) {
      if (!/^(?:s3|s3\/v2|s3\/v4a|gcs|gcs\/v2|oss|oss\/v1|cos|azure|swift)$/.test(subject.row.id)) continue;
      const signed = requestOf(subject);
      const both = { ...signed, headers: [...signed.headers, ...(authorization ?? [])] };
      await expectRefusal(subject.verifier(subject.example.keys.right).verify(both), "AMBIGUOUS_AUTHENTICATION");
    }
  });

  it.each([
    [/^s3/, ["x-amz-copy-source", "X-Amz-Acl", "x-amz-meta-a", "x-amz-website-redirect-location"]],
    [/^gcs/, ["x-goog-copy-source", "X-Goog-Acl", "x-goog-meta-a", "x-amz-copy-source"]],
    [/^azure/, ["x-ms-copy-source", "X-Ms-Meta-A", "x-ms-access-tier"]],
    [/^oss/, ["x-oss-copy-source", "X-Oss-Object-Acl", "x-oss-meta-a", "x-oss-symlink-target"]],
    [/^cos/, ["x-cos-copy-source", "X-Cos-Acl", "x-cos-meta-a"]],
    [/^swift/, ["x-object-manifest", "X-Symlink-Target", "x-copy-from"]],
  ])("CVE-2026-54330, CVE-2015-5223: %s refuse an unsigned header of their store", async (family, names) => {
    const ofStore = subjects.filter(({ row }) => family.test(row.id));
    expect(ofStore).not.toEqual([]);
    for (const subject of ofStore) {
      const [signed, verifier] = [requestOf(subject), subject.verifier(subject.example.keys.right)];
      await verifier.verify(signed);
      for (const name of names) {
        const headers = [...signed.headers, [name, "/private/a.txt"] as const];
        await expectRefusal(verifier.verify({ ...signed, headers }));
      }
    }
  });

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

/** A signature in the path cannot stand beside another one. */
function isInPath({ target, headers }: WireRequest): boolean {
  return !target.includes("?") && headers.length === 0;
}

/** The first request with the parameters, headers and cookies of the second added. */
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

  it("refuses an HMAC with a service account's public key", async () => {
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
    // A MAC as long as an Ed25519 signature is refused, too.
    const [, mac = ""] = /dp-signature=([^&]+)/.exec(link.target) ?? [];
    const long = createHmac("sha512", Buffer.from(x, "base64url")).update(link.target).digest("base64url");
    await expectRefusal(urls.verify(respelt(link, mac, long)), "SIGNATURE_MISMATCH");
  });
});
