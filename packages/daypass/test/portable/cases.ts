import { isDaypassError, type SignedRequest, type Verifier, type WireRequest } from "../../src/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";
import { s3V2Signer, s3V2Verifier } from "../../src/schemes/s3/v2/index.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";

/** Cases without a test framework, for any runtime. AWS or the specification computed the values. */
export interface Case {
  readonly name: string;
  run(): unknown;
  /** What `run` returns, or its promise, as JSON. */
  readonly expected: unknown;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html, "Example: GET Object"
const AWS_AT = new Date("2013-05-24T00:00:00Z");
const awsCredentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const awsOrigin = "https://examplebucket.s3.amazonaws.com";
const s3 = s3Signer({
  region: "us-east-1",
  endpoint: "https://s3.amazonaws.com",
  addressing: "virtual",
  credentials: awsCredentials,
  clock: () => AWS_AT,
});
const awsLink = (key = "test.txt"): SignedRequest => s3.sign({ bucket: "examplebucket", key, expiresIn: 86400 });
const awsVerifier = (now = AWS_AT): Verifier =>
  s3Verifier({
    credentials: awsCredentials,
    origins: ["https://*.s3.amazonaws.com"],
    clock: () => now,
    enforces: ["body-sha256"],
  });

const AT = new Date("2026-01-02T03:04:05Z");
const v2Options = {
  region: "us-east-1",
  endpoint: "https://s3.example.com",
  credentials: awsCredentials,
  clock: () => AT,
};
const v2 = s3V2Signer(v2Options);

// docs/spec/daypass-url.md, examples 1 and 2. The Ed25519 key is test key 1 of RFC 8032.
const hmacKey = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const edPublic = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  kid: "edge-1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
} as const;
const edPrivate = { ...edPublic, d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" } as const;
const urlOrigin = "https://api.example.com";
const hmacLink = (): SignedRequest =>
  urlSigner({ key: hmacKey, clock: () => AT }).sign({ url: `${urlOrigin}/invoices/7.pdf?lang=de`, expiresIn: 900 });
const edLink = (): Promise<SignedRequest> =>
  urlSigner({ key: edPrivate, clock: () => AT }).sign({
    url: "https://files.example.com/talks/2026/intro.mp4?utm_source=mail",
    prefix: "/talks/2026/",
    expiresIn: 604800,
    bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] },
    response: { contentDisposition: 'attachment;filename="intro.mp4"' },
    vary: ["utm_source", "fbclid"],
  });
const urlVerifierAt = (now = AT): Verifier =>
  urlVerifier({
    keys: [hmacKey, edPublic],
    origins: [urlOrigin, "https://files.example.com"],
    clock: () => now,
    enforces: ["response", "strip"],
  });

function request(link: SignedRequest, change: (url: string) => string = (url) => url): WireRequest {
  const [, authority = "", target = ""] = /^https:\/\/([^/]+)(.*)$/.exec(change(link.url)) ?? [];
  return { method: link.method, target, authority, headers: Object.entries(link.headers) };
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "no error";
  } catch (error) {
    return isDaypassError(error) ? error.code : String(error);
  }
}

const refusal = (verifier: Verifier, received: WireRequest): Promise<string> => codeOf(() => verifier.verify(received));
const later = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000);
const flipLast = (url: string): string => url.slice(0, -1) + (url.endsWith("0") ? "1" : "0");

async function* bytes(...values: number[]): AsyncGenerator<Uint8Array> {
  for (const value of values) yield new Uint8Array([value]);
}

