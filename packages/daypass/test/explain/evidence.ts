import { createHash } from "node:crypto";
import { cosSigner } from "daypass/cos";
import type { ExplainKey } from "daypass/explain";
import { gcsHmacSigner } from "daypass/gcs";
import { gcsV2HmacSigner } from "daypass/gcs/v2";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { errorXml } from "./broken-requests.ts";

const signedAt = new Date("2026-11-24T12:00:00Z");
const clock = () => signedAt;

export interface Signed {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A request as it arrives. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a provider signs, and what its server says of what it computed. The server's side is written anew here. */
export interface Provider {
  readonly name: string;
  /** Whether the whole query is signed. */
  readonly signsQuery: boolean;
  sign(
    wish: { readonly method: string; readonly key?: string; readonly contentType?: string },
    secret?: string,
  ): Signed;
  readonly keys: readonly ExplainKey[];
  /** The elements that a refusal has: all of them, or the string to sign alone. */
  computed(arrived: Arrived): { readonly whole: Texts; readonly text: Texts };
}

type Texts = Readonly<Record<string, string>>;

const sha = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const id = "AKIDEXAMPLE";
const bind = (contentType: string | undefined) => (contentType === undefined ? {} : { bind: { contentType } });

function split(url: string) {
  const [, host = "", path = "", query = ""] = /^https:\/\/([^/]+)([^?]*)\?(.*)$/.exec(url) ?? [];
  const tokens = query.split("&");
  const get = (name: string) =>
    decodeURIComponent(tokens.find((token) => token.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");
  return { host, path, tokens, get };
}

/** What a server of the V4 family shows. */
function v4Texts({ method, url, headers }: Arrived, prefix: "X-Amz-" | "X-Goog-", algorithm: string) {
  const { host, path, tokens, get } = split(url);
  const names = get(`${prefix}SignedHeaders`).split(";");
  const all: Texts = { ...headers, host };
  const canonical = [
    method,
    path,
    tokens
      .filter((token) => !token.startsWith(`${prefix}Signature=`))
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${all[name] ?? ""}`),
    "",
    names.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = get(`${prefix}Credential`).split("/").slice(1).join("/");
  const text = { StringToSign: `${algorithm}\n${get(`${prefix}Date`)}\n${scope}\n${sha("sha256", canonical)}` };
  return { whole: { ...text, CanonicalRequest: canonical }, text };
}

/** What a server of a legacy signature shows. */
function legacyTexts({ method, url, headers }: Arrived, resource: (path: string) => string) {
  const { path, get } = split(url);
  const text = {
    StringToSign: `${method}\n\n${headers["content-type"] ?? ""}\n${get("Expires")}\n${resource(path)}`,
  };
  return { whole: text, text };
}

export const providers: readonly Provider[] = [
  {
    name: "S3",
    signsQuery: true,
    keys: [{ accessKeyId: id, secretAccessKey: SECRET }],
    sign: ({ method, key = "a/b.txt", contentType }, secretAccessKey = SECRET) =>
      s3Signer({ region: "eu-west-1", credentials: { accessKeyId: id, secretAccessKey }, clock }).sign({
        ...{ bucket: "media", key, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed: (arrived) => v4Texts(arrived, "X-Amz-", "AWS4-HMAC-SHA256"),
  },
  {
    name: "Cloud Storage",
    signsQuery: true,
    keys: [{ accessKeyId: id, secretAccessKey: SECRET }],
    sign: ({ method, key: object = "a/b.txt", contentType }, secretAccessKey = SECRET) =>
      gcsHmacSigner({ credentials: { accessKeyId: id, secretAccessKey }, clock }).sign({
        ...{ bucket: "media", object, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed: (arrived) => v4Texts(arrived, "X-Goog-", "GOOG4-HMAC-SHA256"),
  },
  {
    name: "S3, V2",
    signsQuery: false,
    keys: [{ accessKeyId: id, secretAccessKey: SECRET }],
    sign: ({ method, key = "a/b.txt", contentType }, secretAccessKey = SECRET) =>
      s3V2Signer({ region: "us-east-1", credentials: { accessKeyId: id, secretAccessKey }, clock }).sign({
        ...{ bucket: "media", key, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed: (arrived) => legacyTexts(arrived, (path) => `/media${path}`),
  },
  {
    name: "Cloud Storage, V2",
    signsQuery: false,
    keys: [{ accessKeyId: id, secretAccessKey: SECRET }],
    sign: ({ method, key: object = "a/b.txt", contentType }, secretAccessKey = SECRET) =>
      gcsV2HmacSigner({ credentials: { accessKeyId: id, secretAccessKey }, clock }).sign({
        ...{ bucket: "media", object, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed: (arrived) => legacyTexts(arrived, (path) => path),
  },
  {
    name: "OSS",
    signsQuery: true,
    keys: [{ accessKeyId: id, accessKeySecret: SECRET }],
    sign: ({ method, key = "a/b.txt", contentType }, accessKeySecret = SECRET) =>
      ossSigner({ region: "cn-hangzhou", credentials: { accessKeyId: id, accessKeySecret }, clock }).sign({
        ...{ bucket: "media", key, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed({ method, url, headers }) {
      const { path, tokens, get } = split(url);
      const type = headers["content-type"];
      const canonical = [
        ...[method, `/media${path}`],
        tokens
          .filter((token) => !token.startsWith("x-oss-signature="))
          .sort()
          .join("&"),
        ...(type === undefined ? [] : [`content-type:${type}`]),
        ...["", "", "UNSIGNED-PAYLOAD"],
      ].join("\n");
      const scope = get("x-oss-credential").split("/").slice(1).join("/");
      const text = { StringToSign: `OSS4-HMAC-SHA256\n${get("x-oss-date")}\n${scope}\n${sha("sha256", canonical)}` };
      return { whole: { ...text, CanonicalRequest: canonical }, text };
    },
  },
  {
    name: "OSS, V1",
    signsQuery: false,
    keys: [{ accessKeyId: id, accessKeySecret: SECRET }],
    sign: ({ method, key = "a/b.txt", contentType }, accessKeySecret = SECRET) =>
      ossV1Signer({ region: "cn-hangzhou", credentials: { accessKeyId: id, accessKeySecret }, clock }).sign({
        ...{ bucket: "media", key, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed: (arrived) => legacyTexts(arrived, (path) => `/media${path}`),
  },
  {
    name: "COS",
    signsQuery: false,
    keys: [{ secretId: id, secretKey: SECRET }],
    sign: ({ method, key = "a/b.txt", contentType }, secretKey = SECRET) =>
      cosSigner({ region: "ap-guangzhou", credentials: { secretId: id, secretKey }, clock }).sign({
        ...{ bucket: "media-1250000000", key, method, expiresIn: 900 },
        ...bind(contentType),
      }),
    computed({ method, url, headers }) {
      const { host, path, get } = split(url);
      const all: Texts = { ...headers, host };
      const list = get("q-header-list").split(";").filter(Boolean);
      const lines = list.map((name) => `${name}=${encodeURIComponent(all[name] ?? "")}`).join("&");
      const format = `${method.toLowerCase()}\n${decodeURIComponent(path)}\n\n${lines}\n`;
      const text = { StringToSign: `sha1\n${get("q-key-time")}\n${sha("sha1", format)}\n` };
      return { whole: { ...text, FormatString: format }, text };
    },
  },
];

/** What breaks a request, and what has to be found. */
export interface Fault {
  readonly name: string;
  readonly code: string;
  /** Words by which an honest sentence names it among others. */
  readonly named: RegExp;
  readonly of?: (provider: Provider) => boolean;
  make(provider: Provider): { readonly given: Signed; readonly arrived: Arrived };
}

const type = "image/png";
const put = { method: "PUT" } as const;

export const faults: readonly Fault[] = [
  {
    name: "a URL for PUT, sent with GET",
    code: "METHOD",
    named: /another method|signed for PUT/,
    make(provider) {
      const given = provider.sign(put);
      return { given, arrived: { method: "GET", url: given.url, headers: {} } };
    },
  },
  {
    name: "a URL for GET, sent with HEAD",
    code: "METHOD",
    named: /another method/,
    make(provider) {
      const given = provider.sign({ method: "GET" });
      return { given, arrived: { method: "HEAD", url: given.url, headers: {} } };
    },
  },
  {
    name: "another Content-Type than was signed",
    code: "HEADER",
    named: /content-type/,
    make(provider) {
      const given = provider.sign({ ...put, contentType: type });
      return { given, arrived: { ...put, url: given.url, headers: { "content-type": "text/plain" } } };
    },
  },
  {
    name: "a Content-Type that was signed and is missing",
    code: "HEADER",
    named: /content-type/,
    make(provider) {
      const given = provider.sign({ ...put, contentType: type });
      return { given, arrived: { ...put, url: given.url, headers: {} } };
    },
  },
  {
    name: "a parameter that was added on the way",
    code: "QUERY",
    named: /changed/,
    of: ({ signsQuery }) => signsQuery,
    make(provider) {
      const given = provider.sign({ method: "GET" });
      return { given, arrived: { method: "GET", url: `${given.url}&utm_source=x`, headers: {} } };
    },
  },
  {
    name: "a path whose slashes a proxy has merged",
    code: "PATH",
    named: /changed|read it differently/,
    make(provider) {
      const given = provider.sign({ method: "GET", key: "x//y" });
      return { given, arrived: { method: "GET", url: given.url.replace("x//y", "x/y"), headers: {} } };
    },
  },
  {
    name: "another secret",
    code: "WRONG_SECRET",
    named: /(?:another|a different) (?:secret|key)|secret is wrong/,
    make(provider) {
      const given = provider.sign({ method: "GET" }, SECRET.replace("wJalr", "other"));
      return { given, arrived: { method: "GET", url: given.url, headers: {} } };
    },
  },
];

/** What whoever asks has at hand. */
export const evidences = [
  ...["none", "request", "key", "request and key"],
  ...["body", "body and request", "body and key", "body, request and key"],
  ...["string to sign", "string to sign and request", "string to sign and key", "string to sign, request and key"],
  ...["code", "code and request", "code and key", "code, request and key"],
] as const;

export function errorBody(texts: Texts): string {
  const escaped = Object.entries(texts).map(([name, text]) => [
    name,
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
  ]);
  return errorXml("SignatureDoesNotMatch", "The signature does not match.", Object.fromEntries(escaped));
}
