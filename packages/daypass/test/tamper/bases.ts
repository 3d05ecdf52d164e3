import type { SignedRequest, WireRequest } from "../../src/core/contracts.ts";
import { s3Signer } from "../../src/schemes/s3/index.ts";
import { s3V2Signer } from "../../src/schemes/s3/v2/index.ts";
import {
  type UrlEd25519PrivateKey,
  type UrlHmacKey,
  type UrlSignRequest,
  urlSigner,
} from "../../src/schemes/url/index.ts";

// The valid requests that the mutants are made of: one for each thing that a scheme can bind, hostile keys among them.

export const NOW = new Date("2026-01-02T03:04:05Z");
const clock = () => NOW;

export const S3_ORIGINS: readonly string[] = ["https://s3.example.com", "https://*.s3.example.com"];
export const URL_ORIGINS: readonly string[] = ["https://api.example.com", "https://files.example.com"];
export const AUDIENCE = "invoice";

export const S3_CREDENTIALS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
export const SESSION_CREDENTIALS = {
  accessKeyId: "ASIDEXAMPLE",
  secretAccessKey: "bPxRfiCYEXAMPLEKEY+wJalrXUtnFEMI/K7MDENG",
  sessionToken: "FwoGZXIvYXdzE+/=FwoGZXIvYXdzE",
};

export const HMAC_KEY: UrlHmacKey = {
  kty: "oct",
  alg: "HS256",
  kid: "k1",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
};
// RFC 8032, section 7.1, test 1.
export const ED25519_KEY: UrlEd25519PrivateKey = {
  kty: "OKP",
  crv: "Ed25519",
  alg: "Ed25519",
  kid: "edge-1",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};

const KEYS = [
  ...[
    "a.txt",
    "talks/keynote.mp4",
    "a b+c.txt",
    "100%.txt",
    "a%20b",
    "q?x=1#y&z",
    "'()!*",
    "x//y",
    "/lead",
    "dir/",
    "é/日本/🚀",
  ],
  ...["..", "a/../b", "./x", "tab\tline\n", "uploads/2026/01/02/report-final-v2.pdf"],
] as const;

/** What S3 signers are asked for: path and virtual-host style, session tokens, parameters, headers. */
export function s3Wishes() {
  const calls = KEYS.flatMap((key) => [
    { bucket: "media", key, method: "GET" },
    { bucket: "media", key, method: "PUT" },
  ]);
  return [
    ...calls,
    { bucket: "media", method: "GET" },
    { bucket: "media", method: "GET", query: { uploads: "" } },
    { bucket: "media", key: "a.txt", method: "GET", query: { versionId: "3/L4kqtJ+l" } },
    { bucket: "media", key: "a.txt", method: "DELETE", query: { versionId: "a&versionId=b" } },
    { bucket: "media", key: "a.txt", method: "HEAD" },
    { bucket: "media", key: "a.txt", method: "PUT", query: { partNumber: "1", uploadId: "u+1/2" } },
    {
      bucket: "media",
      key: "a.txt",
      method: "GET",
      response: { contentType: "text/plain", contentDisposition: 'attachment; filename="a b+c.txt"' },
    },
    {
      bucket: "media",
      key: "a.txt",
      method: "GET",
      response: { cacheControl: "max-age=60, private", contentLanguage: "de" },
    },
    { bucket: "media", key: "up.bin", method: "PUT", bind: { contentType: "image/png", contentLength: 9 } },
    {
      bucket: "media",
      key: "up.bin",
      method: "PUT",
      headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-amz-meta-note": "a, b" },
    },
    {
      bucket: "media",
      key: "up.bin",
      method: "PUT",
      headers: { "x-amz-meta-a": "1", "x-amz-meta-b": "2", "x-amz-acl": "private" },
    },
  ];
}