export const cases: readonly Case[] = [
  {
    name: "signs AWS's published SigV4 example",
    run: () => awsLink().url,
    expected:
      `${awsOrigin}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256` +
      "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z" +
      "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  },
  {
    name: "verifies it, with the signer's id",
    run: async () => (await awsVerifier().verify(request(awsLink()))).id === awsLink().id,
    expected: true,
  },
  {
    name: "refuses one changed digit of an S3 signature",
    run: () => refusal(awsVerifier(), request(awsLink(), flipLast)),
    expected: "SIGNATURE_MISMATCH",
  },
  {
    name: "refuses an S3 URL at the instant it ends",
    run: () => refusal(awsVerifier(later(AWS_AT, 86400)), request(awsLink())),
    expected: "EXPIRED",
  },
  {
    name: "signs a key of one to four bytes a character",
    run: () => awsLink("ü €/𝄞+~'(1)*").url.split("?")[0],
    expected: `${awsOrigin}/%C3%BC%20%E2%82%AC/%F0%9D%84%9E%2B~%27%281%29%2A`,
  },
  {
    name: "verifies a key of one to four bytes a character",
    run: () => refusal(awsVerifier(), request(awsLink("ü €/𝄞+~'(1)*"))),
    expected: "no error",
  },
  {
    name: "refuses to sign half of a surrogate pair",
    run: () => codeOf(() => awsLink("\ud834")),
    expected: "INVALID_INPUT",
  },
  {
    name: "signs and verifies SigV2, which is HMAC-SHA1",
    async run() {
      const verifier = s3V2Verifier({
        credentials: awsCredentials,
        origins: ["https://s3.example.com"],
        clock: () => AT,
      });
      const link = v2.sign({ bucket: "b", key: "k", expiresIn: 900 });
      return (await verifier.verify(request(link))).id === link.id;
    },
    expected: true,
  },
  {
    name: "holds a body to its SHA-256, fed piece by piece",
    async run() {
      const sha256 = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"; // of the bytes 1, 2, 3
      const link = s3.sign({ bucket: "examplebucket", key: "k", method: "PUT", expiresIn: 60, bind: { sha256 } });
      const grant = await awsVerifier().verify(request(link));
      const drain = async (body: AsyncIterable<Uint8Array>): Promise<string> =>
        codeOf(async () => {
          for await (const _ of grant.limitBody(body));
        });
      return [await drain(bytes(1, 2, 3)), await drain(bytes(1, 2, 4))];
    },
    expected: ["no error", "BODY_DIGEST"],
  },
  {
    name: "signs example 1 of the Daypass URL's specification",
    run: () => [hmacLink().url, hmacLink().id],
    expected: [
      `${urlOrigin}/invoices/7.pdf?lang=de&dp-date=20260102T030405Z&dp-expires=20260102T031905Z&dp-key=k1&dp-methods=GET` +
        "&dp-signature=9y5KnKIOCIa4LWCJg6HcOsAoveTMv5zKneZ_e-36YRY&dp-v=1",
      "pPgjvnZJ2Sg1KVLjp1K6MQ",
    ],
  },
  {
    name: "verifies a Daypass URL, and refuses it changed or late",
    run: async () => [
      await refusal(urlVerifierAt(), request(hmacLink())),
      await refusal(
        urlVerifierAt(),
        request(hmacLink(), (url) => url.replace("/7.pdf", "/8.pdf")),
      ),
      await refusal(urlVerifierAt(later(AT, 900)), request(hmacLink())),
    ],
    expected: ["no error", "SIGNATURE_MISMATCH", "EXPIRED"],
  },
  {
    name: "strips blanks and tabs from a signed header, and no other space",
    run: () => {
      const query =
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host%3Bx-amz-meta-a" +
        "&X-Amz-Signature=5e72ef2ee7b23d5ef9c0555f62beadda29c6818eaf21421f72087b8541d2c56b";
      const ask = (value: string): Promise<string> =>
        refusal(awsVerifier(), {
          method: "GET",
          target: `/test.txt?${query}`,
          authority: "examplebucket.s3.amazonaws.com",
          headers: [["x-amz-meta-a", value]],
        });
      const values = [
        "\u00a0a b\ufeff",
        " \t\u00a0a\t \tb\ufeff\t",
        "a b",
        "\u00a0a b",
        "\u00a0a\u00a0b\ufeff",
        "\u2003\u00a0a b\ufeff",
      ];
      return Promise.all(values.map(ask));
    },
    expected: ["no error", "no error", ...Array(4).fill("SIGNATURE_MISMATCH")],
  },
  {
    name: "signs example 2, a prefix with Ed25519",
    run: async () => [(await edLink()).url, (await edLink()).id],
    expected: [
      "https://files.example.com/talks/2026/intro.mp4?dp-date=20260102T030405Z&dp-expires=20260109T030405Z" +
        "&dp-ip=203-0-113-0_24.2001-db8--_32&dp-key=edge-1&dp-methods=GET&dp-prefix=2" +
        "&dp-response-content-disposition=attachment%3Bfilename%3D%22intro.mp4%22" +
        "&dp-signature=7jBWxDWFnI8l8XNZ11JnD6ftY3QOhDLRzFgo73gBL1ysGCZ_YbUelzu6Vr30rkjCCbOT3YiSdWgbwy7oSRskAQ&dp-v=1" +
        "&dp-vary=fbclid.utm_source&utm_source=mail",
      "SrWfpVXkN83YE1aPoDYv8g",
    ],
  },
  {
    name: "verifies an Ed25519 signature for any path below its prefix and no other",
    async run() {
      const link = await edLink();
      const ask = (change: (url: string) => string): Promise<string> =>
        refusal(urlVerifierAt(), { ...request(link, change), remoteAddress: "203.0.113.9" });
      return [
        await ask((url) => url),
        await ask((url) => url.replace("intro.mp4", "a/b.mp4")),
        await ask((url) => url.replace("&utm_source=mail", "")),
        await ask((url) => url.replace("/2026/", "/2027/")),
      ];
    },
    expected: ["no error", "no error", "no error", "SIGNATURE_MISMATCH"],
  },
  {
    name: "makes a nonce of its own for counted uses",
    run: () =>
      /dp-nonce=[A-Za-z0-9_-]{22}&/.test(
        urlSigner({ key: hmacKey }).sign({ url: `${urlOrigin}/x`, expiresIn: 60, uses: 1 }).url,
      ),
    expected: true,
  },
];