export function s3Bases(): readonly WireRequest[] {
  const bound = [
    { bucket: "media", key: "a.txt", method: "GET", query: { x: ["2", "1"], "x-id": "GetObject" } },
    {
      bucket: "media",
      key: "up.bin",
      method: "PUT",
      bind: { sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    },
    {
      bucket: "media",
      key: "up.bin",
      method: "PUT",
      headers: { "if-none-match": "*", "x-amz-checksum-crc32": "AAAAAA==" },
    },
  ];
  return requests(S3_CREDENTIALS, SESSION_CREDENTIALS, (options) => s3Signer(options), [...s3Wishes(), ...bound]);
}

export function s3V2Bases(): readonly WireRequest[] {
  const wishes = s3Wishes().filter(
    (wish) => !("query" in wish) || JSON.stringify(wish.query) !== '{"versionId":"a&versionId=b"}',
  );
  const unbindable = (wish: object): boolean => "bind" in wish;
  return requests(
    S3_CREDENTIALS,
    SESSION_CREDENTIALS,
    (options) => s3V2Signer(options),
    wishes.filter((wish) => !unbindable(wish)),
  );
}

type S3Options = Parameters<typeof s3Signer>[0];
type S3Wish = Omit<Parameters<ReturnType<typeof s3Signer>["sign"]>[0], "expiresIn">;

function requests(
  first: S3Options["credentials"],
  second: S3Options["credentials"],
  signerOf: (options: S3Options) => ReturnType<typeof s3Signer>,
  wishes: readonly S3Wish[],
): readonly WireRequest[] {
  const endpoint = "https://s3.example.com";
  return (["path", "virtual"] as const).flatMap((addressing) =>
    [first, second].flatMap((credentials) => {
      const signer = signerOf({ region: "us-east-1", endpoint, addressing, credentials, clock });
      return wishes.map((wish) => wireRequest(signer.sign({ ...wish, expiresIn: 900, dotSegments: "sign" })));
    }),
  );
}

function urlWishes(): readonly UrlSignRequest[] {
  const url = "https://api.example.com/invoices/7.pdf";
  const life = { expiresIn: 900, audience: AUDIENCE };
  return [
    { url, ...life },
    { url: `${url}?lang=de&x=1&x=2&flag`, ...life },
    { url: "https://files.example.com/a%20b/%C3%A9/q%3Fx;v=1/", ...life },
    { url, ...life, methods: ["PUT", "DELETE"], createOnly: true, bind: { contentLength: { max: 1_048_576 } } },
    { url, ...life, methods: ["PUT"], bind: { contentType: "image/png", sha256: "0".repeat(64) } },
    { url, ...life, bind: { headers: { "x-tenant": "acme", "x-shard": "eu 1" } } },
    { url, ...life, bind: { ip: ["203.0.113.0/24", "2001:db8::/32"] } },
    { url, ...life, subject: "cus_42", nonce: "AAAAAAAAAAAAAAAAAAAAAA" },
    { url, ...life, uses: 3, nonce: "BBBBBBBBBBBBBBBBBBBBBB" },
    { url, ...life, response: { contentDisposition: 'attachment; filename="a.pdf"', cacheControl: "private" } },
    { url: `${url}?lang=de&utm_source=mail`, ...life, vary: ["utm_source", "fbclid"] },
    { url: "https://files.example.com/talks/2026/day-1/intro.mp4", ...life, prefix: "/talks/2026/" },
    { url: "https://files.example.com/talks/2026/", ...life, prefix: 1, vary: ["fbclid"] },
    { url, ...life, notBefore: NOW, stableWindow: 300 },
  ];
}

/** Signed by the HMAC key. */
export function urlBases(): readonly WireRequest[] {
  const signer = urlSigner({ key: HMAC_KEY, clock });
  return urlWishes().map((wish) => wireRequest(signer.sign(wish)));
}

/** Signed by the Ed25519 key. */
export async function ed25519Bases(): Promise<readonly WireRequest[]> {
  const signer = urlSigner({ key: ED25519_KEY, clock });
  return Promise.all(urlWishes().map(async (wish) => wireRequest(await signer.sign(wish))));
}

/** What a client sends with a signed request. */
export function wireRequest({ url, method, headers }: SignedRequest): WireRequest {
  const [, authority = "", target = ""] = /^https?:\/\/([^/]+)(\/.*)$/s.exec(url) ?? [];
  return { method, target, authority, headers: Object.entries(headers), remoteAddress: "203.0.113.9" };
}
